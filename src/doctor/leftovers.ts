/** Checks what dead processes left behind: locks and drafts. */
import { ProjectLock } from "../run/index.ts";
import { UserError } from "../errors/index.ts";
import type { ProjectState } from "../state/index.ts";
import { ok, unknown, wrong, type CheckResult } from "./finding.ts";

/** Checks that the project's `.fastloop` can be used. */
export function checkState(state: ProjectState): CheckResult {
  try {
    state.requireUsable();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return wrong("problem", "project-state", {
      found: `${error.place}: ${error.message}`,
      expected: "a folder of this user, made by fastloop",
      impact: "nothing is remembered: everything runs every time",
      fix: error.hint ?? `remove ${state.path}`,
    });
  }
  return ok("project-state", state.exists() ? state.path : "none yet");
}

/** Checks for the lock of a dead process, which the repair removes. */
export function checkLock(state: ProjectState): CheckResult {
  if (!state.exists() || !state.has(".", "lock")) return ok("lock", "nobody works on this project");
  const holder = ProjectLock.holderOf(state);
  if (holder !== undefined) return unknown("lock", `${holder} works on this project`);
  return wrong("warning", "lock", {
    found: "the lock of a process that is gone",
    expected: "none",
    impact: "none: the next run takes it over",
    fix: "`fastloop doctor --fix` takes it away",
    repair: () => {
      // Taking the lock removes what a dead process left; a process that took it meanwhile keeps it.
      ProjectLock.take(state, "fastloop doctor").release();
      return "took the lock of a dead process away";
    },
  });
}
