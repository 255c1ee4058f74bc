import type { ResolvedSuite } from "../vendor/config.mjs";

/** What is asked of a test runner beyond running everything. */
export interface RunnerRequest {
  /** `1/3`: the first of three parts. */
  shard?: string;
  /** Folder in the container for JUnit XML (and coverage); the file is `junit.xml`. */
  reports?: string;
  coverage?: boolean;
  /** Only these test files, relative to where the command runs; undefined: all. */
  files?: readonly string[];
}

type Runner = NonNullable<ResolvedSuite["runner"]>;

/** Runners that take a shard themselves; of pytest's files we take the part. */
const shards: readonly Runner[] = ["vitest", "jest", "node", "pytest"];
const junits: readonly Runner[] = ["vitest", "jest", "node", "pytest"];

/**
 * The environment by which a request reaches the runner, whatever script the command goes through: Node's and pytest's
 * own variables, and `$TEST_ARGS` for the others, which the command of such a suite names (`npx vitest run $TEST_ARGS`).
 */
export function runnerEnvironment(runner: Runner | undefined, request: RunnerRequest): Record<string, string> {
  const { shard, reports, coverage, files } = request;
  if (shard !== undefined && (runner === undefined || !shards.includes(runner))) {
    throw new Error(`a suite of runner ${runner ?? "(none)"} can't be sharded; known: ${shards.join(", ")}`);
  }
  const junit = reports !== undefined && runner !== undefined && junits.includes(runner) ? `${reports}/junit.xml` : undefined;
  switch (runner) {
    case "node":
      return { NODE_OPTIONS: words("--test-reporter=spec --test-reporter-destination=stdout", junit && `--test-reporter=junit --test-reporter-destination=${junit}`, shard && `--test-shard=${shard}`) };
    case "pytest":
      return environment("PYTEST_ADDOPTS", words(junit && `--junitxml=${junit}`, coverage && reports && `--cov --cov-report=xml:${reports}/coverage.xml`, ...shardOf(files ?? [], shard)));
    case "vitest":
      return environment("TEST_ARGS", words(shard && `--shard=${shard}`, junit && `--reporter=default --reporter=junit --outputFile.junit=${junit}`, coverage && reports && `--coverage --coverage.reportsDirectory=${reports}/coverage`, ...(files ?? [])));
    case "jest":
      return {
        ...(junit === undefined ? {} : { JEST_JUNIT_OUTPUT_FILE: junit }),
        ...environment("TEST_ARGS", words(shard && `--shard=${shard}`, junit && "--reporters=default --reporters=jest-junit", coverage && reports && `--coverage --coverageDirectory=${reports}/coverage`, ...(files ?? []))),
      };
    default:
      return environment("TEST_ARGS", words(...(files ?? [])));
  }
}

const words = (...parts: (string | false | undefined)[]): string => parts.filter((part) => part).join(" ");
const environment = (name: string, value: string): Record<string, string> => (value === "" ? {} : { [name]: value });

/** The `i`-th of `n` parts of a sorted list, dealt out in turn so that the parts are alike in size. */
export function shardOf(files: readonly string[], shard: string | undefined): string[] {
  if (shard === undefined) return [...files];
  const { index, count } = parseShard(shard);
  return files.toSorted().filter((_, position) => position % count === index - 1);
}

export function parseShard(shard: string): { index: number; count: number } {
  const match = /^(\d+)\/(\d+)$/.exec(shard);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || index < 1 || index > count) throw new Error(`--shard takes i/n, such as 1/3, not ${shard}`);
  return { index, count };
}
