import { UserError } from "../../errors/index.ts";

const milliseconds = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const bytes = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/** Longest time limit of a function or a run, in milliseconds: Node's timers take little more (2^31 - 1 ms). */
export const longestTimeLimitMs = 24 * 86_400_000;

/** Converts `1.5s` to 1500 (milliseconds). Throws a `RangeError` for anything that the schema would reject. */
export function durationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  if (match === null) throw new RangeError(`not a duration: ${text}`);
  return Number(match[1]) * milliseconds[match[2] as keyof typeof milliseconds];
}

/** Converts a duration that the user typed to milliseconds. Throws a `UserError` with the place. */
export function durationAt(text: string, place: string): number {
  try {
    return durationMs(text);
  } catch {
    throw new UserError("usage", `not a duration: ${text}`, { place, hint: "a number and ms, s, m, h or d, e.g. 90s" });
  }
}

/** Converts `1.2GB` to 1200000000 (bytes). Throws a `RangeError` for anything that the schema would reject. */
export function sizeBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s?(B|kB|MB|GB|KiB|MiB|GiB)$/.exec(text);
  if (match === null) throw new RangeError(`not a size: ${text}`);
  return Math.round(Number(match[1]) * bytes[match[2] as keyof typeof bytes]);
}
