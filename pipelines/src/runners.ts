import type { Runner } from "./selection.ts";
import { UserError } from "./user-error.ts";

/** Options for a test runner. By default it runs all tests. */
export interface RunnerRequest {
  /** `i/n`, such as `1/3`: the first of three parts. */
  shard?: string;
  /** Folder in the container for `junit.xml` and coverage. */
  reports?: string;
  coverage?: boolean;
  /** Test files or packages, as arguments of the runner; undefined: all. */
  words?: readonly string[];
}

/** Runners that write JUnit XML. For go and cargo, it is converted from their output. */
const junits: readonly (Runner | undefined)[] = ["vitest", "jest", "node", "pytest"];
/** Runners with an option for shards. For the others, `shardOf` picks the files or packages. */
const shardsItself: readonly (Runner | undefined)[] = ["vitest", "jest", "node"];

/**
 * Returns environment variables that pass the request to the runner through any script that starts it: `NODE_OPTIONS`,
 * `PYTEST_ADDOPTS`, and `TEST_ARGS`, which the command has to use (`npx vitest run $TEST_ARGS`).
 */
export function runnerEnvironment(runner: Runner | undefined, request: RunnerRequest): Record<string, string> {
  const { shard, reports, coverage, words = [] } = request;
  const junit = reports !== undefined && junits.includes(runner) ? `${reports}/junit.xml` : undefined;
  const cover = coverage === true ? reports : undefined;
  const part = shardsItself.includes(runner) && shard;
  switch (runner) {
    case "node":
      return {
        NODE_OPTIONS: join(
          "--test-reporter=spec --test-reporter-destination=stdout",
          junit && `--test-reporter=junit --test-reporter-destination=${junit}`,
          part && `--test-shard=${part}`,
        ),
        // Node does not accept this option in NODE_OPTIONS.
        ...named(
          "TEST_ARGS",
          join(
            cover &&
              `--experimental-test-coverage --test-reporter=lcov --test-reporter-destination=${cover}/coverage.lcov`,
            ...words,
          ),
        ),
      };
    case "pytest":
      return {
        ...named(
          "PYTEST_ADDOPTS",
          join(junit && `--junitxml=${junit}`, cover && `--cov --cov-report=xml:${cover}/coverage.xml`, ...words),
        ),
        ...named("TEST_ARGS", join(...words)),
      };
    case "vitest":
      return named(
        "TEST_ARGS",
        join(
          part && `--shard=${part}`,
          junit && `--reporter=default --reporter=junit --outputFile.junit=${junit}`,
          cover && `--coverage --coverage.reportsDirectory=${cover}/coverage`,
          ...words,
        ),
      );
    case "jest":
      return {
        ...(junit === undefined ? {} : { JEST_JUNIT_OUTPUT_FILE: junit }),
        ...named(
          "TEST_ARGS",
          join(
            part && `--shard=${part}`,
            junit && "--reporters=default --reporters=jest-junit",
            cover && `--coverage --coverageDirectory=${cover}/coverage`,
            ...words,
          ),
        ),
      };
    case "go":
      return named("TEST_ARGS", join(reports && "-v", cover && `-coverprofile=${cover}/coverage.out`, ...words));
    default:
      return named("TEST_ARGS", join(...words));
  }
}

const join = (...parts: (string | false | undefined)[]): string => parts.filter((part) => part).join(" ");
const named = (name: string, value: string): Record<string, string> => (value === "" ? {} : { [name]: value });

/** Returns part `i` of `n` of the sorted list, every n-th item, so that parts differ in size by at most one. */
export function shardOf(files: readonly string[], shard: string | undefined): string[] {
  if (shard === undefined) return [...files];
  const { index, count } = parseShard(shard);
  return files.toSorted().filter((_, position) => position % count === index - 1);
}

/** Parses `i/n`, where `i` starts at 1. Throws a `UserError` if it is invalid. */
export function parseShard(shard: string): { index: number; count: number } {
  const match = /^(\d+)\/(\d+)$/.exec(shard);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || index < 1 || index > count) throw new UserError(`--shard takes i/n, such as 1/3, not ${shard}`);
  return { index, count };
}
