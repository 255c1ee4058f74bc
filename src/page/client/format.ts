/** Formats a duration as the command line does. */
export function duration(ms: number): string {
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`;
  if (Math.round(ms / 100) < 600) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

export const clock = (ms: number): string => new Date(ms).toTimeString().slice(0, 8);

const dayMs = 24 * 60 * 60_000;

/** Returns the time of day, with the date unless it is today. */
export function moment(ms: number, nowMs = Date.now()): string {
  const isToday = Math.abs(nowMs - ms) < dayMs && new Date(ms).getDate() === new Date(nowMs).getDate();
  return isToday ? clock(ms) : `${new Date(ms).toISOString().slice(0, 10)} ${clock(ms)}`;
}

export const percent = (part: number | undefined): string => (part === undefined ? "–" : `${Math.round(part * 100)} %`);

export const marks = { good: "✓", bad: "✗", busy: "▶", waiting: "○", idle: "–" } as const;
