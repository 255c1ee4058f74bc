import type { Container, Directory } from "@dagger.io/dagger";
import type { ResolvedSuite, ResolvedTier } from "../vendor/config.mjs";
import { javascriptGraph, javascriptListing, pythonGraph, pythonListing, testsReaching } from "./import-graph.ts";
import {
  cargoGraph,
  cargoListing,
  cargoWords,
  goGraph,
  goListing,
  goWords,
  packagesReaching,
} from "./package-graph.ts";
import type { TestPackage } from "./package-graph.ts";
import { shardOf } from "./runners.ts";
import { selectTests, testFile } from "./selection.ts";
import { UserError } from "./user-error.ts";

/** Arguments for a tier's runner (test files or packages); undefined: all tests. `remark` is a remark for the report. */
export type Asked = { words: string[] | undefined; remark?: string };

export interface TraceRequest {
  changed?: readonly string[];
  shard?: string;
  /** Patterns of the files that the suite's image is built from. */
  imageFiles?: readonly string[];
}

/**
 * Selects tests of a tier: those in its `files` that the change can affect and that belong to the shard. Finds imports
 * by a command in the suite's container. Selects all in case of doubt. Throws a `UserError` if no file matches `files`.
 */
export async function askedTests(
  suite: ResolvedSuite,
  tier: ResolvedTier,
  prepared: Container,
  request: TraceRequest,
): Promise<Asked> {
  const { changed, shard, imageFiles } = request;
  if (suite.runner === "go" || suite.runner === "cargo") return askedPackages(suite, prepared, request);
  const own = tier.files === undefined ? undefined : await matching(prepared.directory(suite.cwd), tier.files);
  if (own?.length === 0)
    throw new UserError(`fastloop.yaml: no file in ${suite.cwd} matches ${tier.files?.join(", ")}`);
  const selection = changed === undefined ? undefined : selectTests(suite, changed, imageFiles);
  if (selection?.kind === "none") return { words: [], remark: "not affected" };
  if (selection?.kind !== "trace")
    return { words: await sharded(suite, prepared, own, shard), remark: selection && `all, ${selection.because}` };
  if (suite.runner !== "pytest" && !namesArguments(tier))
    return { words: own, remark: "all, its command does not use $TEST_ARGS" };
  const { tests, reaching } = await traced(suite, prepared, selection.changed, own);
  if (reaching === undefined)
    return { words: await sharded(suite, prepared, own, shard), remark: "all, a changed file is not there any more" };
  return {
    words: suite.runner === "pytest" ? shardOf(reaching, shard) : reaching,
    remark: reaching.length === 0 ? "not affected" : `${reaching.length} of ${tests} test files`,
  };
}

/** Returns whether a command of the tier uses `$TEST_ARGS`. */
export const namesArguments = (tier: ResolvedTier): boolean =>
  tier.run.some((command) => command.includes("TEST_ARGS"));

/** Returns the number of test files, and those that reach a changed file; undefined if all have to run. */
async function traced(
  suite: ResolvedSuite,
  prepared: Container,
  changed: readonly string[],
  own?: readonly string[],
): Promise<{ tests: number; reaching?: string[] }> {
  const python = suite.runner === "pytest";
  const text = await outputOf(prepared, python ? pythonListing : javascriptListing(await packageName(suite, prepared)));
  const graph = python ? pythonGraph(text) : javascriptGraph(text);
  const tests = own ?? [...graph.files].filter((file) => testFile[suite.runner!].test(file)).toSorted();
  // If no file matches, the runner is configured with other patterns than `testFile`.
  return { tests: tests.length, reaching: tests.length === 0 ? undefined : testsReaching(graph, tests, changed) };
}

async function packageName(suite: ResolvedSuite, prepared: Container): Promise<string | undefined> {
  const folder = prepared.directory(suite.cwd);
  if (!(await folder.entries()).includes("package.json")) return undefined;
  return (JSON.parse(await folder.file("package.json").contents()) as { name?: string }).name;
}

/** Returns the files to run. vitest, jest and node split themselves; pytest gets the files of its shard. */
async function sharded(
  suite: ResolvedSuite,
  prepared: Container,
  own: string[] | undefined,
  shard: string | undefined,
): Promise<string[] | undefined> {
  if (shard === undefined || suite.runner !== "pytest") return own;
  return shardOf(own ?? (await matching(prepared.directory(suite.cwd), ["**/test_*.py", "**/*_test.py"])), shard);
}

/** Selects packages of go or cargo, as `askedTests` does files. */
async function askedPackages(
  suite: ResolvedSuite,
  prepared: Container,
  { changed, shard, imageFiles }: TraceRequest,
): Promise<Asked> {
  const selection = changed === undefined ? undefined : selectTests(suite, changed, imageFiles);
  if (selection?.kind === "none") return { words: [], remark: "not affected" };
  const remark = selection?.kind === "all" ? `all, ${selection.because}` : undefined;
  if (selection?.kind !== "trace" && shard === undefined)
    return { words: suite.runner === "go" ? ["./..."] : undefined, remark };
  const go = suite.runner === "go";
  const graph = go ? goGraph(await outputOf(prepared, goListing)) : cargoGraph(await outputOf(prepared, cargoListing));
  const traced = selection?.kind === "trace" ? packagesReaching(graph, selection.changed) : undefined;
  const chosen = traced ?? graph.packages;
  const part = new Set(
    shardOf(
      chosen.map(({ name }) => name),
      shard,
    ),
  );
  const packages = chosen.filter(({ name }) => part.has(name));
  const words = go
    ? goWords(packages)
    : cargoWords(packages, selection?.kind === "trace" && shard === undefined ? selection.changed : []);
  return { words, remark: remark ?? toldOf(traced, graph.packages) };
}

function toldOf(traced: readonly TestPackage[] | undefined, all: readonly TestPackage[]): string | undefined {
  if (traced === undefined || traced.length === all.length) return undefined;
  return `${traced.length} of ${all.length} packages`;
}

async function matching(folder: Directory, patterns: readonly string[]): Promise<string[]> {
  const found = await Promise.all(patterns.map((pattern) => folder.glob(pattern)));
  return [...new Set(found.flat())].toSorted();
}

const outputOf = (prepared: Container, script: string): Promise<string> =>
  prepared.withExec(["sh", "-ec", script]).stdout();
