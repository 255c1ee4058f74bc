/** What the benchmarks read of the lines of `fastloop watch --json`; see src/run/events.ts. */
export type WatchLine =
  | { event: "ready"; tookMs: number }
  | { event: "started"; name: string }
  | { event: "finished"; name: string; outcome: string; value?: string; durationMs: number; fresh: boolean }
  | { event: "settled" }
  | { event: "broken" };

/** Undefined for a line that is not JSON, e.g. one of stderr. */
export function noticeOf(text: string): WatchLine | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    return JSON.parse(text) as WatchLine;
  } catch {
    return undefined;
  }
}
