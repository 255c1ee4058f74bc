import { printable, withoutFolders } from "../text/index.ts";
import type { Fingerprint } from "./fingerprint.ts";

/** Cause of a target being affected, down to the file. */
export type Reason =
  | { kind: "never-run" }
  | { kind: "file"; change: "added" | "changed" | "removed"; path: string }
  /** The inputs differ, but their earlier state is no longer stored. */
  | { kind: "files-unknown"; argument: string }
  /** An input of the last passed run; what the function reads is no longer known, or requested in another way. */
  | { kind: "input-gone"; path: string }
  | { kind: "call"; before: string; after: string }
  | { kind: "environment"; name: string; now: "set" | "unset"; was: "set" | "unset" | "undeclared" }
  | { kind: "dependency"; target: string }
  /** `names` lists the dependencies whose code changed, if any. */
  | { kind: "module"; names?: string[] }
  /** fastloop.yaml itself: its content at the base is unknown, so it affects every target. */
  | { kind: "configuration" }
  | { kind: "engine"; before: string; after: string }
  | { kind: "previous-failure"; outcome: string; digest: string }
  | { kind: "input-changed-during-run" }
  | { kind: "format" }
  | { kind: "forced" }
  /** Refused: each entry describes something that the user has not allowed. */
  | { kind: "untrusted"; asks: string[] }
  | { kind: "base-unusable"; ref: string; why: string };

/** The part of a record that causes are derived from. */
export interface PreviousRun {
  digest: string;
  fingerprint: Fingerprint;
  outcome: string;
  /** False if an input changed during the run, which then proves nothing. */
  fresh: boolean;
}

/** A target's past runs. */
export interface TargetHistory {
  /** The newest run, whatever its outcome; after an edit was undone, the run that counted again. */
  last: PreviousRun | undefined;
  /** The newest passed run whose inputs did not change during it. */
  lastPassed: PreviousRun | undefined;
  /** Returns the newest run with this digest. */
  lastOf(digest: string): PreviousRun | undefined;
}

/** Reports whether a run passed on inputs that did not change during it, so that its state needs no other run. */
export function hasPassed(run: PreviousRun | undefined): boolean {
  return run?.outcome === "passed" && run.fresh;
}

export interface ManifestDiffer {
  /**
   * Returns the changed files between a stored input and the current one at `index`; undefined if the stored one is
   * gone.
   */
  (index: number, before: string): Extract<Reason, { kind: "file" }>[] | undefined;
}

/** Returns every difference between the last passed run and now, and what is known of this exact state. */
export function reasonsFor(now: Fingerprint, digest: string, history: TargetHistory, diff: ManifestDiffer): Reason[] {
  const { last, lastPassed } = history;
  const ofState = history.lastOf(digest);
  const reasons: Reason[] = [];
  if (ofState !== undefined && ofState.fresh && ofState.outcome !== "passed")
    reasons.push({ kind: "previous-failure", outcome: ofState.outcome, digest });
  else if ((ofState ?? last)?.fresh === false) reasons.push({ kind: "input-changed-during-run" });
  // Without a passed run to compare with, the newest run at least shows what has changed since then.
  const before = lastPassed ?? ofState ?? last;
  if (before === undefined) return [{ kind: "never-run" }];
  // A run whose inputs changed did not store them; that they changed is the cause.
  const isTold = ({ kind }: Reason): boolean => before.fresh || kind !== "files-unknown";
  return [...reasons, ...differences(before.fingerprint, now, diff).filter(isTold)];
}

function differences(before: Fingerprint, now: Fingerprint, diff: ManifestDiffer): Reason[] {
  const reasons: Reason[] = [];
  if (before.format !== now.format) return [{ kind: "format" }];
  const call = (of: Fingerprint): string => of.call.join(" ");
  if (call(before) !== call(now)) reasons.push({ kind: "call", before: call(before), after: call(now) });
  reasons.push(...moduleReasons(before.module, now.module));
  if (before.engine !== now.engine) reasons.push({ kind: "engine", before: before.engine, after: now.engine });
  for (const name of new Set([...Object.keys(before.environment), ...Object.keys(now.environment)])) {
    const [was, is] = [before.environment[name], now.environment[name]];
    if (was === is) continue;
    const state = (value: string): "set" | "unset" => (value === "unset" ? "unset" : "set");
    reasons.push({
      kind: "environment",
      name,
      now: is === undefined ? "unset" : state(is),
      was: was === undefined ? "undeclared" : state(was),
    });
  }
  for (const [target, digest] of Object.entries(now.needs)) {
    if (before.needs[target] !== digest) reasons.push({ kind: "dependency", target });
  }
  for (const [index, input] of now.inputs.entries()) {
    const old = before.inputs[index];
    if (old?.digest === input.digest && old.path === input.path) continue;
    const files = old?.path === input.path ? diff(index, old.digest) : undefined;
    if (files === undefined || files.length === 0) reasons.push({ kind: "files-unknown", argument: input.argument });
    else reasons.push(...files);
  }
  for (const { path } of before.inputs.slice(now.inputs.length)) {
    if (!now.inputs.some((input) => input.path === path)) reasons.push({ kind: "input-gone", path });
  }
  // The same file may be read through two arguments, but is one cause.
  const seen = new Set<string>();
  return reasons.filter((reason) => {
    const key = JSON.stringify(reason);
    return seen.has(key) ? false : seen.add(key);
  });
}

/** A module's digest consists of its own and `name@digest` of each dependency. */
function moduleReasons(before: string, now: string): Reason[] {
  const [[ownBefore, ...othersBefore], [ownNow, ...othersNow]] = [before.split(" "), now.split(" ")];
  const changed = [...othersBefore, ...othersNow].filter(
    (each) => !othersBefore.includes(each) || !othersNow.includes(each),
  );
  const names = [...new Set(changed.map((each) => each.slice(0, each.indexOf("@"))))];
  return [
    ...(ownBefore === ownNow ? [] : [{ kind: "module" as const }]),
    ...(names.length === 0 ? [] : [{ kind: "module" as const, names }]),
  ];
}

/** Describes one reason. */
export function describeReason(reason: Reason): string {
  switch (reason.kind) {
    case "never-run":
      return "never run here";
    case "file":
      return `${printable(reason.path)} ${reason.change}`;
    case "files-unknown":
      return `the files of ${reason.argument} differ (which ones is no longer stored)`;
    case "input-gone":
      return `${printable(reason.path)} was read then, and is not known to be now`;
    case "call":
      return `the call changed from \`${printable(reason.before)}\``;
    case "environment":
      return `${printable(reason.name)} ${reason.was === "undeclared" ? "is declared now" : "changed"} (${reason.now})`;
    case "dependency":
      return `${printable(reason.target)} changed`;
    case "module":
      return reason.names === undefined
        ? "the module's code changed"
        : `the code of ${reason.names.map(printable).join(", ")} changed, which the module depends on`;
    case "configuration":
      return "the configuration changed";
    case "engine":
      return `the engine was ${printable(withoutFolders(reason.before)) || "another one"}`;
    case "previous-failure":
      return `the last run of this state ${reason.outcome === "failed" ? "failed" : `ended ${reason.outcome}`}`;
    case "input-changed-during-run":
      return "an input changed during the last run";
    case "format":
      return "records of an older fastloop do not count";
    case "forced":
      return "asked for";
    case "untrusted":
      return `needs your trust: ${reason.asks.join("; ")}`;
    case "base-unusable":
      return `cannot compare with ${printable(reason.ref)}: ${printable(reason.why)}`;
  }
}
