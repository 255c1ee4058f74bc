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
  { name: "10k", packages: 100, files: 10_000, rounds: 3, editsPerRound: 7, timeoutMs: 60_000, lostAfterMs: 10_000 },
  { name: "100k", packages: 1_000, files: 100_000, rounds: 2, editsPerRound: 5, timeoutMs: 300_000, lostAfterMs: 20_000 },
];

/** The sizes named on the command line (`npm run bench -- watch 10k`), all without a name. */
export function chosenSizes(words: readonly string[]): readonly Size[] {
  const unknown = words.filter((word) => !sizes.some((size) => size.name === word));
  if (unknown.length > 0) throw new Error(`no size ${unknown.join(", ")}; there are: ${sizes.map((s) => s.name).join(", ")}`);
  return words.length === 0 ? sizes : sizes.filter((size) => words.includes(size.name));
}
