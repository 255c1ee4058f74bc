import { statSync } from "node:fs";
import path from "node:path";
import { PathTest } from "../tree/index.ts";
import { stateFolder, type TargetInput } from "./target-input.ts";

/**
 * The files that `inputs` of fastloop.yaml names. The entries are read in order and the last one that matches a path
 * decides; `!` takes out. What git ignores, what is installed and what editors leave stays out, so that `lib/` does not
 * mean what is built in it, unless git tracks it, or an entry names it: its part before the first wildcard lies in there.
 */
export function namedInputs(patterns: readonly string[], root: string, ignored: readonly string[]): TargetInput[] {
  const input = (include: readonly string[], exclude: readonly string[], leaveOut?: "ignored"): TargetInput => ({
    argument: "inputs",
    kind: "directory",
    path: root,
    filter: { include, exclude: [...exclude, stateFolder, ...ignored], ...(leaveOut === undefined ? {} : { leaveOut }) },
  });
  // No entry, no file.
  if (patterns.length === 0) return [];
  const isNamed = namesWhatIsLeftOut(root);
  const named = patterns.filter((pattern) => pattern.startsWith("!") || isNamed(pattern));
  const whole = input(patterns, ["**/.git"], "ignored");
  return named.every((pattern) => pattern.startsWith("!")) ? [whole] : [whole, input(named, [])];
}

/** Whether an entry's literal part lies where all is left out: then it means just that. */
function namesWhatIsLeftOut(root: string): (pattern: string) => boolean {
  let rules: PathTest | undefined;
  return (pattern) => {
    const head = literalHead(pattern);
    if (head === "") return false;
    rules ??= new PathTest(root, { exclude: ["**/.git"], leaveOut: "ignored" });
    const stats = statSync(path.join(root, head), { throwIfNoEntry: false });
    const isFolder = stats?.isDirectory() ?? (head !== cleaned(pattern) || pattern.endsWith("/"));
    return isFolder ? !rules.mayHold(head) : !rules.selects(head);
  };
}

/** The part of a pattern before its first segment with a wildcard, without slashes at its ends; "" where there is none. */
export function literalHead(pattern: string): string {
  const segments = cleaned(pattern).split("/");
  const wild = segments.findIndex((segment) => /[*?[\]\\]/.test(segment));
  return segments.slice(0, wild < 0 ? segments.length : wild).join("/");
}

/** As patterns are read: without `!`, relative to the root, without a slash at the end. */
export function cleaned(pattern: string): string {
  const clean = path.posix.normalize(pattern.trim().replace(/^!/, "")).replace(/^\/+/, "").replace(/\/+$/, "");
  return clean === "." ? "" : clean;
}
