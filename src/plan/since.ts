import { lstatSync } from "node:fs";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { isWithin, leadsOut, realPathIfThere, UnfitFile } from "../paths/index.ts";
import { AskedGit, PathTest, PatternMatcher, UnfitGit, untrackedPaths, type IndexedFile } from "../tree/index.ts";
import type { Project } from "./project.ts";
import { literalHead } from "./inputs/patterns-read.ts";
import type { ScannedInput } from "./inputs/scanned-input.ts";
import { withDependents } from "./order.ts";
import type { Reason } from "./reasons.ts";

export interface AffectedSince {
  /** Commit that is compared with; undefined if there is none, and then everything is affected. */
  base: string | undefined;
  targets: { name: string; reasons: Reason[] }[];
}

/**
 * Returns what the changes since the merge base with `ref` affect: committed, uncommitted and untracked ones. If git
 * cannot tell (no such commit, a shallow clone, no repository), everything is affected, with that reason.
 */
export async function affectedSince(
  project: Project,
  ref: string,
  changed = changedSince(project.root, ref),
): Promise<AffectedSince> {
  const found = await changed;
  if ("why" in found) {
    const reason: Reason = { kind: "base-unusable", ref, why: found.why };
    return { base: undefined, targets: project.targets.map((item) => ({ name: item.target.name, reasons: [reason] })) };
  }
  // The targets of links are known only after they have been followed.
  project.scanner.followLinks();
  const covers = new Map<ScannedInput, (file: ChangedFile) => boolean>();
  const isInput = (input: ScannedInput, file: ChangedFile): boolean => {
    let test = covers.get(input);
    if (test === undefined)
      covers.set(input, (test = coverTest({ ...input, filter: project.scanner.effective(input) })));
    return test(file);
  };
  const [configuration, module] = project.sources.map((source) =>
    found.files.some((changed) => isInput(source, changed)),
  );
  const direct = new Map<string, Reason[]>();
  for (const item of project.targets) {
    const files = found.files.filter((changed) => item.inputs.some((input) => isInput(input, changed)));
    const reasons: Reason[] = files.map(({ file, change }) => ({
      kind: "file",
      change,
      path: path.relative(realPathIfThere(project.root), file),
    }));
    if (module === true) reasons.push({ kind: "module" });
    if (configuration === true) reasons.push({ kind: "configuration" });
    if (reasons.length > 0) direct.set(item.target.name, reasons);
  }
  const all = withDependents(
    new Set(direct.keys()),
    project.targets.map((item) => item.target),
  );
  const targets = project.targets
    .filter((item) => all.has(item.target.name))
    .map((item) => {
      const { name, needs } = item.target;
      const through = needs.filter((need) => all.has(need)).map((target): Reason => ({ kind: "dependency", target }));
      return { name, reasons: [...(direct.get(name) ?? []), ...through] };
    });
  return { base: found.base, targets };
}

interface ChangedFile {
  /** Absolute real path, which is how git names it. */
  file: string;
  /** A submodule or a repository inside this one: it is unknown which of its files changed. */
  isFolder: boolean;
  /** Git does not know the file, so it may be one that the filter leaves out. */
  isUntracked?: true;
  change: "added" | "changed" | "removed";
}

/** Returns the changed files with absolute paths, or why git cannot tell. A rename is a removal and an addition. */
export async function changedSince(
  root: string,
  ref: string,
): Promise<{ base: string; files: ChangedFile[] } | { why: string }> {
  const asked = new AskedGit(root);
  // Starting its processes takes most of git's time, so all queries that need no other's answer start at once.
  const [top, common, ready] = await Promise.allSettled([
    asked.top(),
    asked.answer("merge-base", "--end-of-options", ref, "HEAD"),
    asked.readyToCompare(),
  ]);
  if (top.status === "rejected") return { why: whyNot(top.reason) ?? "this is no git repository" };
  if (common.status === "rejected") return { why: await whyNoBase(asked, ref) };
  try {
    if (ready.status === "rejected") throw ready.reason;
    const base = common.value.trim();
    return { base, files: await changedFiles(asked, top.value, base) };
  } catch (error) {
    return { why: whyNot(error) ?? "git can't compare the files with it" };
  }
}

async function whyNoBase(asked: AskedGit, ref: string): Promise<string> {
  try {
    await asked.answer("rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`);
  } catch {
    return "there is no such commit here (was it fetched?)";
  }
  const isShallow = (await asked.answer("rev-parse", "--is-shallow-repository")).trim() === "true";
  return isShallow ? "the clone is shallow and has no common commit" : "there is no common commit";
}

/** Returns why git failed for reasons unrelated to commits; undefined if git answered. */
function whyNot(error: unknown): string | undefined {
  if (error instanceof UnfitFile || error instanceof UnfitGit) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "git is not installed";
  return code === "ETIMEDOUT" || (error as { signal?: unknown }).signal === "SIGKILL"
    ? "git did not answer in time"
    : undefined;
}

async function changedFiles(asked: AskedGit, top: string, base: string): Promise<ChangedFile[]> {
  const files: ChangedFile[] = [];
  const indexed = await asked.indexed();
  // These options override the user's configuration: the whole repository, by plain names.
  const how = ["--name-status", "--no-renames", "--no-relative", "--ignore-submodules=none"];
  const compared = asked.compare("diff", ...how, "-z", base);
  // Starts after git has been started, which may take any time.
  const untracked = setImmediate().then(() =>
    untrackedPaths(top, new Set(indexed.map(({ name, isSubmodule }) => (isSubmodule ? `${name}/` : name)))),
  );
  const [text, added] = await Promise.all([compared, untracked]);
  const words = text.split("\0");
  for (let index = 0; index + 1 < words.length; index += 2) {
    const change = words[index] === "A" ? "added" : words[index] === "D" ? "removed" : "changed";
    const file = path.join(top, words[index + 1]!);
    files.push({ file, isFolder: lstatSync(file, { throwIfNoEntry: false })?.isDirectory() === true, change });
  }
  for (const file of added)
    files.push({ file: path.join(top, file), isFolder: file.endsWith("/"), isUntracked: true, change: "added" });
  for (const name of await unlookedAt(asked, indexed, top, base))
    files.push({ file: path.join(top, name), isFolder: false, change: "changed" });
  return files;
}

/** Number of names passed to git at a time. */
const namesAtOnce = 500;

/**
 * Returns files that differ from `base` although git was told to assume them unchanged, or to leave them out of a
 * sparse checkout.
 */
async function unlookedAt(
  asked: AskedGit,
  indexed: readonly IndexedFile[],
  top: string,
  base: string,
): Promise<string[]> {
  const names = indexed
    .flatMap(({ name, isUnlookedAt }) => (isUnlookedAt ? [name] : []))
    .filter((name) => lstatSync(path.join(top, name), { throwIfNoEntry: false })?.isFile() === true);
  const changed: string[] = [];
  for (let at = 0; at < names.length; at += namesAtOnce) {
    const some = names.slice(at, at + namesAtOnce);
    const files = some.map((name) => path.join(top, name));
    const now = (await asked.compare("hash-object", "--", ...files)).split("\n");
    const then = new Map(
      (await asked.answer("--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree", base, "--", ...some))
        .split("\0")
        .flatMap((line) => {
          const [, object, name] = /^\d+ blob ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
          return object === undefined || name === undefined ? [] : [[name, object] as const];
        }),
    );
    changed.push(...some.filter((name, index) => then.get(name) !== now[index]));
  }
  return changed;
}

function coverTest(input: ScannedInput): (changed: ChangedFile) => boolean {
  const root = realPathIfThere(input.path);
  // An input that is a link changes with the link as well as with its target.
  if (input.kind === "file")
    return ({ file, isFolder }) => file === root || file === input.path || (isFolder && isWithin(file, root));
  const { include = [], exclude = [] } = input.filter;
  // Places below which patterns may match: their part before the first wildcard.
  const starts =
    include.length === 0
      ? [root]
      : include.flatMap((pattern) => (pattern.startsWith("!") ? [] : [path.join(root, literalHead(pattern))]));
  const touches = (folder: string): boolean =>
    starts.some((start) => isWithin(folder, start) || isWithin(start, folder));
  const included = include.length === 0 ? undefined : new PatternMatcher(include);
  const excluded = new PatternMatcher(exclude);
  let walked: PathTest | undefined;
  return ({ file, isFolder, isUntracked }) => {
    if (isFolder) return touches(file.replace(/\/$/, ""));
    const relative = path.relative(root, file).split(path.sep).join("/");
    if (leadsOut(relative)) return false;
    if (isUntracked === true && input.filter.leaveOut !== undefined)
      return (walked ??= new PathTest(root, input.filter)).selects(relative);
    return (included?.matches(relative) ?? true) && !excluded.matches(relative);
  };
}

/** Returns the commit that is checked out; undefined if git cannot tell. */
export function headCommit(root: string): string | undefined {
  try {
    const text = new AskedGit(root).ask("rev-parse", "--verify", "--quiet", "HEAD").trim();
    return /^[0-9a-f]{40,64}$/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}
