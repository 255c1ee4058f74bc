import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { WatchTarget } from "../../../src/config/index.ts";
import { resourcesOf, withDependents } from "../../../src/plan/index.ts";
import { makeTree, seeded } from "../tree/fixture.ts";
import { PretendedProject } from "./fixture.ts";

const shop: Record<string, WatchTarget> = {
  lib: { call: "test --source . --part lib", inputs: ["lib/"] },
  api: { call: "test --source . --part api", inputs: ["lib/", "api/"], needs: ["lib"] },
  worker: { call: "test --source . --part worker", inputs: ["worker/"] },
};

function shopProject(targets = shop): { project: PretendedProject; at: (name: string) => string } {
  const root = makeTree({ "lib/a.ts": "1", "lib/b.ts": "1", "api/a.ts": "1", "worker/a.py": "1", "README.md": "1" });
  const project = new PretendedProject(root, targets);
  return { project, at: (name) => path.join(root, name) };
}

describe("a plan", () => {
  test("of a generator as a check takes no word of a target with the same call, which passes with either answer", () => {
    const project = new PretendedProject(makeTree({}), { make: { call: "make is-empty" } });
    project.run();
    expect(project.affected()).toEqual([]);
    [project.targets, project.kinds] = [undefined, "generators"];
    expect(project.affected()).toEqual(["make"]);
    project.run();
    expect(project.affected()).toEqual([]);
  });

  test("holds everything that never ran, and nothing that passed", () => {
    const { project } = shopProject();
    expect(project.plan().map(({ item, reasons }) => [item.target.name, reasons])).toEqual([
      ["lib", [{ kind: "never-run" }]],
      ["api", [{ kind: "never-run" }]],
      ["worker", [{ kind: "never-run" }]],
    ]);
    project.run();
    expect(project.affected()).toEqual([]);
  });

  test("reads the files that explain it only once its reasons are read, where the reader says so", () => {
    const { project, at } = shopProject();
    project.run();
    writeFileSync(at("lib/a.ts"), "2");
    const [lib] = project.plan({ reasonsWhenRead: true });
    const [atOnce] = project.plan();
    rmSync(at(".fastloop/manifests"), { recursive: true });
    expect(lib?.affected).toBe(true);
    expect(lib?.reasons).toEqual([{ kind: "files-unknown", argument: "inputs" }]);
    expect(atOnce?.reasons).toEqual([{ kind: "file", change: "changed", path: "lib/a.ts" }]);
  });

  test("an edit in the library concerns it and what needs it, not the worker", () => {
    const { project, at } = shopProject();
    project.run();
    writeFileSync(at("lib/a.ts"), "2");
    expect(project.affected()).toEqual(["lib", "api"]);
    expect(project.reasonsOf("lib")).toEqual([{ kind: "file", change: "changed", path: "lib/a.ts" }]);
    expect(project.reasonsOf("api")).toEqual([
      { kind: "dependency", target: "lib" },
      { kind: "file", change: "changed", path: "lib/a.ts" },
    ]);
  });

  test("of `./` is about all of the project, less what is taken out again", () => {
    const { project, at } = shopProject({ all: { call: "test --source . --part lib", inputs: ["./", "!api/"] } });
    project.run();
    writeFileSync(at("api/a.ts"), "2");
    expect(project.affected()).toEqual([]);
    writeFileSync(at("README.md"), "2");
    expect(project.affected()).toEqual(["all"]);
  });

  test("names every file that was added, changed, removed or renamed", () => {
    const { project, at } = shopProject();
    project.run();
    mkdirSync(at("lib/sub"));
    writeFileSync(at("lib/sub/new.ts"), "1");
    writeFileSync(at("lib/a.ts"), "2");
    renameSync(at("lib/b.ts"), at("lib/c.ts"));
    expect(project.reasonsOf("lib")).toEqual([
      { kind: "file", change: "changed", path: "lib/a.ts" },
      { kind: "file", change: "removed", path: "lib/b.ts" },
      { kind: "file", change: "added", path: "lib/c.ts" },
      { kind: "file", change: "added", path: "lib/sub/new.ts" },
    ]);
  });

  test("a save with equal content, a touch and a rewrite of equal bytes concern nothing", () => {
    const { project, at } = shopProject();
    project.run();
    writeFileSync(at("lib/a.ts"), "1");
    utimesSync(at("lib/b.ts"), 1, 1);
    writeFileSync(at("tmp"), "1");
    renameSync(at("tmp"), at("api/a.ts"));
    expect(project.affected()).toEqual([]);
  });

  test("a change there and back needs no run", () => {
    const { project, at } = shopProject();
    project.run();
    writeFileSync(at("lib/a.ts"), "2");
    project.run();
    writeFileSync(at("lib/a.ts"), "1");
    expect(project.affected()).toEqual([]);
  });

  test("modes, links and empty folders are content", () => {
    const { project, at } = shopProject();
    symlinkSync("a.ts", at("lib/link"));
    project.run();
    chmodSync(at("lib/a.ts"), 0o755);
    expect(project.affected()).toEqual(["lib", "api"]);
    project.run();
    unlinkSync(at("lib/link"));
    symlinkSync("b.ts", at("lib/link"));
    expect(project.reasonsOf("lib")).toEqual([{ kind: "file", change: "changed", path: "lib/link" }]);
    project.run();
    mkdirSync(at("worker/empty"));
    expect(project.affected()).toEqual(["worker"]);
  });

  test("a failure is affected until it passes, and so is a run whose inputs moved", () => {
    const { project } = shopProject();
    project.run("failed");
    expect(project.reasonsOf("worker")).toEqual([
      expect.objectContaining({ kind: "previous-failure", outcome: "failed" }),
    ]);
    project.run("passed", false);
    expect(project.reasonsOf("worker")).toEqual([{ kind: "input-changed-during-run" }]);
    project.run();
    expect(project.affected()).toEqual([]);
  });

  test("a state that failed is told as that, also where other states were tried since", () => {
    const { project, at } = shopProject();
    const was = readFileSync(at("lib/a.ts"), "utf8");
    project.run();
    project.run("failed");
    writeFileSync(at("lib/a.ts"), "an edit\n");
    project.run("failed");
    writeFileSync(at("lib/a.ts"), was);
    expect(project.reasonsOf("lib")).toEqual([expect.objectContaining({ kind: "previous-failure" })]);
  });

  test("what a run saw whose inputs moved is not told of", () => {
    const { project, at } = shopProject();
    project.run("passed", false);
    writeFileSync(at("lib/a.ts"), "an edit\n");
    expect(project.reasonsOf("lib")).toEqual([{ kind: "input-changed-during-run" }]);
  });

  test("the module, the engine and the call are causes", () => {
    const { project } = shopProject();
    project.run();
    project.module = { ...project.module, digest: "module-2" };
    project.engine = "dagger 2";
    project.targets = { ...shop, worker: { ...shop.worker!, call: "test --source . --part other" } };
    expect(project.reasonsOf("worker")).toEqual([
      { kind: "call", before: "test --source . --part worker", after: "test --source . --part other" },
      { kind: "module" },
      { kind: "engine", before: "embedded 1", after: "dagger 2" },
    ]);
  });

  test("declared variables are causes by name, and neither values nor plain hashes are kept", () => {
    const { project } = shopProject({ lib: { ...shop.lib!, environment: ["MODE", "EMPTY"] } });
    project.environment = { MODE: "production" };
    project.run();
    expect(project.affected()).toEqual([]);
    project.environment = { MODE: "staging", EMPTY: "" };
    expect(project.reasonsOf("lib")).toEqual([
      { kind: "environment", name: "MODE", now: "set", was: "set" },
      { kind: "environment", name: "EMPTY", now: "set", was: "unset" },
    ]);
    expect(JSON.stringify(project.plan())).not.toContain("staging");
  });

  test("without targets the module's checks are kept, on the folder that their signature names, less what it ignores", () => {
    const root = makeTree({ "src/a": "1", "docs/d": "1" });
    const project = new PretendedProject(root);
    project.run();
    writeFileSync(path.join(root, "docs/d"), "2");
    for (const left of ["src/.a.swp", "src/.#a", "src/a~"]) writeFileSync(path.join(root, left), "an editor's");
    expect(project.affected()).toEqual([]);
    writeFileSync(path.join(root, "src/a"), "2");
    expect(project.affected()).toEqual(["lint"]);
  });

  test("a file argument counts with its content, and its absence too", () => {
    const root = makeTree({ "one.txt": "1", "other.txt": "1" });
    const project = new PretendedProject(root, { one: { call: "reads-one" } });
    project.run();
    writeFileSync(path.join(root, "other.txt"), "2");
    expect(project.affected()).toEqual([]);
    rmSync(path.join(root, "one.txt"));
    expect(project.reasonsOf("one")).toEqual([{ kind: "file", change: "removed", path: "one.txt" }]);
    project.run();
    writeFileSync(path.join(root, "one.txt"), "3");
    expect(project.reasonsOf("one")).toEqual([{ kind: "file", change: "added", path: "one.txt" }]);
  });

  test("ignored files count when `inputs` names them, and only then", () => {
    const root = makeTree({
      ".gitignore": "dist/\n*.log\n.env\n",
      "lib/a": "1",
      "lib/x.log": "1",
      "lib/dist/out": "1",
      ".env": "1",
      "dist/out": "1",
    });
    mkdirSync(path.join(root, ".git"));
    const project = new PretendedProject(root, {
      lib: { call: "test --source . --part lib", inputs: ["lib/", ".env", "dist/"] },
    });
    project.run();
    for (const ignored of ["lib/x.log", "lib/dist/out"]) {
      writeFileSync(path.join(root, ignored), "2");
      expect(project.affected()).toEqual([]);
    }
    for (const named of [".env", "dist/out"]) {
      writeFileSync(path.join(root, named), "2");
      expect(project.reasonsOf("lib")).toEqual([{ kind: "file", change: "changed", path: named }]);
      project.run();
    }
  });

  test("our own state is nobody's input", () => {
    const root = makeTree({ "src/a": "1" });
    const project = new PretendedProject(root);
    project.run();
    mkdirSync(path.join(root, ".fastloop/runs"), { recursive: true });
    writeFileSync(path.join(root, ".fastloop/runs/x.json"), "{}");
    expect(project.affected()).toEqual([]);
  });

  test.each([
    ["tset --source .", /no function "tset"/, /did you mean test\?/],
    ["test --sauce .", /no argument --sauce/, /did you mean --source\?/],
    ["test --source", /--source: a value is missing/, /^$/],
    ["", /names no function/, /^$/],
    ["test --source . extra", /extra: nothing can follow "test": it gives a string/, /^$/],
    ["test --source .", /test: --part is missing/, /--help/],
    ["test --source . --part x --json", /"test" has no argument --json/, /it has --source, --part/],
    ["box terminal", /terminal: a watched call has no terminal attached/, /fastloop call/],
    ["box --json", /"box" has no argument --json/, /^$/],
    ["box stdout trailing", /trailing: nothing can follow "stdout"/, /^$/],
    ["test --source '.", /a quote in this call is not closed/, /^$/],
  ])("a call that the module cannot answer is an error with its place: %s", (call, message, hint) => {
    const { project } = shopProject({ lib: { call } });
    expect(() => project.plan()).toThrow(message);
    try {
      project.plan();
    } catch (error) {
      expect((error as { place: string }).place).toBe("fastloop.yaml: watch.targets.lib");
      expect((error as { hint?: string }).hint ?? "").toMatch(hint);
    }
  });

  test("targets that need each other, or what is none, are errors", () => {
    expect(() =>
      shopProject({ a: { call: "lint", needs: ["b"] }, b: { call: "lint", needs: ["a"] } }).project.plan(),
    ).toThrow(/a -> b -> a/);
    expect(() => shopProject({ a: { call: "lint", needs: ["x"] } }).project.plan()).toThrow(
      /"x", which is not a target/,
    );
  });
});

/** Whatever is selected by some changes is selected by more of them. */
test("more changes never select fewer functions", () => {
  const names = ["lib/a.ts", "lib/b.ts", "api/a.ts", "worker/a.py", "README.md"];
  for (let seed = 1; seed <= 15; seed++) {
    const random = seeded(seed);
    const { project, at } = shopProject();
    project.run();
    let selected = new Set<string>();
    const order = [...names].sort(() => random(3) - 1);
    for (const name of order) {
      if (random(4) === 0) unlinkSync(at(name));
      else writeFileSync(at(name), `seed ${seed}`);
      const now = new Set(project.affected());
      for (const before of selected) expect(now, `seed ${seed} after ${name}`).toContain(before);
      selected = now;
    }
    expect(selected).toEqual(new Set(["lib", "api", "worker"]));
  }
});

test("the closure over needs is transitive, and grows with its start", () => {
  const target = (name: string, ...needs: string[]) => ({
    name,
    needs,
    call: [],
    environment: [],
    policy: "restart" as const,
    tier: "full" as const,
    retries: 0,
    uses: resourcesOf({}),
    place: "",
  });
  const targets = [target("a"), target("b", "a"), target("c", "b"), target("d")];
  expect([...withDependents(new Set(["a"]), targets)]).toEqual(["a", "b", "c"]);
  expect([...withDependents(new Set(["d", "c"]), targets)]).toEqual(["d", "c"]);
});
