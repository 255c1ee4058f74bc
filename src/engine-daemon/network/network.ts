/**
 * Network of the containers. With CNI's bridge plugins, each container has a network namespace of its own behind a
 * bridge that only this state folder uses. Services may then use the same port, as on a Dagger engine. Otherwise
 * containers share the host's network, and the engine's log says why.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { changeableByOthers, enginePackage, findSafeExecutable, proxySetting, textIfThere } from "../../paths/index.ts";
import { nameServersIn, releaseBridge, sbin } from "./network-guard.ts";
import { leasesFolder } from "../set-up/paths.ts";
import { freeSubnet, hostMtuBytes } from "./subnet.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export type ContainerNetwork =
  { mode: "host"; reason: string } | { mode: "bridge"; bridge: string; pluginDir: string; configFile: string };

/**
 * Number of network namespaces to create in advance. With one available, an exec starts as fast as without a network of
 * its own.
 */
export const preparedNamespaces = 4;

const pluginDirs = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];
const plugins = ["bridge", "host-local", "firewall", "loopback"];

/**
 * Chooses the network and writes the CNI configuration to the state folder. `FASTLOOP_NETWORK=host` disables bridges.
 */
export function planNetwork(state: string, env: Environment = process.env): ContainerNetwork {
  if (env["FASTLOOP_NETWORK"] === "host") return { mode: "host", reason: "FASTLOOP_NETWORK=host" };
  const found = findPlugins();
  if ("reason" in found) return { mode: "host", ...found };
  const { pluginDir } = found;
  const iptables = findSafeExecutable("iptables", { PATH: `${env["PATH"] ?? ""}${sbin}` });
  if (iptables.file === undefined) return { mode: "host", reason: ["no iptables", ...iptables.passedOver].join("; ") };
  const local = onlyOnLoopback(env);
  if (local !== undefined)
    return { mode: "host", reason: `${local} is on the loopback address, which bridged containers cannot reach` };

  const configFile = configOf(state);
  const known = knownBridge(configFile);
  const bridge = known?.bridge ?? newBridge();
  const id = bridge.slice(bridgePrefix.length);
  const subnet = known?.subnet ?? freeSubnet(Number.parseInt(id, 16));
  if (subnet === undefined) return { mode: "host", reason: "no free private subnet" };
  writeFileSync(
    configFile,
    conflist({ name: `fastloop-${id}`, bridge, subnet, leases: leasesFolder(state), mtu: hostMtuBytes() }),
    { mode: 0o600 },
  );
  return { mode: "bridge", bridge, pluginDir, configFile };
}

/**
 * Finds the CNI plugins, which run as root. Those in npm's package are trusted like fastloop itself; any others must
 * not be writable by other users.
 */
function findPlugins(): { pluginDir: string } | { reason: string } {
  const ready = enginePackage();
  const hasAll = (folder: string): boolean => plugins.every((name) => existsSync(path.join(folder, name)));
  if (ready !== undefined && hasAll(path.join(ready, "cni"))) return { pluginDir: path.join(ready, "cni") };
  const problems: string[] = [];
  for (const pluginDir of pluginDirs.filter(hasAll)) {
    const problem = plugins
      .map((name) => changeableByOthers(path.join(pluginDir, name)))
      .find((each) => each !== undefined);
    if (problem === undefined) return { pluginDir };
    problems.push(problem);
  }
  return { reason: ["no CNI plugins (Debian: containernetworking-plugins)", ...problems].join("; ") };
}

/** Removes the bridge of a state folder. Its containers have ended by then. */
export async function removeBridge(state: string): Promise<void> {
  const bridge = knownBridge(configOf(state))?.bridge;
  // No bridge was ever planned: the host's network is used, or BuildKit runs elsewhere.
  if (bridge === undefined) return;
  await releaseBridge(bridge);
  if (!existsSync(`/sys/class/net/${bridge}`)) return;
  const { file: ip } = findSafeExecutable("ip", { PATH: `${process.env["PATH"] ?? ""}${sbin}` });
  if (ip !== undefined) await promisify(execFile)(ip, ["link", "delete", bridge]).catch(() => undefined);
}

const configOf = (state: string): string => path.join(state, "network.conflist");

const bridgePrefix = "fastloop";

/**
 * Returns a random name. One derived from the state folder's path could clash: an engine in a chroot, or in a container
 * on the host's network, can have the same path, and both engines' bridges are in one namespace.
 */
const newBridge = (): string => `${bridgePrefix}${randomBytes(3).toString("hex")}`;

/**
 * Returns a service that containers need but that is on the host's loopback, where they would look on themselves
 * instead.
 */
function onlyOnLoopback(env: Environment): string | undefined {
  for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]) {
    if (/^(?:[a-z0-9]+:\/\/)?(?:[^@/]*@)?(?:localhost|127\.[\d.]+|\[::1\])(?:[:/]|$)/i.test(proxySetting(env, name)))
      return name;
  }
  // systemd-resolved provides another file for its clients, which BuildKit uses.
  if (existsSync("/run/systemd/resolve/resolv.conf")) return undefined;
  const servers = nameServersIn(textIfThere("/etc/resolv.conf"));
  const allLocal = servers.length > 0 && servers.every((address) => address === "::1" || address.startsWith("127."));
  return allLocal ? "every name server" : undefined;
}

interface Bridge {
  name: string;
  bridge: string;
  subnet: string;
  /** Folder of the address leases. */
  leases: string;
  /** In bytes. */
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

/** Returns the previous bridge. What a killed daemon left still uses its name and subnet. */
function knownBridge(configFile: string): { bridge: string; subnet: string } | undefined {
  const text = textIfThere(configFile);
  const bridge = /"bridge":"(fastloop[0-9a-f]{6})"/.exec(text)?.[1];
  const subnet = /"subnet":"([\d./]+)"/.exec(text)?.[1];
  return bridge === undefined || subnet === undefined ? undefined : { bridge, subnet };
}
