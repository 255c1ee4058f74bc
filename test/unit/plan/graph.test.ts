import { expect, test } from "vitest";
import { renderGraph, type GraphFormat, type PlannedTarget } from "../../../src/plan/index.ts";

const planned = (name: string, needs: string[], state: "affected" | "current"): PlannedTarget =>
  ({ item: { target: { name, needs } }, affected: state === "affected" }) as unknown as PlannedTarget;
const plan = [
  planned("lib", [], "affected"),
  planned("api", ["lib"], "affected"),
  planned("e2e", ["lib", "api"], "current"),
  planned("docs", [], "current"),
];
const draw = (format: GraphFormat): string => renderGraph(plan, format);

test("as text every function hangs below what it needs, affected ones marked", () => {
  expect(draw("text")).toBe(`lib *
├─ api *
│  └─ e2e
└─ e2e
docs
* would run
`);
});

test("as text what is below a target is shown once, however many ways lead to it", () => {
  const layers = Array.from({ length: 30 }, (_, layer) =>
    ["a", "b"].map((name) =>
      planned(`${name}${layer}`, layer === 0 ? [] : [`a${layer - 1}`, `b${layer - 1}`], "current"),
    ),
  ).flat();
  const lines = renderGraph(layers, "text").trimEnd().split("\n");
  expect(lines).toHaveLength(2 + 4 * 29);
  expect(lines.filter((line) => line.endsWith("a1 (see above)"))).toHaveLength(1);
  expect(lines.filter((line) => line.endsWith(" a29"))).toHaveLength(2);
});

test("as Mermaid and as DOT each need is an arrow", () => {
  expect(draw("mermaid")).toContain('  f0["lib"]:::affected\n');
  expect(draw("mermaid").match(/-->/g)).toHaveLength(3);
  expect(draw("dot")).toMatch(/^digraph fastloop \{[^]*"lib" -> "api";[^]*"api" -> "e2e";[^]*\}\n$/);
});
