import type { Runner } from "./selection.ts";
import { UserError } from "./user-error.ts";

/** What is asked of a test runner beyond running everything. */
export interface RunnerRequest {
  /** `1/3`: the first of three parts. */
  shard?: string;
  /** Folder in the container for JUnit XML (and coverage); the file is `junit.xml`. */
  reports?: string;
  coverage?: boolean;
  /** Only these test files or packages, as the runner takes them; undefined: all. */
  words?: readonly string[];
}

/** Of these the runner makes JUnit XML itself; of go's and cargo's output we make it. */
const junits: readonly (Runner | undefined)[] = ["vitest", "jest", "node", "pytest"];
/** These take a shard themselves; of the others' files and packages we take the part. */
const shardsItself: readonly (Runner | undefined)[] = ["vitest", "jest", "node"];

/**
 * The environment by which a request reaches the runner, whatever script the command goes through: Node's and pytest's
 * own variables, and `$TEST_ARGS`, which the command names (`npx vitest run $TEST_ARGS`).
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
        // Node takes this one from the command line only.
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

/** The `i`-th of `n` parts of a sorted list, dealt out in turn so that the parts are alike in size. */
export function shardOf(files: readonly string[], shard: string | undefined): string[] {
  if (shard === undefined) return [...files];
  const { index, count } = parseShard(shard);
  return files.toSorted().filter((_, position) => position % count === index - 1);
}

export function parseShard(shard: string): { index: number; count: number } {
  const match = /^(\d+)\/(\d+)$/.exec(shard);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || index < 1 || index > count) throw new UserError(`--shard takes i/n, such as 1/3, not ${shard}`);
  return { index, count };
}
