import path from "node:path";
import { statIfThere } from "../../paths/index.ts";
import { PathTest, readOnce } from "../../tree/index.ts";
import { cleaned, literalHead, literalPath } from "./patterns-read.ts";
import { stateFolder, type TargetInput } from "./target-input.ts";

/**
 * Returns the inputs that `inputs` of fastloop.yaml names. Entries are read in order, and the last one that matches a
 * path decides; `!` excludes. Files that git ignores, installed packages and editors' leftovers stay out, so that
 * `lib/` does not include what is built in it, unless git tracks a file, or the part of an entry before its first
 * wildcard lies inside what is left out. Links among them are followed within the project.
 */
export function namedInputs(patterns: readonly string[], root: string, ignored: readonly string[]): TargetInput[] {
  const input = (include: readonly string[], exclude: readonly string[], leaveOut?: "ignored"): TargetInput => ({
    argument: "inputs",
    kind: "directory",
    path: root,
    follow: true,
    filter: {
      include,
      exclude: [...exclude, stateFolder, ...ignored],
      ...(leaveOut === undefined ? {} : { leaveOut }),
    },
  });
  // Without entries there are no files.
  if (patterns.length === 0) return [];
  const isNamed = namesWhatIsLeftOut(root);
  const meant = patterns.flatMap((pattern) => withAllBelow(wholeProject(pattern)));
  const named = meant.filter((pattern) => pattern.startsWith("!") || isNamed(pattern));
  const whole = input(meant, ["**/.git"], "ignored");
  return named.every((pattern) => pattern.startsWith("!")) ? [whole] : [whole, input(named, [])];
}

/** `./` means everything in the project; to a pattern `.` is an ordinary name. */
function wholeProject(pattern: string): string {
  if (cleaned(pattern) !== "") return pattern;
  return pattern.startsWith("!") ? "!**" : "**";
}

/**
 * Makes `!gen/` exclude everything in `gen`, even files that a wildcard before it matched one by one. In .dockerignore,
 * an exclusion of a folder does not apply to files in it that other entries have matched.
 */
function withAllBelow(pattern: string): string[] {
  return pattern.startsWith("!") && !pattern.endsWith("**")
    ? [pattern, `${pattern.replace(/(?<!\/)\/+$/, "")}/**`]
    : [pattern];
}

/**
 * Reports whether the literal part of an entry is inside something that is left out; the entry then means exactly that.
 */
function namesWhatIsLeftOut(root: string): (pattern: string) => boolean {
  let known: PathTest | undefined;
  return (pattern) => {
    const head = literalHead(pattern);
    if (head === "") return false;
    const rules = (known ??= readOnce(
      `what is left out of ${root}`,
      () => new PathTest(root, { exclude: ["**/.git"], leaveOut: "ignored" }),
    ));
    const [isIn, isInAsFile] = [rules.mayHold(head), rules.selects(head)];
    if (isIn === isInAsFile) return !isIn;
    const stats = statIfThere(path.join(root, head));
    const isFolder = stats?.isDirectory() ?? (literalPath(pattern) === undefined || pattern.endsWith("/"));
    return isFolder ? !isIn : !isInAsFile;
  };
}
