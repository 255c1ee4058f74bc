/** Decides which addresses belong to this machine, under whatever name. Code from a clone must not reach them. */
import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { ApiError } from "../values/errors.ts";

/**
 * Loopback, "this host", link-local addresses including the clouds' metadata services, and addresses of no single
 * machine.
 */
const always = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["100.100.100.200", 32],
  ["192.0.0.192", 32],
  ["224.0.0.0", 3],
] as const) {
  always.addSubnet(network, prefix, "ipv4");
}
for (const [network, prefix] of [
  ["::", 128],
  ["::1", 128],
  ["fe80::", 10],
  ["fd00:ec2::254", 128],
  ["ff00::", 8],
] as const)
  always.addSubnet(network, prefix, "ipv6");

/** IPv6 prefixes whose addresses carry an IPv4 address in their last four bytes. */
const carriers = new BlockList();
for (const network of ["::ffff:0:0", "::ffff:0:0:0", "64:ff9b::", "::"]) carriers.addSubnet(network, 96, "ipv6");

/** Bridges of containers and virtual machines; their networks exist only on this machine. */
const localBridge = /^(?:fastloop|docker|br-|virbr|cni|podman|lxc|lxd)/;

/**
 * Reports whether an IP address belongs to this machine, including IPv4 addresses inside IPv6 ones. False for names.
 */
export function isOfThisMachine(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, "").split("%", 1)[0]!;
  const family = isIP(bare) === 6 ? "ipv6" : "ipv4";
  if (isIP(bare) === 0) return false;
  if (always.check(bare, family) || ownAddresses().check(bare, family)) return true;
  if (family === "ipv4") return false;
  const tail = lastFourBytes(bare);
  // 6to4 addresses carry the IPv4 address right after the prefix.
  const sixToFour = /^2002:([0-9a-f]{1,4}):([0-9a-f]{1,4})?/i.exec(bare);
  return (
    (carriers.check(bare, "ipv6") && isOfThisMachine(tail)) ||
    (sixToFour !== null && isOfThisMachine(dotted(sixToFour[1]!, sixToFour[2] ?? "0")))
  );
}

function ownAddresses(): BlockList {
  const own = new BlockList();
  for (const [name, list] of Object.entries(networkInterfaces())) {
    for (const { address, family, cidr } of list ?? []) {
      const kind = family === "IPv6" ? "ipv6" : "ipv4";
      own.addAddress(address.split("%", 1)[0]!, kind);
      const prefix = Number(cidr?.split("/")[1]);
      if (localBridge.test(name) && Number.isInteger(prefix)) own.addSubnet(address.split("%", 1)[0]!, prefix, kind);
    }
  }
  return own;
}

/** Extracts the last four bytes of an address as `new URL` writes it: `::ffff:7f00:1`, or with a dotted end. */
function lastFourBytes(address: string): string {
  const dottedEnd = /(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  if (dottedEnd !== undefined) return dottedEnd;
  const groups = address.split(":");
  return dotted(groups.at(-2) || "0", groups.at(-1) || "0");
}

function dotted(high: string, low: string): string {
  const value = Number.parseInt(high, 16) * 65_536 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** Returns the error for a host that may not be connected to. */
export function refusedHost(host: string): ApiError {
  return new ApiError(
    `${host} is this machine, which dag.http and dag.git do not reach: they see what a container of an engine sees. ` +
      "Give the function a Service (`tcp://localhost:PORT`), a Directory or a File as an argument",
  );
}

/**
 * Returns the addresses of a host. A caller that connects to exactly these, without resolving the name again, cannot be
 * redirected by DNS. With `guarded`, throws an `ApiError` when any of them belongs to this machine.
 */
export async function addressesOf(hostname: string, guarded: boolean): Promise<{ address: string; family: number }[]> {
  const bare = hostname.replace(/^\[|\]$/g, "");
  const found = isIP(bare) === 0 ? await lookup(bare, { all: true }) : [{ address: bare, family: isIP(bare) }];
  if (guarded && found.some(({ address }) => isOfThisMachine(address))) throw refusedHost(hostname);
  return found;
}
