import { durationMs } from "../config/index.ts";
import { UserError } from "../errors/index.ts";

/** From a moment, inclusive, to another, exclusive; milliseconds since 1970. */
export interface Period {
  fromMs: number;
  toMs: number;
}

const dayMs = 24 * 60 * 60_000;

/** `7d`, `2026-11-01` or a whole ISO 8601 time: a moment. A duration is that long before now. */
export function momentOf(flag: string, text: string, nowMs: number): number {
  if (/^\d+(\.\d+)?(ms|s|m|h|d)$/.test(text)) return nowMs - durationMs(text);
  if (/^\d{4}-\d\d-\d\d/.test(text)) {
    // A date alone is that of the user's own day.
    const at = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00` : text);
    if (!Number.isNaN(at)) return at;
  }
  throw new UserError("usage", `not a time: ${text}`, {
    place: flag,
    hint: "how long ago, as 7d or 12h, or a date as 2026-11-01",
  });
}

/** `FROM..TO`, each a moment; without `TO`, until now. A date as `TO` includes that day. */
export function periodOf(flag: string, text: string, nowMs: number): Period {
  const [from = "", to = "", ...more] = text.split("..");
  if (from === "" || more.length > 0)
    throw new UserError("usage", `not a period: ${text}`, { place: flag, hint: "FROM..TO, as 2026-11-01..2026-11-15" });
  const fromMs = momentOf(flag, from, nowMs);
  const toMs = to === "" ? nowMs : momentOf(flag, to, nowMs) + (/^\d{4}-\d\d-\d\d$/.test(to) ? dayMs : 0);
  if (toMs <= fromMs)
    throw new UserError("usage", `this period ends before it begins: ${text}`, { place: flag, hint: "FROM..TO" });
  return { fromMs, toMs };
}

/** The period of the same length that ends where this one begins. */
export const periodBefore = ({ fromMs, toMs }: Period): Period => ({ fromMs: fromMs - (toMs - fromMs), toMs: fromMs });

/** The user's own date. */
export function dayOf(ms: number): string {
  const at = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}
