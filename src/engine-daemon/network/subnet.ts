/** Chooses addresses for the bridge that do not collide with anything on the host. */
import { networkInterfaces } from "node:os";
import { textIfThere } from "../../paths/index.ts";

/** A /22 has room for 1022 addresses. */
const prefixLength = 22;
const addresses = 2 ** (32 - prefixLength);
const count = 2 ** (prefixLength - 12);

/**
 * Returns a subnet of 10.208.0.0/12 that nothing on the host uses, or undefined when there is none. The search starts
 * at `seed`.
 */
export function freeSubnet(seed: number): string | undefined {
  const used = usedRanges();
  for (let offset = 0; offset < count; offset++) {
    const index = (seed + offset) % count;
    const first = ((10 << 24) | (208 << 16)) + index * addresses;
    if (used.every(({ from, to }) => first + addresses - 1 < from || first > to))
      return `${dotted(first)}/${prefixLength}`;
  }
  return undefined;
}

/** Returns the ranges that interfaces and routes cover, except the default route. */
function usedRanges(): { from: number; to: number }[] {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const local = own
    .filter(({ family }) => family === "IPv4")
    .map(({ address, netmask }) => rangeOf(numeric(address), numeric(netmask)));
  const routes = textIfThere("/proc/net/route")
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t"));
  const routed = routes
    .filter((fields) => fields.length > 7 && fields[7] !== "00000000")
    .map((fields) => rangeOf(reversed(fields[1]!), reversed(fields[7]!)));
  return [...local, ...routed];
}

function rangeOf(address: number, mask: number): { from: number; to: number } {
  const from = (address & mask) >>> 0;
  return { from, to: (from | ~mask) >>> 0 };
}

function numeric(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** Parses a route's address, which the kernel prints with the lowest byte first. */
function reversed(hex: string): number {
  return Buffer.from(hex, "hex").readUInt32LE(0);
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

/**
 * Returns the smallest MTU of the default routes' interfaces, because a packet that fits the bridge must fit the way
 * out too. At most 1500.
 */
export function hostMtuBytes(): number {
  const names = textIfThere("/proc/net/route")
    .split("\n")
    .slice(1)
    .filter((line) => line.split("\t")[1] === "00000000")
    .map((line) => line.split("\t")[0]!);
  const sizes = names.map((name) => Number(textIfThere(`/sys/class/net/${name}/mtu`))).filter((size) => size >= 576);
  return Math.min(1500, ...sizes);
}
