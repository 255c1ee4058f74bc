import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildkitdToml } from "../../../src/engine-daemon/buildkitd/buildkitd-config.ts";
import { planNetwork } from "../../../src/engine-daemon/network/network.ts";
import { freeSubnet } from "../../../src/engine-daemon/network/subnet.ts";

let state = "";
beforeEach(() => {
  state = mkdtempSync(path.join(tmpdir(), "network-"));
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

describe("the network of containers", () => {
  it("is the host's when the environment says so", () => {
    expect(planNetwork(state, { PATH: process.env["PATH"], FASTLOOP_NETWORK: "host" })).toEqual({
      mode: "host",
      reason: "FASTLOOP_NETWORK=host",
    });
  });

  it("is the host's when a proxy listens on the loopback address, which a bridged container cannot reach", () => {
    const network = planNetwork(state, { PATH: process.env["PATH"], https_proxy: "http://user:pw@127.0.0.1:3128" });
    expect(network.mode).toBe("host");
  });

  it("keeps its subnet from one start to the next", () => {
    const first = planNetwork(state, { PATH: process.env["PATH"] });
    if (first.mode === "host") return;
    const before = readFileSync(first.configFile, "utf8");
    planNetwork(state, { PATH: process.env["PATH"] });
    expect(readFileSync(first.configFile, "utf8")).toBe(before);
  });

  it("has a bridge that no other engine has, be its state folder's path the same in another root", () => {
    const first = planNetwork(state, { PATH: process.env["PATH"] });
    if (first.mode === "host") return;
    expect(planNetwork(state, { PATH: process.env["PATH"] })).toMatchObject({ bridge: first.bridge });
    rmSync(first.configFile);
    expect(planNetwork(state, { PATH: process.env["PATH"] })).not.toMatchObject({ bridge: first.bridge });
  });

  it("has a bridge of its own for each state folder, with a name that the kernel takes", () => {
    const other = mkdtempSync(path.join(tmpdir(), "network-"));
    try {
      const [one, two] = [
        planNetwork(state, { PATH: process.env["PATH"] }),
        planNetwork(other, { PATH: process.env["PATH"] }),
      ];
      if (one.mode === "host" || two.mode === "host") return;
      expect(one.bridge).not.toBe(two.bridge);
      expect(one.bridge.length).toBeLessThanOrEqual(15);
    } finally {
      rmSync(other, { recursive: true, force: true });
    }
  });

  it("takes a subnet that no interface of the host is in", () => {
    const local = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
    for (const seed of [0, 1, 511, 1023]) {
      const subnet = freeSubnet(seed);
      expect(subnet).toMatch(/^10\.2(0[89]|1\d|2[0-3])\.\d+\.0\/22$/);
      const prefix = subnet!.split(".").slice(0, 3).join(".");
      expect(local.filter((address) => address.startsWith(`${prefix}.`))).toEqual([]);
    }
  });

  it("reaches buildkitd as a CNI configuration, or as the host's network", () => {
    const base = { rootDir: "/r", socket: "/s", otelSocket: "/o" };
    expect(buildkitdToml(base)).toContain('networkMode = "host"');
    const toml = buildkitdToml({ ...base, cni: { configFile: "/c", pluginDir: "/p", preparedNamespaces: 4 } });
    expect(toml).toContain('networkMode = "cni"\n  cniConfigPath = "/c"\n  cniBinaryPath = "/p"\n  cniPoolSize = 4');
  });
});
