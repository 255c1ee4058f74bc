import { describe, expect, test } from "vitest";
import {
  describeReason,
  hasPassed,
  reasonsFor,
  type Fingerprint,
  type PreviousRun,
  type Reason,
  type TargetHistory,
} from "../../../src/plan/index.ts";

const now: Fingerprint = {
  format: 2,
  function: "test",
  call: ["test", "--source", "."],
  inputs: [
    { argument: "source", path: "lib", digest: "lib-1" },
    { argument: "file", path: "one.txt", digest: "one-1" },
  ],
  module: "own-1 dep@1",
  engine: "engine-1",
  environment: { TOKEN: "hash-1" },
  needs: { lint: "lint-1" },
  secrets: {},
};

const run = (fingerprint: Partial<Fingerprint>, of: Partial<PreviousRun> = {}): PreviousRun => ({
  digest: "then",
  fingerprint: { ...now, ...fingerprint },
  outcome: "passed",
  fresh: true,
  ...of,
});

const history = (runs: PreviousRun[]): TargetHistory => ({
  last: runs[0],
  lastPassed: runs.find(hasPassed),
  lastOf: (digest) => runs.find((past) => past.digest === digest),
});

const edited: Extract<Reason, { kind: "file" }> = { kind: "file", change: "changed", path: "x" };
const noDiff = (): undefined => undefined;
const after = (
  before: Partial<Fingerprint>,
  is: Partial<Fingerprint> = {},
  diff: Parameters<typeof reasonsFor>[3] = noDiff,
): Reason[] => reasonsFor({ ...now, ...is }, "now", history([run(before)]), diff);

test("a run that passed on inputs that did not change during it needs no other run", () => {
  expect(hasPassed(run({}))).toBe(true);
  expect([
    hasPassed(run({}, { outcome: "failed" })),
    hasPassed(run({}, { fresh: false })),
    hasPassed(undefined),
  ]).toEqual([false, false, false]);
});

describe("the reasons why a target runs", () => {
  test("are that it never ran, where nothing is known of it", () => {
    expect(reasonsFor(now, "now", history([]), noDiff)).toEqual([{ kind: "never-run" }]);
  });

  test("are none where nothing differs", () => {
    expect(after({})).toEqual([]);
  });

  test("are nothing but the format, where records of another one say other things", () => {
    expect(after({ format: 1 as 2, engine: "other", call: [] })).toEqual([{ kind: "format" }]);
  });

  test("are the call, the engine, and the module by its own code or by the names of its dependencies", () => {
    expect(after({ call: ["test"] })).toEqual([{ kind: "call", before: "test", after: "test --source ." }]);
    expect(after({ engine: "engine-0" })).toEqual([{ kind: "engine", before: "engine-0", after: "engine-1" }]);
    expect(after({ module: "own-0 dep@1" })).toEqual([{ kind: "module" }]);
    expect(after({ module: "own-1 dep@0" })).toEqual([{ kind: "module", names: ["dep"] }]);
    expect(after({ module: "own-0 dep@1 gone@1" }, { module: "own-1 dep@2 new@1 same@1" })).toEqual([
      { kind: "module" },
      { kind: "module", names: ["dep", "gone", "new", "same"] },
    ]);
    expect(after({ module: "own-1 dep@1 same@1" }, { module: "own-1 same@1 dep@1" })).toEqual([]);
  });

  test("are variables by name, as they were and are: set, unset or not declared", () => {
    const states = (was: string | undefined, is: string | undefined): Reason[] =>
      after(
        { environment: was === undefined ? {} : { TOKEN: was } },
        { environment: is === undefined ? {} : { TOKEN: is } },
      );
    const reason = (state: object): Reason[] => [{ kind: "environment", name: "TOKEN", ...state } as Reason];
    expect(states("hash-1", "hash-1")).toEqual([]);
    expect(states("hash-0", "hash-1")).toEqual(reason({ was: "set", now: "set" }));
    expect(states("unset", "hash-1")).toEqual(reason({ was: "unset", now: "set" }));
    expect(states("hash-1", "unset")).toEqual(reason({ was: "set", now: "unset" }));
    expect(states(undefined, "hash-1")).toEqual(reason({ was: "undeclared", now: "set" }));
    expect(states(undefined, "unset")).toEqual(reason({ was: "undeclared", now: "unset" }));
    expect(states("hash-1", undefined)).toEqual(reason({ was: "set", now: "unset" }));
  });

  test("are targets that it needs, where they differ or are new", () => {
    expect(after({ needs: { lint: "lint-0" } })).toEqual([{ kind: "dependency", target: "lint" }]);
    expect(after({ needs: {} })).toEqual([{ kind: "dependency", target: "lint" }]);
    expect(after({ needs: { lint: "lint-1", gone: "1" } })).toEqual([]);
  });

  test("are the files of an input whose digest differs, asked for by its position and earlier digest", () => {
    const asked: unknown[] = [];
    const reasons = after({ inputs: [now.inputs[0]!, { ...now.inputs[1]!, digest: "one-0" }] }, {}, (index, digest) => {
      asked.push([index, digest]);
      return [edited];
    });
    expect(asked).toEqual([[1, "one-0"]]);
    expect(reasons).toEqual([edited]);
  });

  test("are unknown files where the earlier state is not stored, or no file of it differs", () => {
    const unknown = [{ kind: "files-unknown", argument: "source" }];
    const inputs = [{ ...now.inputs[0]!, digest: "lib-0" }, now.inputs[1]!];
    expect(after({ inputs })).toEqual(unknown);
    expect(after({ inputs }, {}, () => [])).toEqual(unknown);
  });

  test("are unknown files of an input that is new, or lies elsewhere now, without a look at what is stored", () => {
    const refuse = (): never => {
      throw new Error("nothing to compare");
    };
    const unknown = (argument: string): Reason => ({ kind: "files-unknown", argument });
    expect(after({ inputs: [now.inputs[0]!] }, {}, refuse)).toEqual([unknown("file")]);
    expect(after({ inputs: [{ ...now.inputs[0]!, path: "src" }, now.inputs[1]!] }, {}, refuse)).toEqual([
      unknown("source"),
    ]);
    expect(after({ inputs: [] }, {}, refuse)).toEqual([unknown("source"), unknown("file")]);
  });

  test("are inputs that are gone, but for those that only moved in the list", () => {
    const gone = { argument: "workspace", path: "gone.txt", digest: "1" };
    const again = { argument: "workspace", path: "lib", digest: "1" };
    expect(after({ inputs: [...now.inputs, gone, again] })).toEqual([{ kind: "input-gone", path: "gone.txt" }]);
  });

  test("name a file once that is read through two arguments", () => {
    const inputs = now.inputs.map((input) => ({ ...input, digest: `${input.digest} before` }));
    const other = { ...edited, path: "y" };
    const files = [[edited], [edited, other]];
    expect(after({ inputs }, {}, (index) => files[index])).toEqual([edited, other]);
  });

  test("are a failure of this very state, beside what changed since it passed", () => {
    const failed = run({}, { digest: "now", outcome: "failed" });
    const passed = run({ engine: "engine-0" });
    const failure = { kind: "previous-failure", outcome: "failed", digest: "now" };
    expect(reasonsFor(now, "now", history([failed]), noDiff)).toEqual([failure]);
    expect(reasonsFor(now, "now", history([run({ engine: "other" }), failed, passed]), noDiff)).toEqual([
      failure,
      { kind: "engine", before: "other", after: "engine-1" },
    ]);
    expect(reasonsFor(now, "now", history([run({ engine: "x" }, { outcome: "failed" }), failed]), noDiff)).toEqual([
      failure,
    ]);
  });

  test("are an input that changed during the run of this state, else during the last one", () => {
    const moved = { kind: "input-changed-during-run" };
    const ofState = run({}, { digest: "now", fresh: false });
    expect(reasonsFor(now, "now", history([ofState]), noDiff)).toEqual([moved]);
    expect(reasonsFor(now, "now", history([run({}, { fresh: false, outcome: "failed" })]), noDiff)).toEqual([moved]);
    expect(reasonsFor(now, "now", history([run({}), ofState]), noDiff)).toEqual([moved]);
    const passed = run({}, { digest: "now" });
    expect(reasonsFor(now, "now", history([run({}, { fresh: false }), passed]), noDiff)).toEqual([]);
  });

  test("do not say that files are unknown where the run that would know them saw its inputs change", () => {
    const inputs = [{ ...now.inputs[0]!, digest: "lib-0" }, now.inputs[1]!];
    const before = run({ inputs, engine: "engine-0" }, { fresh: false });
    expect(reasonsFor(now, "now", history([before]), noDiff)).toEqual([
      { kind: "input-changed-during-run" },
      { kind: "engine", before: "engine-0", after: "engine-1" },
    ]);
  });

  test("compare with the newest run where none has passed", () => {
    const failed = run({ engine: "engine-0" }, { outcome: "failed" });
    expect(reasonsFor(now, "now", history([failed]), noDiff)).toEqual([
      { kind: "engine", before: "engine-0", after: "engine-1" },
    ]);
  });
});

test.each<[Reason, string]>([
  [{ kind: "never-run" }, "never run here"],
  [{ kind: "file", change: "added", path: "a\u001bb" }, String.raw`a\u001bb added`],
  [{ kind: "files-unknown", argument: "source" }, "the files of source differ (which ones is no longer stored)"],
  [{ kind: "input-gone", path: "x" }, "x was read then, and is not known to be now"],
  [{ kind: "call", before: "test", after: "lint" }, "the call changed from `test`"],
  [{ kind: "environment", name: "A", now: "set", was: "undeclared" }, "A is declared now (set)"],
  [{ kind: "environment", name: "A", now: "unset", was: "set" }, "A changed (unset)"],
  [{ kind: "dependency", target: "lib" }, "lib changed"],
  [{ kind: "module" }, "the module's code changed"],
  [{ kind: "module", names: ["a", "b"] }, "the code of a, b changed, which the module depends on"],
  [{ kind: "configuration" }, "the configuration changed"],
  [{ kind: "previous-failure", outcome: "failed", digest: "" }, "the last run of this state failed"],
  [{ kind: "previous-failure", outcome: "timed out", digest: "" }, "the last run of this state ended timed out"],
  [{ kind: "input-changed-during-run" }, "an input changed during the last run"],
  [{ kind: "format" }, "records of an older fastloop do not count"],
  [{ kind: "forced" }, "asked for"],
  [{ kind: "untrusted", asks: ["reads a", "reads b"] }, "needs your trust: reads a; reads b"],
  [
    { kind: "base-unusable", ref: "main", why: "git is not installed" },
    "cannot compare with main: git is not installed",
  ],
])("a reason is told in one line: %o", (reason, text) => {
  expect(describeReason(reason)).toBe(text);
});
test("another engine is named by its file, not by where it lies on this machine", () => {
  const before = "embedded on /home/jo/bin/buildkitd of 61 bytes and now, fastloop ab12";
  expect(describeReason({ kind: "engine", before, after: "dagger by the SDK, fastloop ab12" })).toBe(
    "the engine was embedded on buildkitd of 61 bytes and now, fastloop ab12",
  );
  expect(describeReason({ kind: "engine", before: "", after: before })).toBe("the engine was another one");
});
