import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { daemonStatus } from "../../../src/engine/embedded/control.ts";
import { buildkitdToml } from "../../../src/engine-daemon/buildkitd/buildkitd-config.ts";
import { lastFailure } from "../../../src/engine/embedded/start.ts";
import { takeLock } from "../../../src/engine-daemon/lock.ts";
import { openLog } from "../../../src/engine-daemon/buildkitd/log.ts";
import { controlSocket, stateDir, foreignFolder } from "../../../src/engine-daemon/set-up/paths.ts";
import { cacheHome } from "../../../src/paths/index.ts";
import {
  createPreparePlatform,
  mayBeBootstrapped,
  withPlatforms,
} from "../../../src/engine-daemon/set-up/platforms.ts";
import { readHostTrust } from "../../../src/engine-daemon/control/trust.ts";
import type { BuildkitClient } from "../../../src/buildkit/types.ts";
import { SecretMask } from "../../../src/text/index.ts";
import { startChild } from "../../../src/engine-daemon/buildkitd/child.ts";
import { durationAt } from "../../../src/config/index.ts";
import { idleMsOf } from "../../../src/engine/embedded/idle.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-parts-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the lock of a state folder", () => {
  it("is held by one at a time, and free again after its release", async () => {
    const release = await takeLock(folder);
    expect(release).toBeDefined();
    expect(await takeLock(folder)).toBeUndefined();
    release?.();
    const again = await takeLock(folder);
    expect(again).toBeDefined();
    again?.();
  });

  it("goes to exactly one of many who ask at once", async () => {
    const taken = await Promise.all(Array.from({ length: 20 }, () => takeLock(folder)));
    expect(taken.filter((release) => release !== undefined)).toHaveLength(1);
    for (const release of taken) release?.();
  });

  it.runIf(process.platform === "linux")(
    "has a name that cannot be guessed, also after what kept it was damaged",
    async () => {
      for (const damaged of ["", "0".repeat(31), "lock\n", "../../x"]) {
        writeFileSync(path.join(folder, "lock-name"), damaged);
        (await takeLock(folder))?.();
        expect(readFileSync(path.join(folder, "lock-name"), "utf8")).toMatch(/^[0-9a-f]{32}$/);
        expect(readdirSync(folder)).toEqual(["lock-name"]);
      }
    },
  );
});

it("the log has no secret of an open session, nor of one that has just ended", () => {
  const log = openLog(folder);
  const mask = new SecretMask();
  const forget = log.hide(mask);
  mask.add("hunter2");
  log.write("buildkitd", 'process "login hunter2" did not complete');
  forget();
  log.write("engine", "a late word of hunter2");
  const text = readFileSync(path.join(folder, "engine.log"), "utf8");
  expect(text).toMatch(/buildkitd: process "login \*\*\*" did not complete\n.* engine: a late word of \*\*\*\n$/);
  expect(log.masked("hunter2")).toBe("***");
});

it("a program's log is masked by lines, however they are cut, in its tail too", async () => {
  const log = openLog(folder);
  log.hide(new SecretMask(["hunter2"]));
  const script = 'printf "a hun"; sleep 0.05; printf "ter2 b\\n"';
  const child = startChild({
    name: "registry",
    command: "/bin/sh",
    args: ["-c", script],
    env: process.env,
    log,
    state: folder,
  });
  await child.ended;
  await expect.poll(() => child.tail()).toBe("a *** b");
  expect(readFileSync(path.join(folder, "engine.log"), "utf8")).toContain("registry: a *** b\n");
});

describe("a damaged state folder", () => {
  it("has a log that costs lines, and a failure that says nothing", () => {
    mkdirSync(path.join(folder, "engine.log"));
    openLog(folder).write("engine", "line");
    for (const text of ["", "{", "null", "[]", '{"message":5}', '{"detail":"x"}']) {
      writeFileSync(path.join(folder, "failure.json"), text);
      expect(lastFailure(folder), text).toBeUndefined();
    }
    writeFileSync(path.join(folder, "failure.json"), '{"message":"m","hint":5,"detail":"d"}');
    expect(lastFailure(folder)).toEqual({ message: "m", detail: "d" });
  });
});

describe("folders", () => {
  it("follow XDG where its variables are absolute, and the home folder otherwise", () => {
    expect(cacheHome({ XDG_CACHE_HOME: "/c", HOME: "/h" })).toBe("/c/fastloop");
    expect(cacheHome({ XDG_CACHE_HOME: "relative", HOME: "/h" })).toBe("/h/.cache/fastloop");
    expect(stateDir(undefined, { HOME: "/h" })).toBe("/h/.local/state/fastloop/engine");
  });

  it("are apart for each BuildKit address", () => {
    const env = { HOME: "/h" };
    const [own, one, other] = [stateDir(undefined, env), stateDir("tcp://a:1", env), stateDir("tcp://b:1", env)];
    expect(new Set([own, one, other]).size).toBe(3);
  });

  it("have their sockets in a short path where their own is too long for the kernel", () => {
    const deep = path.join("/", "x".repeat(120));
    expect(controlSocket(deep).length).toBeLessThan(104);
    expect(controlSocket("/short")).toBe("/short/control.sock");
  });
});

describe("the folder of the sockets", () => {
  const deep = (): string => path.join(folder, "x".repeat(120));

  it("is taken where it is this user's alone, and not where others may enter or it is a link", () => {
    expect(foreignFolder(path.join(folder, "absent"))).toBeUndefined();
    expect(foreignFolder(folder)).toBeUndefined();
    const open = path.join(folder, "open");
    mkdirSync(open);
    chmodSync(open, 0o711);
    expect(foreignFolder(open)).toContain("is open to other users");
    symlinkSync(folder, path.join(folder, "link"));
    expect(foreignFolder(path.join(folder, "link"))).toContain("is not a folder");
  });

  it("gets no request where somebody else could have made it: a session's request carries the environment", async () => {
    const socket = controlSocket(deep());
    mkdirSync(path.dirname(socket));
    chmodSync(path.dirname(socket), 0o755);
    let requests = 0;
    const server = http.createServer((_request, response) => {
      requests++;
      response.end("{}");
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    try {
      await expect(daemonStatus(deep())).rejects.toMatchObject({
        code: "engine-unavailable",
        message: expect.stringContaining("is open to other users") as string,
      });
      expect(requests).toBe(0);
      chmodSync(path.dirname(socket), 0o700);
      expect(await daemonStatus(deep())).toEqual({});
    } finally {
      server.close();
      rmSync(path.dirname(socket), { recursive: true, force: true });
    }
  });
});

describe("buildkitd.toml", () => {
  const config = { rootDir: "/state/buildkit", socket: "/state/buildkitd.sock", otelSocket: "/state/otel.sock" };

  it("uses the host's network, which needs no plugins", () => {
    expect(buildkitdToml(config)).toContain('networkMode = "host"');
  });

  it("has the local registry in docker.io's place only where one is served", () => {
    expect(buildkitdToml(config)).not.toContain("docker.io");
    const toml = buildkitdToml({ ...config, mirror: "127.0.0.1:5000" });
    expect(toml).toContain('[registry."docker.io"]\n  mirrors = ["127.0.0.1:5000"]');
    expect(toml).toContain('[registry."127.0.0.1:5000"]\n  http = true');
  });
});

describe("the host's trust", () => {
  const certificate = (body: string): string => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`;

  it("holds certificates that a variable names and the distribution does not have", () => {
    const file = path.join(folder, "extra.pem");
    writeFileSync(file, `comment\n${certificate("ZXh0cmE=")}\n`);
    const bundle = readHostTrust({ NODE_EXTRA_CA_CERTS: file }).caBundlePem ?? "";
    expect(bundle).toContain(certificate("ZXh0cmE="));
    expect(bundle).not.toContain("comment");
  });

  it("is read anew when a certificate is replaced", () => {
    const file = path.join(folder, "extra.pem");
    for (const text of ["b25l", "dHdv"]) {
      writeFileSync(`${file}.new`, certificate(text));
      renameSync(`${file}.new`, file);
      expect(readHostTrust({ NODE_EXTRA_CA_CERTS: file }).caBundlePem).toContain(certificate(text));
    }
  });

  it("passes over a variable that names no file, or a folder", () => {
    mkdirSync(path.join(folder, "certs"));
    const trust = readHostTrust({
      SSL_CERT_FILE: path.join(folder, "none"),
      NODE_EXTRA_CA_CERTS: path.join(folder, "certs"),
    });
    expect(trust).toEqual(readHostTrust({}));
  });

  it("has the proxy's variables in upper case, whichever case the host uses", () => {
    const { environment } = readHostTrust({
      https_proxy: "http://p:1",
      NO_PROXY: "localhost",
      FTP_PROXY: "",
      PATH: "/bin",
    });
    expect(environment).toEqual({ HTTPS_PROXY: "http://p:1", NO_PROXY: "localhost" });
  });
});

describe("a foreign platform", () => {
  const native = process.arch === "x64" ? "amd64" : "arm64";
  const foreign = native === "amd64" ? "arm64" : "amd64";

  it("is prepared once, however many ask, and again after a failure", async () => {
    const calls: string[][] = [];
    let fail = true;
    const prepare = createPreparePlatform(async (parts, _options, extra = []) => {
      calls.push([...parts, ...extra]);
      if (fail) throw new Error("no network");
      return Promise.resolve();
    });
    const notify = (): void => undefined;
    const image = "docker.io/library/debian:latest";
    await prepare(native, image, notify);
    expect(calls).toEqual([]);
    await expect(Promise.all([prepare(foreign, image, notify), prepare(foreign, image, notify)])).rejects.toThrow(
      "no network",
    );
    fail = false;
    await Promise.all([prepare(foreign, image, notify), prepare(foreign, image, notify)]);
    expect(calls).toEqual([
      ["images", "emulation", "--arch", foreign],
      ["images", "emulation", "--arch", foreign],
    ]);
    // Nobody waits for a bootstrap whose image comes from elsewhere.
    await prepare(foreign, "registry.example/app:1", notify);
    expect(calls.at(-1)).toEqual(["emulation", "--arch", foreign]);
  });

  it("waits for a bootstrap only for images that set-up bootstraps", () => {
    const local = { mode: "local", images: { "library/debian": {} } };
    expect(mayBeBootstrapped("docker.io/library/debian:12-slim", local)).toBe(true);
    expect(mayBeBootstrapped("docker.io/library/golang:1@sha256:0", local)).toBe(false);
    expect(mayBeBootstrapped("docker.io/constructor", local)).toBe(false);
    // What set-up has not decided, or decides anew, it is asked.
    expect(mayBeBootstrapped("docker.io/library/golang:1", {})).toBe(true);
    expect(mayBeBootstrapped("docker.io/library/golang:1", { mode: "registry" })).toBe(true);
    expect(mayBeBootstrapped("registry.example/library/debian:12", {})).toBe(false);
  });

  it("is prepared before an image of it is resolved, and leaves the client's other methods alone", async () => {
    const order: string[] = [];
    class Fake {
      readonly #secret = "kept";
      openBuild = async () => Promise.resolve(this.#build());
      #build() {
        return {
          resolveImageConfig: (reference: string) => (
            order.push(`resolve ${reference}`),
            Promise.resolve({ digest: "sha256:index" })
          ),
        };
      }
      info() {
        return Promise.resolve({ version: this.#secret, platforms: [] });
      }
    }
    const client = withPlatforms(
      new Fake() as unknown as BuildkitClient,
      async (architecture) => {
        await Promise.resolve();
        order.push(`prepare ${architecture}`);
      },
      () => undefined,
      (reference, architecture) => (reference === "debian" ? `sha256:manifest-${architecture}` : undefined),
    );
    const build = await client.openBuild({} as never);
    // A bootstrapped image is known by its manifest, which another platform of it does not change.
    expect(await build.resolveImageConfig("debian", "linux/arm64/v8")).toEqual({ digest: "sha256:manifest-arm64" });
    expect(order).toEqual(["prepare arm64", "resolve debian"]);
    expect(await build.resolveImageConfig("other", "linux/amd64")).toEqual({ digest: "sha256:index" });
    expect((await client.info()).version).toBe("kept");
  });
});

describe("the idle time", () => {
  it("is 30 minutes unless the environment says otherwise", () => {
    expect(idleMsOf({})).toBe(30 * 60_000);
    expect(idleMsOf({ FASTLOOP_ENGINE_IDLE: "90s" })).toBe(90_000);
    expect(durationAt("1.5h", "--idle")).toBe(5_400_000);
  });

  it("is a usage error with its place when it is no duration", () => {
    expect(() => durationAt("soon", "--idle")).toThrow(
      expect.objectContaining({ exitCode: 2, place: "--idle" }) as Error,
    );
  });
});
