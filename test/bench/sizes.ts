import type { WorkspaceShape } from "./workspace.ts";

/** A workspace's size and how long its tools are given. */
export interface Size extends WorkspaceShape {
  name: string;
  rounds: number;
  editsPerRound: number;
  /** For a start or a first pass. */
  timeoutMs: number;
  /** An edit that no run has seen by then is lost. */
  lostAfterMs: number;
}

export const sizes: readonly Size[] = [
  { name: "10k", packages: 100, files: 10_000, rounds: 2, editsPerRound: 8, timeoutMs: 60_000, lostAfterMs: 10_000 },
  {
    name: "100k",
    packages: 1_000,
    files: 100_000,
    rounds: 1,
    editsPerRound: 8,
    timeoutMs: 300_000,
    lostAfterMs: 20_000,
  },
];

/** What the words after the benchmark's name choose: sizes, tools, or both (`npm run bench -- watch 10k turbo`). */
export function chosen<T extends { name: string }>(
  words: readonly string[],
  tools: readonly T[],
): { sizes: readonly Size[]; tools: readonly T[] } {
  const names = [...sizes, ...tools].map(({ name }) => name);
  const unknown = words.filter((word) => !names.includes(word));
  if (unknown.length > 0)
    throw new Error(`neither size nor tool: ${unknown.join(", ")}; there are: ${names.join(", ")}`);
  const named = <N extends { name: string }>(all: readonly N[]): readonly N[] => {
    const some = all.filter(({ name }) => words.includes(name));
    return some.length > 0 ? some : all;
  };
  return { sizes: named(sizes), tools: named(tools) };
}
