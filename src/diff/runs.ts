/** Compares two sets of runs: operations, inputs, environment, call, module and engine. */
import { diffManifests, type Fingerprint } from "../plan/index.ts";
import type { RunRecord, Span } from "../run/index.ts";
import { countChanges, isDifference, type Change, type DiffNode, type DiffStrategy, type SpanNode } from "./tree.ts";

/** A recorded run with its operations. */
export interface RecordedRun {
  record: RunRecord;
  spans: readonly Span[];
}

/** Runs to compare, one for each function. */
export interface RunSet {
  /** Name on the command line. */
  name: string;
  runs: readonly RecordedRun[];
}

export interface InputChange {
  change: "added" | "changed" | "removed";
  path: string;
}

/** Names only; records do not contain the values of variables and secrets. */
export interface EnvironmentChange {
  name: string;
  change: "set" | "unset" | "another value";
}

export interface FunctionDiff {
  name: string;
  before?: string;
  now?: string;
  inputs: InputChange[];
  /** Inputs that differ, but whose earlier or current content is no longer stored. */
  unknownInputs: string[];
  environment: EnvironmentChange[];
  /** Words of the call, module's sources, and engine, before and now; only set when they differ. */
  call?: [before: string, now: string];
  module?: true;
  engine?: [before: string, now: string];
  needs: string[];
}

export interface RunDiff {
  before: string;
  now: string;
  strategy: string;
  functions: FunctionDiff[];
  /** Both runs as one tree of functions and their operations. */
  tree: DiffNode;
  counts: Partial<Record<Change, number>>;
  isDifferent: boolean;
}

export type ReadManifest = (digest: string) => ReadonlyMap<string, string> | undefined;

/** Compares two sets of runs. `manifest` returns the paths and content keys of an input, if they are still stored. */
export function diffRuns(before: RunSet, now: RunSet, strategy: DiffStrategy, manifest: ReadManifest): RunDiff {
  const tree = strategy.diff(treeOf(before), treeOf(now));
  const names = [...new Set([...now.runs, ...before.runs].map(({ record }) => record.target))];
  const functions = names.map((name) => functionDiff(name, runOf(before, name), runOf(now, name), manifest));
  const counts = countChanges({ ...tree, change: "same" });
  const hasDifference = [...counts.keys()].some((change) => isDifference({ change }));
  return {
    before: before.name,
    now: now.name,
    strategy: strategy.name,
    functions,
    tree,
    counts: Object.fromEntries(counts),
    isDifferent: hasDifference || functions.some(hasOtherInputs),
  };
}

/** The root has no duration of its own, because functions run side by side. */
function treeOf({ runs }: RunSet): SpanNode {
  return { name: "run", durationMs: 0, cached: false, children: runs.map(nodeOf) };
}

function nodeOf({ record, spans }: RecordedRun): SpanNode {
  return {
    name: record.target,
    durationMs: record.durationMs,
    cached: false,
    result: record.error === undefined ? record.outcome : `${record.outcome}: ${record.error.message}`,
    children: spans.map(leafOf),
  };
}

/** All leaves of a tree share it: there may be tens of thousands. */
const noChildren: readonly SpanNode[] = Object.freeze([]);

function leafOf({ name, durationMs, cached, error }: Span): SpanNode {
  const leaf: SpanNode = { name, durationMs, cached, children: noChildren };
  if (error !== undefined) leaf.result = error.replace(/^process "[^]*" did not complete successfully: /, "");
  return leaf;
}

const runOf = ({ runs }: RunSet, name: string): RunRecord | undefined =>
  runs.find(({ record }) => record.target === name)?.record;

function functionDiff(
  name: string,
  before: RunRecord | undefined,
  now: RunRecord | undefined,
  manifest: ReadManifest,
): FunctionDiff {
  const ids = { ...(before === undefined ? {} : { before: before.id }), ...(now === undefined ? {} : { now: now.id }) };
  const nothing = { name, ...ids, inputs: [], unknownInputs: [], environment: [], needs: [] };
  if (before === undefined || now === undefined) return nothing;
  const [was, is] = [before.fingerprint, now.fingerprint];
  const [callWas, callIs] = [was.call.join(" "), is.call.join(" ")];
  return {
    ...nothing,
    ...inputChanges(was, is, manifest),
    environment: environmentChanges(was, is),
    needs: changedKeys(was.needs, is.needs),
    ...(callWas === callIs ? {} : { call: [callWas, callIs] as [string, string] }),
    ...(was.module === is.module ? {} : { module: true as const }),
    ...(was.engine === is.engine ? {} : { engine: [was.engine, is.engine] as [string, string] }),
  };
}

function inputChanges(
  was: Fingerprint,
  is: Fingerprint,
  manifest: ReadManifest,
): Pick<FunctionDiff, "inputs" | "unknownInputs"> {
  const inputs: InputChange[] = [];
  const unknownInputs: string[] = [];
  for (const input of is.inputs) {
    const old = was.inputs.find(({ argument, path }) => argument === input.argument && path === input.path);
    if (old?.digest === input.digest) continue;
    const [then, current] = [old === undefined ? undefined : manifest(old.digest), manifest(input.digest)];
    if (then === undefined || current === undefined) unknownInputs.push(input.path);
    else
      inputs.push(
        ...diffManifests(then, current).map(({ change, path }) => ({ change, path: inInput(input.path, path) })),
      );
  }
  for (const { argument, path } of was.inputs)
    if (!is.inputs.some((input) => input.argument === argument && input.path === path)) unknownInputs.push(path);
  return { inputs, unknownInputs };
}

const inInput = (folder: string, file: string): string => (folder === "." || file === "" ? file : `${folder}/${file}`);

function environmentChanges({ environment: was }: Fingerprint, { environment: is }: Fingerprint): EnvironmentChange[] {
  return changedKeys(was, is).map((name) => {
    const [then, current] = [was[name] ?? "unset", is[name] ?? "unset"];
    if (current === "unset") return { name, change: "unset" };
    return { name, change: then === "unset" ? "set" : "another value" };
  });
}

const changedKeys = (was: Record<string, string>, is: Record<string, string>): string[] =>
  [...new Set([...Object.keys(was), ...Object.keys(is)])].filter((key) => was[key] !== is[key]);

const hasOtherInputs = (each: FunctionDiff): boolean =>
  each.inputs.length + each.unknownInputs.length + each.environment.length + each.needs.length > 0 ||
  each.call !== undefined ||
  each.module !== undefined ||
  each.engine !== undefined;
