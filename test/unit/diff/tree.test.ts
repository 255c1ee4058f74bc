import { array, assert, constantFrom, property } from "fast-check";
import { describe, expect, test } from "vitest";
import {
  countChanges,
  editDistance,
  isDifference,
  setBased,
  type DiffNode,
  type SpanNode,
} from "../../../src/diff/index.ts";

const node = (name: string, changes: Partial<SpanNode> = {}): SpanNode => ({
  name,
  durationMs: 100,
  cached: false,
  children: [],
  ...changes,
});
const root = (...names: (string | SpanNode)[]): SpanNode =>
  node("run", { children: names.map((each) => (typeof each === "string" ? node(each) : each)) });
const told = ({ children }: DiffNode): string[] => children.map(({ change, name, was }) => `${change} ${name}${was === undefined ? "" : ` was ${was}`}`); // prettier-ignore

describe.each([setBased, editDistance])("by $name", (strategy) => {
  test("the same trees are the same", () => {
    const tree = root("a", node("b", { children: [node("c"), node("c")] }));
    expect([...countChanges(strategy.diff(tree, tree))]).toEqual([["same", 5]]);
  });

  test("what is new is added, what is gone removed", () => {
    expect(told(strategy.diff(root("a", "b"), root("a", "x y z"))).toSorted()).toEqual([
      "added x y z",
      "removed b",
      "same a",
    ]);
  });

  test("what happened to an operation is told", () => {
    const before = root(
      node("missed", { cached: true, durationMs: 0 }),
      node("hit"),
      node("slower", { durationMs: 1000 }),
      node("faster", { durationMs: 2000 }),
      node("noise", { durationMs: 1000 }),
      node("short", { durationMs: 10 }),
      node("broken"),
    );
    const now = root(
      node("missed", { durationMs: 900 }),
      node("hit", { cached: true }),
      node("slower", { durationMs: 2000 }),
      node("faster", { durationMs: 1000 }),
      node("noise", { durationMs: 1290 }),
      node("short", { durationMs: 250 }),
      node("broken", { result: "exit 1" }),
    );
    expect(told(strategy.diff(before, now))).toEqual([
      "missed missed",
      "hit hit",
      "slower slower",
      "faster faster",
      "same noise",
      "same short",
      "changed broken",
    ]);
  });

  test("children of what is new are new, too", () => {
    const diff = strategy.diff(root(), root(node("a", { children: [node("b")] })));
    expect(diff.children[0]).toMatchObject({ change: "added", children: [{ change: "added", name: "b" }] });
  });

  test("no node is lost and none is told twice, whatever the lists", () => {
    const names = array(constantFrom("a", "b", "c", "exec npm ci", "exec npm test"), { maxLength: 30 });
    assert(
      property(names, names, (before, now) => {
        const { children } = strategy.diff(root(...before), root(...now));
        const was = children.filter((each) => each.change !== "added").map((each) => each.was ?? each.name);
        const is = children.filter((each) => each.change !== "removed").map((each) => each.name);
        expect(was.toSorted()).toEqual(before.toSorted());
        expect(is.toSorted()).toEqual(now.toSorted());
      }),
      { numRuns: 500 },
    );
  });
});

test("by set, an operation that moved is the same; by edits it is gone and new", () => {
  const [before, now] = [root("a", "b", "c"), root("c", "a", "b")];
  expect(told(setBased.diff(before, now))).toEqual(["same c", "same a", "same b"]);
  expect(told(editDistance.diff(before, now))).toEqual(["added c", "same a", "same b", "removed c"]);
});

test("by edits, a command that was changed a little is one that changed", () => {
  const diff = editDistance.diff(root("a", "exec npm ci --silent", "z"), root("a", "exec npm ci --audit", "z"));
  expect(told(diff)).toEqual(["same a", "changed exec npm ci --audit was exec npm ci --silent", "same z"]);
});

test("the fewest edits are found", () => {
  const letters = array(constantFrom("a", "b", "c"), { maxLength: 10 });
  // The longest common subsequence, by the book.
  const common = (a: readonly string[], b: readonly string[]): number =>
    a.length === 0 || b.length === 0
      ? 0
      : a[0] === b[0]
        ? 1 + common(a.slice(1), b.slice(1))
        : Math.max(common(a.slice(1), b), common(a, b.slice(1)));
  assert(
    property(letters, letters, (before, now) => {
      const { children } = editDistance.diff(root(...before), root(...now));
      expect(children.filter(({ change }) => change === "same")).toHaveLength(common(before, now));
    }),
    { numRuns: 200 },
  );
});

test("trees of ten thousand operations that have nothing in common end in a difference", () => {
  const many = (prefix: string): SpanNode => root(...Array.from({ length: 10_000 }, (_, at) => `${prefix}${at}`));
  for (const strategy of [setBased, editDistance])
    expect(Object.fromEntries(countChanges(strategy.diff(many("a"), many("b"))))).toMatchObject({
      added: 10_000,
      removed: 10_000,
    });
});

test("what became better is no difference to look at", () => {
  expect((["same", "faster", "hit", "added", "removed", "changed", "missed", "slower"] as const).filter((change) => isDifference({ change }))) // prettier-ignore
    .toEqual(["added", "removed", "changed", "missed", "slower"]);
});
