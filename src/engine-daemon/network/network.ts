/**
 * The network of containers. With CNI's bridge plugins each container has a network namespace of its own, behind a bridge
 * that belongs to this state folder: services may use the same port, as on a Dagger engine. Where that is not possible,
 * containers share the host's network, and the reason is in the engine's log.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { enginePackage, findExecutable } from "../../paths/index.ts";
import { releaseBridge } from "./network-guard.ts";
import { leasesFolder } from "../set-up/paths.ts";
import { freeSubnet, hostMtuBytes } from "./subnet.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export type ContainerNetwork =
  { mode: "host"; reason: string } | { mode: "bridge"; bridge: string; pluginDir: string; configFile: string };

/** Network namespaces that are made before they are needed: with one at hand an exec starts as fast as without. */
export const preparedNamespaces = 4;

const pluginDirs = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];
const plugins = ["bridge", "host-local", "firewall", "loopback"];
const sbin = ":/usr/local/sbin:/usr/sbin:/sbin";

/** Decides, and writes the CNI configuration into the state folder. `FASTLOOP_NETWORK=host` switches bridges off. */
export function planNetwork(state: string, env: Environment = process.env): ContainerNetwork {
  if (env["FASTLOOP_NETWORK"] === "host") return { mode: "host", reason: "FASTLOOP_NETWORK=host" };
  const ready = enginePackage();
  const folders = ready === undefined ? pluginDirs : [path.join(ready, "cni"), ...pluginDirs];
  const pluginDir = folders.find((folder) => plugins.every((name) => existsSync(path.join(folder, name))));
  if (pluginDir === undefined) return { mode: "host", reason: "no CNI plugins (Debian: containernetworking-plugins)" };
  if (findExecutable("iptables", { PATH: `${env["PATH"] ?? ""}${sbin}` }) === undefined)
    return { mode: "host", reason: "no iptables" };
  const local = onlyOnLoopback(env);
  if (local !== undefined)
    return { mode: "host", reason: `${local} is on the loopback address, which bridged containers cannot reach` };

  const id = networkId(state);
  const bridge = bridgeOf(state);
  const configFile = configOf(state);
  const subnet = knownSubnet(configFile) ?? freeSubnet(Number.parseInt(id, 16));
  if (subnet === undefined) return { mode: "host", reason: "no free private subnet" };
  writeFileSync(
    configFile,
    conflist({ name: `fastloop-${id}`, bridge, subnet, leases: leasesFolder(state), mtu: hostMtuBytes() }),
    { mode: 0o600 },
  );
  return { mode: "bridge", bridge, pluginDir, configFile };
}

/** Takes the bridge of a state folder down; its containers are gone by then. */
export async function removeBridge(state: string): Promise<void> {
  // Never planned one: a host's network, or no BuildKit of ours.
  if (!existsSync(configOf(state))) return;
  const bridge = bridgeOf(state);
  await releaseBridge(bridge);
  if (!existsSync(`/sys/class/net/${bridge}`)) return;
  const ip = findExecutable("ip", { PATH: `${process.env["PATH"] ?? ""}${sbin}` });
  if (ip !== undefined) await promisify(execFile)(ip, ["link", "delete", bridge]).catch(() => undefined);
}

const networkId = (state: string): string => createHash("sha256").update(state).digest("hex").slice(0, 8);

const configOf = (state: string): string => path.join(state, "network.conflist");

const bridgeOf = (state: string): string => `fastloop${networkId(state).slice(0, 6)}`;

/** What containers need and would look for on themselves. */
function onlyOnLoopback(env: Environment): string | undefined {
  for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]) {
    const value = env[name] ?? env[name.toLowerCase()] ?? "";
    if (/^(?:[a-z0-9]+:\/\/)?(?:[^@/]*@)?(?:localhost|127\.[\d.]+|\[::1\])(?:[:/]|$)/i.test(value)) return name;
  }
  // systemd-resolved has another file for others than itself, and BuildKit knows it.
  if (existsSync("/run/systemd/resolve/resolv.conf")) return undefined;
  const servers = [...read("/etc/resolv.conf").matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1]!);
  const allLocal = servers.length > 0 && servers.every((address) => address === "::1" || address.startsWith("127."));
  return allLocal ? "every name server" : undefined;
}

interface Bridge {
  name: string;
  bridge: string;
  subnet: string;
  /** Folder of the address leases. */
  leases: string;
  /** Bytes. */
  mtu: number;
}

function conflist({ name, bridge, subnet, leases, mtu }: Bridge): string {
  const ipam = { type: "host-local", dataDir: leases, ranges: [[{ subnet }]] };
  return JSON.stringify({
    cniVersion: "0.4.0",
    name,
    plugins: [
      { type: "bridge", bridge, isDefaultGateway: true, ipMasq: true, mtu, ipam },
      { type: "firewall", ingressPolicy: "same-bridge" },
    ],
  });
}

/** The subnet of last time: a bridge that a killed daemon left has it still. */
function knownSubnet(configFile: string): string | undefined {
  return /"subnet":"([\d./]+)"/.exec(read(configFile))?.[1];
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
