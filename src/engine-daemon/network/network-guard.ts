/**
 * Firewall rules that keep containers on a bridge off the host. From the bridge, containers cannot reach the host's own
 * addresses (including the gateway's), ports that other programs publish there, or a cloud's metadata service. Answers
 * to the host's own requests pass, and the user's name servers and proxies on the host stay reachable.
 */
import { execFile } from "node:child_process";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { promisify } from "node:util";
import { findSafeExecutable, proxyOf, proxyPort, proxySetting, textIfThere } from "../../paths/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** An endpoint on the host that containers may reach. */
export interface Exception {
  address: string;
  port: number;
  protocol: "tcp" | "udp";
}

/** Where the programs of the network are, which a PATH of a user may leave out. */
export const sbin = ":/usr/local/sbin:/usr/sbin:/sbin";
const linkLocal = "169.254.0.0/16";
/** Metadata service of a cloud that is not at a link-local address. */
const metadata = "100.100.100.200";

const chainsOf = (bridge: string): { input: string; forward: string } => ({
  input: `${bridge}-in`,
  forward: `${bridge}-fwd`,
});

/** Returns the arguments of the `iptables` and `ip6tables` calls, in order. */
export function guardRules(
  bridge: string,
  exceptions: readonly Exception[],
): { iptables: string[][]; ip6tables: string[][] } {
  const { input, forward } = chainsOf(bridge);
  const fresh = (chain: string, hook: string): string[][] => [
    ["-N", chain],
    ["-F", chain],
    ["-D", hook, "-i", bridge, "-j", chain],
    ["-I", hook, "-i", bridge, "-j", chain],
  ];
  const established = ["-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED", "-j", "ACCEPT"];
  return {
    iptables: [
      ...fresh(input, "INPUT"),
      ["-A", input, ...established],
      ...exceptions.map(({ address, port, protocol }) => [
        "-A",
        input,
        "-p",
        protocol,
        "-d",
        address,
        "--dport",
        String(port),
        "-j",
        "ACCEPT",
      ]),
      ["-A", input, "-j", "REJECT"],
      ...fresh(forward, "FORWARD"),
      // A port that Docker or another program publishes on the host is forwarded to a container of its own.
      ["-A", forward, "-m", "conntrack", "--ctstate", "DNAT", "-j", "REJECT"],
      ["-A", forward, "-d", linkLocal, "-j", "REJECT"],
      ["-A", forward, "-d", metadata, "-j", "REJECT"],
    ],
    // Containers have no IPv6 address except the link-local one.
    ip6tables: [...fresh(input, "INPUT"), ["-A", input, ...established], ["-A", input, "-j", "REJECT"]],
  };
}

/** Installs the rules. On failure, returns a description of what is not guarded. */
export async function guardBridge(bridge: string, env: Environment = process.env): Promise<string | undefined> {
  const rules = guardRules(bridge, exceptionsOf(env));
  const problem = await run("iptables", rules.iptables);
  return problem ?? (await run("ip6tables", rules.ip6tables));
}

/** Removes the rules of a bridge. */
export async function releaseBridge(bridge: string): Promise<void> {
  const { input, forward } = chainsOf(bridge);
  const away = (chain: string, hook: string): string[][] => [
    ["-D", hook, "-i", bridge, "-j", chain],
    ["-F", chain],
    ["-X", chain],
  ];
  await run("iptables", [...away(input, "INPUT"), ...away(forward, "FORWARD")], true);
  await run("ip6tables", away(input, "INPUT"), true);
}

async function run(program: string, rules: readonly string[][], mayFail = false): Promise<string | undefined> {
  const { file: command, passedOver } = findSafeExecutable(program, { PATH: `${process.env["PATH"] ?? ""}${sbin}` });
  if (command === undefined)
    return passedOver.length === 0
      ? `there is no ${program}`
      : `${program} is not run as root: ${passedOver.join("; ")}`;
  for (const rule of rules) {
    try {
      await promisify(execFile)(command, ["-w", "5", ...rule]);
    } catch (error) {
      // The chain exists already, or the rule to delete does not.
      if (mayFail || rule[0] === "-N" || rule[0] === "-D") continue;
      return `${program} ${rule.join(" ")}: ${((error as { stderr?: string }).stderr ?? String(error)).trim()}`;
    }
  }
  return undefined;
}

/**
 * Returns the name servers and proxies that containers are told to use and that are on the host, though not on its
 * loopback.
 */
export function exceptionsOf(
  env: Environment,
  own: ReadonlySet<string> = ownAddresses(),
  resolvers: string = resolvConf(),
): Exception[] {
  const servers = nameServersIn(resolvers).filter((address) => own.has(address));
  const exceptions = [...new Set(servers)].flatMap((address): Exception[] => [
    { address, port: 53, protocol: "udp" },
    { address, port: 53, protocol: "tcp" },
  ]);
  for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY"]) {
    const proxy = proxyOf(proxySetting(env, name));
    if (proxy !== undefined && own.has(proxy.hostname))
      exceptions.push({ address: proxy.hostname, port: proxyPort(proxy), protocol: "tcp" });
  }
  return exceptions;
}

function ownAddresses(): Set<string> {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .map(({ address }) => address);
  return new Set(addresses.filter((address) => isIP(address) === 4 && !address.startsWith("127.")));
}

/** Returns the addresses of the name servers that the text of a `resolv.conf` lists. */
export function nameServersIn(resolvConf: string): string[] {
  return [...resolvConf.matchAll(/^[ \t]*nameserver\s+(\S+)/gm)].map((match) => match[1]!);
}

function resolvConf(): string {
  return ["/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"].map(textIfThere).join("\n");
}
