import { durationMs } from "../config/index.ts";
import { UserError } from "../errors/index.ts";

/** Start (inclusive) and end (exclusive) in milliseconds since 1970. */
export interface Period {
  fromMs: number;
  toMs: number;
}

const dayMs = 24 * 60 * 60_000;

/** Parses a time: `7d` ago, `2026-11-01` or an ISO 8601 time. Throws for anything else. */
export function momentOf(flag: string, text: string, nowMs: number): number {
  if (/^\d+(\.\d+)?(ms|s|m|h|d)$/.test(text)) return nowMs - durationMs(text);
  if (/^\d{4}-\d\d-\d\d/.test(text)) {
    // A date without a time is in the user's time zone.
    const at = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00` : text);
    if (!Number.isNaN(at)) return at;
  }
  throw new UserError("usage", `not a time: ${text}`, {
    place: flag,
    hint: "how long ago, as 7d or 12h, or a date as 2026-11-01",
  });
}

/**
 * Parses `FROM..TO`, each a time; without `TO` until now. A date as `TO` includes that day. Throws for anything else.
 */
export function periodOf(flag: string, text: string, nowMs: number): Period {
  const [from = "", to = "", ...more] = text.split("..");
  if (from === "" || more.length > 0)
    throw new UserError("usage", `not a period: ${text}`, { place: flag, hint: "FROM..TO, as 2026-11-01..2026-11-15" });
  const fromMs = momentOf(flag, from, nowMs);
  const toMs = to === "" ? nowMs : momentOf(flag, to, nowMs) + (/^\d{4}-\d\d-\d\d$/.test(to) ? dayMs : 0);
  if (toMs <= fromMs)
    throw new UserError("usage", `this period ends before it starts: ${text}`, { place: flag, hint: "FROM..TO" });
  return { fromMs, toMs };
}

/** Returns the period of the same length that ends where this one begins. */
export const periodBefore = ({ fromMs, toMs }: Period): Period => ({ fromMs: fromMs - (toMs - fromMs), toMs: fromMs });

/** Returns the date in the user's time zone. */
export function dayOf(ms: number): string {
  const at = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}
