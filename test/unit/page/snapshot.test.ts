import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { snapshotHtml } from "../../../src/page/snapshot.ts";
import type { PageSnapshot } from "../../../src/page/types.ts";
import { node, ShownNodes } from "./ask.ts";

/** What the page reads out of its own file. */
function snapshotIn(html: string): PageSnapshot {
  const [, json] = /<script type="application\/json" id="snapshot">(.*?)<\/script>/s.exec(html)!;
  return JSON.parse(json!) as PageSnapshot;
}

const hostile = [
  "</script><script>alert(1)</script>",
  "</SCRIPT >",
  "<!--<script>",
  "-->",
  "]]>",
  '"><img src=x onerror=alert(1)>',
  "$& $1 $` $'",
  "\u2028\u2029",
  "__proto__",
];

describe("a saved page", () => {
  test("has texts of others in it as they are, and no element ends or begins by them", () => {
    const source = new ShownNodes(...hostile.map((text) => node(text, { failure: text, detail: text })));
    source.top = { ...source.top, project: hostile[0]!, status: hostile[1]! };
    source.model.printLines(hostile[0]!, "out", hostile);
    source.model.notice(hostile[2]!);
    const plain = snapshotHtml(new ShownNodes());
    const html = snapshotHtml(source);
    for (const element of ["<script", "</script", "<!--", "<img"])
      expect(html.toLowerCase().split(element), element).toHaveLength(plain.toLowerCase().split(element).length);
    const { state, lines, details } = snapshotIn(html);
    expect(state.nodes.map(({ id, failure }) => [id, failure])).toEqual(hostile.map((text) => [text, text]));
    expect(state.top.project).toBe(hostile[0]);
    expect(lines.map((line) => line[4])).toEqual(hostile);
    expect(Object.keys(details)).toEqual(hostile);
  });

  test("allows no script and no style but its own, and fetches nothing", () => {
    const html = snapshotHtml(new ShownNodes(node("a")));
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)![1]!;
    const digest = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
    const [, script] = /<script type="module">(.*)<\/script><\/body>/s.exec(html)!;
    const [, style] = /<style>(.*?)<\/style>/s.exec(html)!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src ${digest(script!)};`);
    expect(policy).toContain(`style-src ${digest(style!)};`);
    expect(policy).toContain("connect-src 'none'");
    expect(policy).not.toContain("unsafe");
    const rest = html.replace(script!, "").replace(style!, "");
    expect(rest.length).toBeLessThan(5_000);
    expect(rest).not.toMatch(/ (src|href)="(?!data:)/);
  });

  test("has no buttons: nothing can be asked of what it shows", () => {
    const source = new ShownNodes(node("a", { can: ["run", "cancel"] }), node("b", { can: ["restart"] }));
    expect(snapshotIn(snapshotHtml(source)).state.nodes.map(({ can }) => can)).toEqual([[], []]);
    // Those of the page that is open stay.
    expect(source.model.state.nodes[0]!.can).toEqual(["run", "cancel"]);
  });

  test("has the end of each log, eight million characters of all, and 300 operations of a run", () => {
    const source = new ShownNodes(node("a"), node("b"));
    source.details = () => ({
      runs: [],
      spans: Array.from({ length: 400 }, (_, index) => ({
        name: `step ${index}`,
        startMs: index,
        tone: "good" as const,
      })),
    });
    source.model.printLines("b", "out", ["first of b"]);
    source.model.printLines(
      "a",
      "out",
      Array.from({ length: 3_000 }, (_, index) => `line ${index + 1}`),
    );
    const { lines, details } = snapshotIn(snapshotHtml(source));
    expect(lines).toHaveLength(1_001);
    expect(lines[0]![4]).toBe("first of b");
    expect(lines[1]![4]).toBe("line 2001");
    expect(lines.at(-1)![4]).toBe("line 3000");
    expect(details["a"]!.spans).toHaveLength(300);
    for (let index = 0; index < 5; index++)
      source.model.printLines(
        `long ${index}`,
        "out",
        Array.from({ length: 900 }, () => "x".repeat(3_999)),
      );
    expect(snapshotHtml(source).length).toBeLessThan(10 * 1024 * 1024);
  });
});
