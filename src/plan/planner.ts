import path from "node:path";
import { digestOf, fingerprintOf, type Fingerprint, type FingerprintContext } from "./fingerprint.ts";
import { diffManifests, type FileChange, type ManifestStore } from "./scan/manifests.ts";
import type { ProjectSnapshot } from "./scan/project-snapshot.ts";
import { hasPassed, reasonsFor, type PreviousRun, type Reason, type TargetHistory } from "./reasons.ts";
import { describeAsk } from "../trust/index.ts";
import type { ResolvedTarget } from "./resolve.ts";

/** A target with the digest and state of its current inputs. */
export interface PlannedTarget {
  item: ResolvedTarget;
  digest: string;
  fingerprint: Fingerprint;
  /** False if a run with exactly this digest has passed. */
  affected: boolean;
  /** The newest run with exactly this digest, if it is affected and has one. */
  ofState?: PreviousRun;
  /** Every cause; empty if up to date. */
  readonly reasons: Reason[];
}

export interface PlanContext extends FingerprintContext {
  history(target: string): TargetHistory;
  manifests: ManifestStore;
  /** The previous snapshot: changes since then are known without reading a stored manifest. */
  previous?: ProjectSnapshot;
  /**
   * Determines reasons when they are first read, for those who show a few of many and run nothing. They then read the
   * files and records of that time.
   */
  reasonsWhenRead?: true;
}

/**
 * Returns digests and states of all targets, in the given order, in which needs come first. Pure, except for reading
 * inputs.
 */
export function planTargets(ordered: readonly ResolvedTarget[], context: PlanContext): PlannedTarget[] {
  const { isAsFound } = context.snapshot;
  const planned = planOnce(ordered, context);
  // A reason needed a scan, so all digests have to come from that scan.
  return isAsFound && !context.snapshot.isAsFound ? planOnce(ordered, context) : planned;
}

function planOnce(ordered: readonly ResolvedTarget[], context: PlanContext): PlannedTarget[] {
  const digests = new Map<string, string>();
  return ordered.map((item) => {
    const needs = Object.fromEntries(item.target.needs.map((name) => [name, digests.get(name) ?? ""]));
    const fingerprint = fingerprintOf(item, context, needs);
    // A refused target has a digest of its own, so that it gets another one, and runs, once the user consents.
    const digest =
      item.untrusted.length === 0
        ? digestOf(fingerprint)
        : digestOf({ ...fingerprint, call: ["untrusted", ...fingerprint.call] });
    digests.set(item.target.name, digest);
    const history = context.history(item.target.name);
    if (item.untrusted.length > 0)
      return {
        item,
        digest,
        fingerprint,
        affected: true,
        reasons: [{ kind: "untrusted", asks: item.untrusted.map(describeAsk) }],
      };
    const ofState = history.lastOf(digest);
    if (hasPassed(ofState)) return { item, digest, fingerprint, affected: false, reasons: [] };
    const find = (): Reason[] =>
      reasonsFor(fingerprint, digest, history, (index, before) => changedFiles(item, context, index, before));
    let reasons = context.reasonsWhenRead === true ? undefined : find();
    return {
      item,
      digest,
      fingerprint,
      affected: true,
      ...(ofState === undefined ? {} : { ofState }),
      get reasons() {
        return (reasons ??= find());
      },
    };
  });
}

function changedFiles(
  item: ResolvedTarget,
  context: PlanContext,
  index: number,
  before: string,
): FileChange[] | undefined {
  const input = item.inputs[index]!;
  const base = path.relative(context.root, input.path) || ".";
  if (input.presence === true)
    return [{ kind: "file", change: before === "missing" ? "added" : "removed", path: base }];
  // A file is reported by the name it was given, which may be a link to it.
  const inProject = (changes: FileChange[]): FileChange[] =>
    changes.map((change) => ({ ...change, path: input.kind === "file" ? base : path.join(base, change.path) }));
  const since =
    context.previous?.knownDigest(input) === before
      ? context.snapshot.changesSince(context.previous, input)
      : undefined;
  if (since !== undefined) return inProject(since);
  const old = before === "missing" ? new Map<string, string>() : context.manifests.read(before);
  if (old === undefined) return undefined;
  return inProject(diffManifests(old, context.snapshot.manifest(input)));
}
