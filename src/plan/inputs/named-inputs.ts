import path from "node:path";
import { statIfThere } from "../../paths/index.ts";
import { PathTest, readOnce } from "../../tree/index.ts";
import { cleaned, literalHead, literalPath } from "./patterns-read.ts";
import { stateFolder, type TargetInput } from "./target-input.ts";

/**
 * The files that `inputs` of fastloop.yaml names. The entries are read in order and the last one that matches a path
 * decides; `!` takes out. What git ignores, what is installed and what editors leave stays out, so that `lib/` does not
 * mean what is built in it, unless git tracks it, or an entry names it: its part before the first wildcard lies in there.
 * Links among them are followed inside of the project.
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
  // No entry, no file.
  if (patterns.length === 0) return [];
  const isNamed = namesWhatIsLeftOut(root);
  const meant = patterns.flatMap((pattern) => withAllBelow(wholeProject(pattern)));
  const named = meant.filter((pattern) => pattern.startsWith("!") || isNamed(pattern));
  const whole = input(meant, ["**/.git"], "ignored");
  return named.every((pattern) => pattern.startsWith("!")) ? [whole] : [whole, input(named, [])];
}

/** `./` is the project with all that is in it; to a pattern `.` is a name like any other. */
function wholeProject(pattern: string): string {
  if (cleaned(pattern) !== "") return pattern;
  return pattern.startsWith("!") ? "!**" : "**";
}

/**
 * `!gen/` takes out all that is in `gen`, also what a wildcard before it matched file by file: to .dockerignore an exception
 * for a folder is none for the files in it that other entries than the folder's own have picked.
 */
function withAllBelow(pattern: string): string[] {
  return pattern.startsWith("!") && !pattern.endsWith("**")
    ? [pattern, `${pattern.replace(/\/+$/, "")}/**`]
    : [pattern];
}

/** Whether an entry's literal part lies where all is left out: then it means just that. */
function namesWhatIsLeftOut(root: string): (pattern: string) => boolean {
  let known: PathTest | undefined;
  return (pattern) => {
    const head = literalHead(pattern);
    if (head === "") return false;
    const rules = (known ??= readOnce(
      `what is left out of ${root}`,
      () => new PathTest(root, { exclude: ["**/.git"], leaveOut: "ignored" }),
    ));
    const stats = statIfThere(path.join(root, head));
    const isFolder = stats?.isDirectory() ?? (literalPath(pattern) === undefined || pattern.endsWith("/"));
    return isFolder ? !rules.mayHold(head) : !rules.selects(head);
  };
}
