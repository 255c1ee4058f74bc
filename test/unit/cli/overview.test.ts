import { describe, expect, test } from "vitest";
import { commands, groups } from "../../../src/cli/commands.ts";
import { groupHelp } from "../../../src/cli/help.ts";
import { suggestions, type Facts } from "../../../src/cli/overview/next.ts";
import { renderOverview } from "../../../src/cli/overview/render.ts";
import { targetStates, type TargetState } from "../../../src/cli/overview/state.ts";
import type { PlannedTarget, PreviousRun } from "../../../src/plan/index.ts";
import type { RunRecord, RunStore } from "../../../src/run/index.ts";

const plain = (_style: string, text: string): string => text;
const standing = (name: string, state: TargetState["state"], why = ""): TargetState => ({ name, state, why });
const facts = (standings: TargetState[], changes: Partial<Facts> = {}): Facts => ({
  standings,
  expectedMs: 1000,
  functionNames: [],
  commands: Object.keys(commands),
  hasServices: false,
  environments: [],
  hasRun: true,
  ...changes,
});
const offered = (of: Facts): string[] => suggestions(of).map(({ command }) => command);

describe("what matters now", () => {
  test("is what failed, then what is stale, then the watch", () => {
    const now = facts([standing("a", "current"), standing("b", "failed"), standing("c", "stale")]);
    expect(offered(now)).toEqual(["fastloop run b", "fastloop run", "fastloop watch", "fastloop stats"]);
    expect(suggestions(now)[1]?.why).toBe("1 function to run, about 1.0 s");
  });

  test("is the user's word where something is refused", () => {
    expect(offered(facts([standing("a", "refused")]))[0]).toBe("fastloop trust");
  });

  test("offers a watch only where none runs, and never more than four", () => {
    const now = facts([standing("a", "stale")], { busy: "fastloop watch", functionNames: ["shell"] });
    expect(offered(now)).toEqual(["fastloop run", "fastloop call shell terminal", "fastloop stats", "fastloop plan"]);
    expect(offered(facts([standing("a", "current")], { hasRun: false }))).toHaveLength(3);
  });

  test("offers only commands that there are", () => {
    for (const command of offered(facts([], { hasServices: true, environments: ["staging"], commands: [] })))
      expect(command).not.toMatch(/up|deploy/);
  });
});

describe("the state of a function", () => {
  const store = (last: Partial<RunRecord> | undefined): Pick<RunStore, "last" | "past"> => ({
    last: () => last as RunRecord | undefined,
    past: { expected: () => new Map([["a", 5]]) } as unknown as RunStore["past"],
  });
  const plan = (ofState?: Partial<PreviousRun>): PlannedTarget =>
    ({
      item: { target: { name: "a" }, untrusted: [] },
      digest: "d",
      affected: true,
      reasons: [{ kind: "never-run" }],
      ...(ofState === undefined ? {} : { ofState }),
    }) as unknown as PlannedTarget;
  const failed = { digest: "d", outcome: "failed" as const, fresh: true };

  test("is failed where its newest run was of these files, and failed", () => {
    const states = (of: PlannedTarget, last?: Partial<RunRecord>): string[] =>
      targetStates([of], store(last)).map(({ state, why }) => `${state}: ${why}`);
    expect(states(plan(failed), { ...failed, error: { message: "1 of 3", exitCode: 1 } })).toEqual(["failed: 1 of 3"]);
    expect(states(plan(failed), { ...failed, digest: "other" })).toEqual(["stale: never run here"]);
    expect(states(plan(failed), { ...failed, fresh: false })).toEqual(["stale: never run here"]);
    expect(states(plan())).toEqual(["stale: never run here"]);
  });

  test("needs no record where no run was of these files, and no cause until it is shown", () => {
    const read: string[] = [];
    const target = Object.defineProperty(plan(), "reasons", { get: () => (read.push("reasons"), []) });
    const [standing] = targetStates([target], { ...store(undefined), last: () => (read.push("record"), undefined) });
    expect(standing?.expectedMs).toBe(5);
    expect(read).toEqual([]);
    expect(standing?.why).toBe("");
    expect(read).toEqual(["reasons"]);
  });
});

test("the overview fits on a screen, however many functions there are", () => {
  const many = Array.from({ length: 1000 }, (_, at) =>
    standing(`f${at}`, (["current", "stale", "failed"] as const)[at % 3]!, "x".repeat(300)),
  );
  const text = renderOverview(
    { project: "shop", functions: many, engine: "none", next: [{ command: "fastloop run", why: "b" }], tookMs: 1 },
    plain,
  );
  expect(text.split("\n").length).toBeLessThan(24);
  for (const line of text.split("\n")) expect(line.length).toBeLessThan(120);
  expect(text).toContain("334 of 1000 functions");
  expect(text).toContain("and 327 more stale");
});

describe("the help", () => {
  test("has every command in a group, but for hidden ones", () => {
    const without = Object.entries(commands).filter(
      ([, { group, hidden }]) => (group === undefined) !== (hidden === true),
    );
    expect(without.map(([name]) => name)).toEqual([]);
  });

  test("of a group has a line for each of its commands", () => {
    for (const group of Object.keys(groups) as (keyof typeof groups)[]) {
      const names = Object.entries(commands).filter(([, entry]) => entry.group === group);
      for (const [name, { summary }] of names)
        expect(groupHelp(group)).toMatch(new RegExp(`^  ${name} +${summary.slice(0, 10)}`, "m"));
    }
  });
});
