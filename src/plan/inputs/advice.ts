import { existsSync } from "node:fs";
import path from "node:path";
import { listTree, PathTest, PatternMatcher, readOnce, scanTree, type TreeEntry } from "../../tree/index.ts";
import { suggestionFor, nearFolder } from "./suggestion.ts";
import { literalPath, restsBehind } from "./patterns-read.ts";
import { realIfPresent } from "./scanned-input.ts";
import { followLink } from "./follow-link.ts";
import type { ProjectSnapshot } from "../scan/project-snapshot.ts";
import type { ResolvedTarget } from "../resolve.ts";
import type { TargetInput } from "./target-input.ts";

/** Something that is allowed, but probably not what was meant. */
export interface Advice {
  code: "dead-input" | "reads-git" | "own-output";
  target: string;
  /** Entry of `inputs` that it is about; undefined if it is about the call. */
  entry?: string;
  text: string;
}

/**
 * Returns advice about a target's inputs, before the user wonders why it never runs, or keeps running. With a snapshot
 * the disk is hardly read.
 */
export function adviceOf(
  item: ResolvedTarget,
  root: string,
  ignored: readonly string[],
  snapshot?: ProjectSnapshot,
): Advice[] {
  const { name, inputs } = item.target;
  const found = inputs === undefined ? gitFolders(item) : deadEntries(item, inputs, root, ignored, snapshot);
  return [...found, ...ownOutput(item, root)].map(({ code, entry, text }) => ({
    code,
    target: name,
    ...(entry === undefined ? {} : { entry }),
    text: `watch.targets.${name}: ${text}`,
  }));
}

type Found = Omit<Advice, "target">;

function deadEntries(
  item: ResolvedTarget,
  patterns: readonly string[],
  root: string,
  ignored: readonly string[],
  snapshot: ProjectSnapshot | undefined,
): Found[] {
  if (patterns.length === 0)
    return [
      { code: "dead-input", text: "inputs is empty: no file concerns it; leave the key out for what the call reads" },
    ];
  const firstIn = patterns.findIndex((pattern) => !pattern.startsWith("!"));
  if (firstIn < 0)
    return [
      {
        code: "dead-input",
        entry: patterns[0]!,
        text: "every entry of inputs takes out, so that nothing is left; name first what they take from: `./`",
      },
    ];
  const dead = (pattern: string, text: string): Found => ({
    code: "dead-input",
    entry: pattern,
    text: `inputs: ${quoted(pattern)} ${text}`,
  });
  const found = patterns.flatMap((pattern, index): Found[] => {
    if (pattern.startsWith("!")) {
      if (index < firstIn)
        return [dead(pattern, "takes nothing out: entries are read in order; put it after what it takes from")];
      const near = nearFolder(pattern, root);
      return near === undefined ? [] : [dead(pattern, `takes nothing out; did you mean ${quoted(`!${near}`)}?`)];
    }
    if (pattern.includes("[!")) return [dead(pattern, shellClass(pattern))];
    return isDead(pattern, item, root, snapshot)
      ? [dead(pattern, `matches nothing${suggestionFor(pattern, root, ignored)}`)]
      : [];
  });
  if (found.length > 0) return found;
  const last = patterns.findLast((pattern) => pattern.startsWith("!"));
  if (last === undefined || namedBy(item).some((input) => filesOf(input, root, snapshot).length > 0)) return [];
  const before = patterns.filter((pattern) => !pattern.startsWith("!"));
  const isAnyThere = namedBy(item).some(
    (input) => filesOf({ ...input, filter: { ...input.filter, include: before } }, root, undefined).length > 0,
  );
  return isAnyThere ? [dead(last, "takes out the last of what the entries before it name: no file is left")] : [];
}

/**
 * In these patterns `!` in a class is an ordinary character, so the class would match the very files that it should
 * exclude.
 */
function shellClass(pattern: string): string {
  return `has a class with an exclamation mark: what a class is not begins with ^; write ${quoted(pattern.replaceAll("[!", "[^"))}`;
}

function namedBy(item: ResolvedTarget): TargetInput[] {
  return item.inputs.filter((input) => input.argument === "inputs");
}

function filesOf(input: TargetInput, root: string, snapshot: ProjectSnapshot | undefined): TreeEntry[] {
  const { entries } = snapshot?.listing(input) ?? listTree(root, input.filter);
  return entries.filter(({ type }) => type !== "directory");
}

function isDead(pattern: string, item: ResolvedTarget, root: string, snapshot: ProjectSnapshot | undefined): boolean {
  const named = namedBy(item);
  const at = literalPath(pattern);
  if (at !== undefined) {
    // An existing folder without files is not dead, and neither is one whose content is left out.
    return !existsSync(path.join(root, at)) || !named.some((input) => isPossible(testOf(input, pattern, root), at));
  }
  const matcher = new PatternMatcher([pattern]);
  const behind = restsBehind(pattern);
  return !named.some((input) => {
    const filter = { ...input.filter, include: [pattern] };
    const { entries } = snapshot?.listing(input) ?? listTree(root, filter);
    return (
      entries.some((entry) => matcher.matches(entry.path)) ||
      scanTree(root, [{ path: "", filter }]).passedLinks.some(
        (link) =>
          behind(link).length > 0 &&
          existsSync(path.join(root, link)) &&
          followLink(realIfPresent(root), link).target !== undefined,
      )
    );
  });
}

/**
 * Tests whether anything is left of an entry. Where an input's entries all take in, only what it leaves out matters, and
 * that is the same for a thousand inputs of a project.
 */
function testOf({ filter }: TargetInput, pattern: string, root: string): PathTest {
  const { include = [], ...leftOut } = filter;
  if (!include.includes(pattern) || include.some((entry) => entry.startsWith("!"))) return new PathTest(root, filter);
  return readOnce(`all but ${JSON.stringify(leftOut)} in ${root}`, () => new PathTest(root, leftOut));
}

function isPossible(test: PathTest, at: string): boolean {
  return at === "" || test.selects(at) || test.mayHold(at);
}

/** A call without `inputs` whose directory contains `.git`, so that every git command would run it. */
function gitFolders(item: ResolvedTarget): Found[] {
  const reads = item.inputs.find(
    (input) =>
      input.kind === "directory" &&
      existsSync(path.join(input.path, ".git")) &&
      new PathTest(input.path, input.filter).mayHold(".git"),
  );
  if (reads === undefined) return [];
  const hasInstalled =
    existsSync(path.join(reads.path, "node_modules")) && new PathTest(reads.path, reads.filter).mayHold("node_modules");
  const patterns = ["**/.git", ...(hasInstalled ? ["**/node_modules"] : [])].map(quoted).join(", ");
  const what = hasInstalled
    ? ".git and node_modules: each git command and each install runs"
    : ".git: each git command runs";
  return [
    {
      code: "reads-git",
      text: `--${reads.argument} reads ${what} it again; leave them out for all calls with watch.ignore: [${patterns}], or name what concerns this one with inputs`,
    },
  ];
}

/** A call that exports into its own inputs, so that each run would make the next one necessary. */
function ownOutput(item: ResolvedTarget, root: string): Found[] {
  return item.call.core.flatMap(({ fn, given }): Found[] => {
    if (fn.name !== "export") return [];
    const target = given.find(({ argument }) => argument.name === "path")?.value;
    if (target?.kind !== "literal") return [];
    const absolute = path.resolve(root, String(target.value));
    const isInput = item.inputs.some((input) => {
      const relative = path.relative(input.path, absolute).split(path.sep).join("/");
      if (input.kind === "file" || relative.startsWith("..")) return input.path === absolute;
      const test = new PathTest(input.path, input.filter);
      return test.selects(relative) || test.selects(`${relative}/any`);
    });
    if (!isInput) return [];
    const name = path.relative(root, absolute);
    const line =
      item.target.inputs === undefined ? `watch.ignore: [${quoted(name)}]` : `inputs: [..., ${quoted(`!${name}`)}]`;
    return [
      {
        code: "own-output",
        text: `it writes ${quoted(name)}, which is among its own inputs, so that each run makes the next one necessary; leave it out: ${line}`,
      },
    ];
  });
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
