/** Turns the machine's decisions into notices. */
import type { PlannedTarget, ProjectSnapshot, ResolvedTarget } from "../plan/index.ts";
import type { LoopNotice } from "./events.ts";
import { unstableText } from "./holds.ts";
import type { Effect, LoopState } from "./machine/state.ts";
import { filesOf, isWanted, reasonsOf } from "./planned-function.ts";
import type { Planned } from "./planning.ts";
import type { RunRecord } from "./records/records.ts";
import type { Runs } from "./runs.ts";

/** The watch has begun; `tookMs` counts from its start. */
export function readyNotice(
  targets: readonly ResolvedTarget[],
  snapshot: ProjectSnapshot,
  source: string,
  tookMs: number,
): LoopNotice {
  return {
    kind: "ready",
    targets: targets.map(({ target }) => target.name),
    files: snapshot.size,
    folders: snapshot.folders().length,
    tookMs: Math.round(tookMs),
    source,
  };
}

/** `look` says why the files were scanned; `tookMs` counts from the start of the scan. */
export function plannedNotice({ targets, forced }: Planned, look: string, tookMs: number): LoopNotice {
  const affected = targets.filter((plan) => isWanted(plan, forced));
  return {
    kind: "planned",
    affected: affected.map((plan) => ({
      name: plan.item.target.name,
      digest: plan.digest,
      reasons: reasonsOf(plan, forced),
    })),
    current: targets.filter((plan) => !affected.includes(plan)).map((plan) => plan.item.target.name),
    look,
    tookMs: Math.round(tookMs),
  };
}

export function settledNotice({ functions }: LoopState): LoopNotice {
  const named = (verdict: string): string[] => functions.filter((fn) => fn.verdict === verdict).map(({ name }) => name);
  const parked = functions.filter((fn) => fn.phase === "parked").map(({ name }) => name);
  return { kind: "settled", current: named("current"), failed: named("failed"), blocked: named("blocked"), parked };
}

/** A function that is up to date again without a run; `record` is the earlier run that passed on the same files. */
export function restoredNotice(name: string, { digest, durationMs, reasons, startedAt }: RunRecord): LoopNotice {
  return {
    kind: "restored",
    name,
    digest,
    durationMs,
    endedAtMs: Date.parse(startedAt) + durationMs,
    reasons,
  };
}

/** Notice about a function whose own inputs keep making it stale: its text, and the key that `noticeOnce` compares. */
export function unstableNotice(
  plan: PlannedTarget,
  { functions }: LoopState,
  { moved }: Pick<Runs, "moved">,
): [text: string, what: string] {
  const { name } = plan.item.target;
  const files = moved.get(name) ?? filesOf(plan);
  const fn = functions.find((one) => one.name === name)!;
  return [unstableText(plan, fn, files), `restless ${name} ${files[0]}`];
}

export function effectNotice(effect: Extract<Effect, { kind: "cancel" | "blocked" | "short" }>): LoopNotice {
  const { name } = effect;
  if (effect.kind === "cancel") return { kind: "cancelling", name, digest: effect.digest, why: effect.why };
  if (effect.kind === "blocked") return { kind: "blocked", name, need: effect.need };
  const text = `${name} waits: the limit of ${effect.of} is used up; it runs when another function has ended`;
  return { kind: "notice", text };
}
