/** Result of one check of the machine, the engines or the project. */
export interface CheckResult {
  /** Stable id for programs: `memory`, `inotify-watches`. */
  id: string;
  status: "ok" | "warning" | "problem" | "unknown";
  found: string;
  /** For a warning or problem: what was expected, what it leads to, and what to do. */
  expected?: string;
  impact?: string;
  fix?: string;
  /** Repair without risk, which `doctor --fix` runs. Returns what it did, in words. */
  repair?: () => Promise<string> | string;
}

export const ok = (id: string, found: string): CheckResult => ({ id, status: "ok", found });
export const unknown = (id: string, found: string): CheckResult => ({ id, status: "unknown", found });

/** Creates a warning, which costs time or comfort, or a problem, which keeps something from working. */
export function wrong(
  status: "warning" | "problem",
  id: string,
  details: Required<Pick<CheckResult, "found" | "expected" | "impact" | "fix">> & Pick<CheckResult, "repair">,
): CheckResult {
  return { id, status, ...details };
}
