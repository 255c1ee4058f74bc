import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import {
  BaselineStore,
  diffPackages,
  diffRuns,
  packagesOf,
  renderLines,
  renderTree,
  runsNamed,
  setBased,
  type RunDiff,
} from "../../../src/diff/index.ts";
import { RunStore, type RunRecord, type Span } from "../../../src/run/index.ts";
import { ProjectState } from "../../../src/state/index.ts";
import { makeTree } from "../tree/fixture.ts";

const start = Date.parse("2026-01-01T00:00:00Z");
const plain = (_style: string, text: string): string => text;

class Project {
  readonly state = new ProjectState(makeTree());
  readonly store = new RunStore(this.state);
  readonly baselines = new BaselineStore(this.state);
  private minute = 0;

  run(target: string, changes: Partial<RunRecord> = {}, spans: Span[] = []): RunRecord {
    const startedAt = new Date(start + this.minute++ * 60_000);
    const record: RunRecord = {
      version: 1,
      id: this.store.newId(target, startedAt),
      target,
      digest: "d",
      fingerprint: { format: 2, function: "test", call: ["test"], inputs: [], module: "m", engine: "e", environment: {}, needs: {}, secrets: {} }, // prettier-ignore
      reasons: [],
      outcome: "passed",
      fresh: true,
      engine: { kind: "embedded", version: "e" },
      startedAt: startedAt.toISOString(),
      durationMs: 100,
      ...changes,
    };
    this.store.add(record, {}, spans);
    return record;
  }

  diff(before: string, now: string): RunDiff {
    const named = (text: string) => runsNamed(text, this);
    return diffRuns(named(before), named(now), setBased, (digest) => this.store.manifests.read(digest));
  }
}

const span = (name: string, cached = false): Span => ({ name, startMs: 0, durationMs: cached ? 0 : 50, cached });
const fingerprint = (changes: Partial<RunRecord["fingerprint"]>): Partial<RunRecord> => ({
  fingerprint: { format: 2, function: "test", call: ["test"], inputs: [], module: "m", engine: "e", environment: {}, needs: {}, secrets: {}, ...changes }, // prettier-ignore
});

describe("runs are named", () => {
  test("by the newest of each function and the one before, less what was cancelled", () => {
    const project = new Project();
    const [first, second] = [project.run("a"), project.run("a")];
    project.run("a", { outcome: "cancelled" });
    const only = project.run("b");
    const ids = (name: string): string[] => runsNamed(name, project).runs.map(({ record }) => record.id);
    expect(ids("last")).toEqual([second.id, only.id]);
    expect(ids("previous")).toEqual([first.id]);
    expect(ids("a")).toEqual([second.id]);
    expect(ids("a~1")).toEqual([first.id]);
    expect(ids(first.id)).toEqual([first.id]);
    expect(ids(first.id.slice(0, -3))).toEqual([first.id]);
  });

  test("by a baseline, which stays when its records go", () => {
    const project = new Project();
    const passed = project.run("a", {}, [span("exec a")]);
    project.run("a", { outcome: "failed" });
    project.baselines.save("main", ["a"], project.store);
    expect(runsNamed("main", project).runs).toMatchObject([{ record: { id: passed.id }, spans: [{ name: "exec a" }] }]);
    expect(runsNamed("baseline:main", project).runs).toHaveLength(1);
    expect(project.baselines.names()).toEqual(["main"]);
  });

  test("wrongly with a hint", () => {
    const project = new Project();
    project.run("build");
    project.run("build");
    const failure = (name: string): string => {
      try {
        runsNamed(name, project);
        return "";
      } catch (error) {
        return `${String(error)} ${(error as { hint?: string }).hint}`;
      }
    };
    expect(failure("biuld")).toMatch(/no run, function or baseline.*did you mean build/);
    expect(failure("build~7")).toMatch(/only 2 of its runs/);
    expect(failure("2026")).toMatch(/2 runs have ids that begin so/);
    expect(failure("../../etc/passwd")).toMatch(/no run, function or baseline/);
    expect(() => project.baselines.save("../x", ["build"], project.store)).toThrow(/not a name/);
  });
});

describe("two runs", () => {
  test("of which a step failed are told by its exit code, not by how BuildKit started it", () => {
    const project = new Project();
    const error = 'process "/.fastloop/bin/shim -- sh -c \\"npm test\\"" did not complete successfully: exit code: 1';
    project.run("a", {}, [span("npm test")]);
    project.run("a", { outcome: "failed" }, [{ ...span("npm test"), error }]);
    const [step] = project.diff("previous", "last").tree.children[0]!.children;
    expect(step).toMatchObject({ change: "changed", now: { result: "exit code: 1" } });
  });

  test("that did the same on the same are no difference", () => {
    const project = new Project();
    project.run("a", {}, [span("x")]);
    project.run("a", {}, [span("x")]);
    const diff = project.diff("previous", "last");
    expect(diff.isDifferent).toBe(false);
    expect(renderTree(diff, plain, false)).toBe("previous against last\nno difference\n");
  });

  test("differ by operations and results", () => {
    const project = new Project();
    project.run("a", {}, [span("x", true), span("gone")]);
    project.run("a", { outcome: "failed", error: { message: "exit code 1", exitCode: 1 } }, [span("x"), span("new")]);
    const diff = project.diff("previous", "last");
    expect(diff).toMatchObject({ isDifferent: true, counts: { changed: 1, missed: 1, added: 1, removed: 1 } });
    const text = renderTree(diff, plain, false);
    expect(text).toMatch(/^~ a {2}100 ms {2}passed -> failed: exit code 1$/m);
    expect(text).toMatch(/^! {3}x {2}cached -> 50 ms$/m);
    expect(text).toMatch(/^\+ {3}new {2}50 ms$/m);
    expect(text).toMatch(/^- {3}gone {2}50 ms$/m);
    expect(renderLines(diff, false)).toContain("missed\ta > x\tcached -> 50 ms\n");
  });

  test("differ by files, variables, call, module, engine and needs", () => {
    const project = new Project();
    const [one, two] = ["1", "2"].map((digit) => digit.repeat(64)) as [string, string];
    project.store.manifests.write(one, () => new Map([["a.ts", "k1"], ["b.ts", "k"]])); // prettier-ignore
    project.store.manifests.write(two, () => new Map([["a.ts", "k2"], ["c.ts", "k"]])); // prettier-ignore
    const input = (digest: string) => [{ argument: "source", path: "src", digest }, { argument: "other", path: "lib", digest: digest.replaceAll(/./g, (c) => String(Number(c) + 2)) }]; // prettier-ignore
    project.run("a", fingerprint({ inputs: input(one), environment: { TOKEN: "hash1", GONE: "hash", SAME: "s" }, needs: { lib: "1" } })); // prettier-ignore
    project.run("a", fingerprint({ inputs: input(two), environment: { TOKEN: "hash2", NEW: "hash", SAME: "s" }, needs: { lib: "2" }, call: ["test", "--tier", "full"], module: "n", engine: "f" })); // prettier-ignore
    const diff = project.diff("previous", "last");
    expect(diff.isDifferent).toBe(true);
    expect(diff.functions[0]).toMatchObject({
      inputs: [
        { change: "changed", path: "src/a.ts" },
        { change: "removed", path: "src/b.ts" },
        { change: "added", path: "src/c.ts" },
      ],
      unknownInputs: ["lib"],
      environment: [
        { name: "TOKEN", change: "another value" },
        { name: "GONE", change: "unset" },
        { name: "NEW", change: "set" },
      ],
      call: ["test", "test --tier full"],
      module: true,
      engine: ["e", "f"],
      needs: ["lib"],
    });
    expect(JSON.stringify(diff)).not.toContain("hash1");
  });

  test("of names that a terminal would obey are shown without", () => {
    const project = new Project();
    project.run("a", {}, [span("\u001b[2Jx")]);
    project.run("a", {}, []);
    const diff = project.diff("previous", "last");
    expect(renderTree(diff, plain, true) + renderLines(diff, true)).not.toContain("\u001b");
  });
});

describe("bills of materials", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-sbom-"));
  const write = (name: string, value: unknown): string => {
    const file = path.join(folder, name);
    writeFileSync(file, typeof value === "string" ? value : JSON.stringify(value));
    return file;
  };

  test("of both kinds are compared by package and version", () => {
    const spdx = write("a.json", {
      packages: [
        { name: "bash", versionInfo: "5.1", externalRefs: [{ referenceLocator: "pkg:deb/debian/bash@5.1" }] },
        { name: "gone", versionInfo: "1" },
      ],
    });
    const cyclone = write("b.json", {
      components: [
        { name: "bash", version: "5.2", purl: "pkg:deb/debian/bash@5.2" },
        { name: "new", version: "2" },
        { name: "new", version: "1" },
      ],
    });
    expect(diffPackages(packagesOf(spdx), packagesOf(cyclone))).toEqual({
      added: [{ name: "new", version: "1, 2" }],
      removed: [{ name: "gone", version: "1" }],
      changed: [{ name: "deb/bash", before: "5.1", now: "5.2" }],
    });
  });

  test.each(["{", "null", "[]", `{"packages": 3}`])("that are none are refused: %s", (text) => {
    expect(() => packagesOf(write("bad.json", text))).toThrow(/not a bill of materials/);
  });

  test("with entries that make no sense are read without them", () => {
    expect(
      packagesOf(write("odd.json", { packages: [null, 3, { name: 1 }, { name: "a", versionInfo: "1" }] })),
    ).toEqual(new Map([["a", ["1"]]]));
  });
});
