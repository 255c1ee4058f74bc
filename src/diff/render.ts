/** Renders a difference as a tree, or as a line for each change. */
import { duration, plural, shortName, type Paint } from "../report/index.ts";
import { printable } from "../text/index.ts";
import type { FunctionDiff, RunDiff } from "./runs.ts";
import type { Change, DiffNode } from "./tree.ts";

const marks: Record<Change, string> = {
  same: " ",
  added: "+",
  removed: "-",
  changed: "~",
  missed: "!",
  slower: "▲",
  faster: "▼",
  hit: "✓",
};

const colours: Partial<Record<Change, Parameters<Paint>[0]>> = {
  added: "green",
  removed: "red",
  changed: "yellow",
  missed: "yellow",
  slower: "red",
  faster: "green",
  hit: "green",
};

/** Renders a tree; with `all`, including what is the same. */
export function renderTree(diff: RunDiff, paint: Paint, all: boolean): string {
  const lines = [`${printable(diff.before)} against ${printable(diff.now)}`];
  for (const child of diff.tree.children) {
    const facts = diff.functions.find(({ name }) => name === child.name);
    if (!all && !hasChange(child) && factLines(facts).length === 0) continue;
    lines.push(nodeLine(child, "", paint));
    lines.push(...factLines(facts).map((line) => `    ${line}`));
    for (const step of child.children) if (all || hasChange(step)) lines.push(...treeLines(step, "  ", paint, all));
  }
  return `${[...lines, summary(diff)].join("\n")}\n`;
}

function treeLines(node: DiffNode, indent: string, paint: Paint, all: boolean): string[] {
  const below = node.children.filter((child) => all || hasChange(child));
  return [nodeLine(node, indent, paint), ...below.flatMap((child) => treeLines(child, `${indent}  `, paint, all))];
}

/** Renders one line for each change, with its path in front, for `grep`. */
export function renderLines(diff: RunDiff, all: boolean): string {
  const lines: string[] = [];
  const visit = (node: DiffNode, way: string): void => {
    const here = way === "" ? printable(node.name) : `${way} > ${shortName(node.name)}`;
    if (all || node.change !== "same") lines.push(`${node.change}\t${here}\t${times(node)}`.trimEnd());
    for (const child of node.children) visit(child, here);
  };
  for (const child of diff.tree.children) visit(child, "");
  for (const facts of diff.functions)
    for (const line of factLines(facts)) lines.push(`inputs\t${printable(facts.name)}\t${line}`);
  return `${[...lines, summary(diff)].join("\n")}\n`;
}

function nodeLine(node: DiffNode, indent: string, paint: Paint): string {
  const { change, name, was } = node;
  const colour = colours[change];
  const text = `${marks[change]} ${indent}${shortName(name)}`;
  const old = was === undefined ? "" : `  (was ${shortName(was)})`;
  return `${colour === undefined ? text : paint(colour, text)}${old}  ${paint("dim", times(node))}`.trimEnd();
}

function times({ before, now, change }: DiffNode): string {
  const time = (side: DiffNode["now"]): string =>
    side === undefined ? "" : side.cached ? "cached" : duration(side.durationMs);
  if (change === "added" || change === "removed") return time(now ?? before);
  const results = before?.result === now?.result ? "" : `  ${before?.result ?? "done"} -> ${now?.result ?? "done"}`;
  const took = time(before) === time(now) ? time(now) : `${time(before)} -> ${time(now)}`;
  return printable(`${took}${results}`);
}

const shownFiles = 10;

function factLines(facts: FunctionDiff | undefined): string[] {
  if (facts === undefined) return [];
  const { inputs, unknownInputs, environment, needs, call, module, engine } = facts;
  const files = inputs.slice(0, shownFiles).map(({ change, path }) => `${change} ${printable(path)}`);
  return [
    ...files,
    ...(inputs.length > shownFiles ? [`and ${plural(inputs.length - shownFiles, "file")} more`] : []),
    ...unknownInputs.map((path) => `${printable(path)} is other; what it held is no longer stored`),
    ...environment.map(({ name, change }) => `$${printable(name)}: ${change}`),
    ...needs.map((name) => `${printable(name)}, which it needs, is other`),
    ...(call === undefined ? [] : [`call ${printable(call[0])} -> ${printable(call[1])}`]),
    ...(module === undefined ? [] : ["the module's sources are other"]),
    ...(engine === undefined ? [] : [`engine ${printable(engine[0])} -> ${printable(engine[1])}`]),
  ];
}

const hasChange = (node: DiffNode): boolean => node.change !== "same" || node.children.some(hasChange);

function summary({ counts, isDifferent }: RunDiff): string {
  const told = (["added", "removed", "changed", "missed", "slower", "faster", "hit"] as const).flatMap((change) =>
    counts[change] === undefined ? [] : `${counts[change]} ${words[change]}`,
  );
  if (told.length > 0) return told.join(", ");
  return isDifferent ? "the same operations, on other inputs" : "no difference";
}

const words: Record<Exclude<Change, "same">, string> = {
  added: "added",
  removed: "removed",
  changed: "changed",
  missed: "newly missed",
  slower: "slower",
  faster: "faster",
  hit: "newly cached",
};
