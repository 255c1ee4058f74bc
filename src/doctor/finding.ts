/** What one look at the machine, the engines or the project says. */
export interface CheckResult {
  /** Stable, for programs: `memory`, `inotify-watches`. */
  id: string;
  status: "ok" | "warning" | "problem" | "unknown";
  found: string;
  /** Beside what is not ok: what it should be, what comes of it, what to do. */
  expected?: string;
  impact?: string;
  fix?: string;
  /** A repair that harms nothing; `doctor --fix` does it. What it did, in words. */
  repair?: () => Promise<string> | string;
}

export const ok = (id: string, found: string): CheckResult => ({ id, status: "ok", found });
export const unknown = (id: string, found: string): CheckResult => ({ id, status: "unknown", found });

/** A warning costs time or comfort; a problem keeps something from working. */
export function wrong(
  status: "warning" | "problem",
  id: string,
  told: Required<Pick<CheckResult, "found" | "expected" | "impact" | "fix">> & Pick<CheckResult, "repair">,
): CheckResult {
  return { id, status, ...told };
}
