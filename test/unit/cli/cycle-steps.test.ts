import { expect, test } from "vitest";
import { cycleSteps, cycles, type Cycle, type CycleFacts } from "../../../src/cli/cycle-steps.ts";

const facts: CycleFacts = { functions: ["build-base", "build-dev", "test"], images: ["base", "dev"], hasServices: false, yes: false, shared: [] }; // prettier-ignore
const steps = (kind: Cycle, changes: Partial<CycleFacts> = {}): string[] => cycleSteps(kind, { ...facts, ...changes }).map((words) => words.join(" ")); // prettier-ignore

test("a cycle is clearing, building, testing, starting; only what it is named for is cleared", () => {
  expect(steps("fast")).toEqual(["call build-dev sync", "run"]);
  expect(steps("clean")).toEqual(["cache clear --level medium", "call build-dev sync", "run"]);
  expect(steps("nuclear", { yes: true })).toEqual(["cache clear --level nuke --yes", "call build-base sync", "call build-dev sync", "run"]); // prettier-ignore
});

test("what the project does not have is left out", () => {
  expect(steps("fast", { functions: ["test"] })).toEqual(["run"]);
  expect(steps("fast", { images: [] })).toEqual(["run"]);
  expect(steps("nuclear", { images: [] })).toEqual(["cache clear --level nuke", "run"]);
  expect(steps("nuclear", { images: ["base"] })).toEqual(["cache clear --level nuke", "call build-base sync", "run"]);
});

test("options of the cycle are those of its steps", () => {
  const shared = ["--config", "other.yaml", "-m", "ci"];
  expect(steps("clean", { shared })).toEqual([
    "cache clear --level medium --config other.yaml -m ci",
    "call --config other.yaml -m ci build-dev sync",
    "run --config other.yaml -m ci",
  ]);
});

test("no cycle clears more than it says", () => {
  expect(Object.fromEntries(Object.entries(cycles).map(([name, { clears }]) => [name, clears]))).toEqual({ fast: undefined, clean: "medium", nuclear: "nuke" }); // prettier-ignore
});
