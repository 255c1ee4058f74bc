import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { suggest } from "../config/index.ts";
import { listTree, PathTest, PatternMatcher } from "../tree/index.ts";
import { cleaned, literalPath } from "./patterns-read.ts";
import type { ProjectSnapshot } from "./project-snapshot.ts";
import type { ResolvedTarget } from "./resolve.ts";
import { stateFolder } from "./target-input.ts";

/** Something that is allowed, but hardly what was meant. */
export interface Advice {
  code: "dead-input" | "reads-git" | "own-output";
  target: string;
  /** The entry of `inputs` that it is about; undefined where the call is. */
  entry?: string;
  text: string;
}

/**
 * What the user should know of a target's inputs before wondering why it runs never, or for ever. With a snapshot the disk
 * is hardly asked.
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
  return patterns.flatMap((pattern, index): Found[] => {
    if (pattern.startsWith("!")) {
      if (index > firstIn) return [];
      return [
        {
          code: "dead-input",
          entry: pattern,
          text: `inputs: ${quoted(pattern)} takes nothing out: entries are read in order; put it after what it takes from`,
        },
      ];
    }
    return isDead(pattern, item, root, snapshot)
      ? [
          {
            code: "dead-input",
            entry: pattern,
            text: `inputs: ${quoted(pattern)} matches nothing${meaning(pattern, root, ignored)}`,
          },
        ]
      : [];
  });
}

function isDead(pattern: string, item: ResolvedTarget, root: string, snapshot: ProjectSnapshot | undefined): boolean {
  const named = item.inputs.filter((input) => input.argument === "inputs");
  const at = literalPath(pattern);
  if (at !== undefined) {
    // A folder without files is there, and so is what is left out of it.
    return !existsSync(path.join(root, at)) || !named.some(({ filter }) => isPossible(new PathTest(root, filter), at));
  }
  const matcher = new PatternMatcher([pattern]);
  return !named.some((input) =>
    (snapshot?.listing(input) ?? listTree(root, { ...input.filter, include: [pattern] })).entries.some((entry) =>
      matcher.matches(entry.path),
    ),
  );
}

function isPossible(test: PathTest, at: string): boolean {
  return at === "" || test.selects(at) || test.mayHold(at);
}

/** What was probably meant, as the end of a sentence. */
function meaning(pattern: string, root: string, ignored: readonly string[]): string {
  const at = cleaned(pattern);
  const braces = /^(.*)\{([^{}]*,[^{}]*)\}(.*)$/.exec(pattern);
  if (braces !== null)
    return `: braces are no wildcards; write ${braces[2]!
      .split(",")
      .map((part) => quoted(`${braces[1]}${part}${braces[3]}`))
      .join(" and ")}`;
  if (/\[.*\]/.test(at)) {
    const escaped = pattern.replaceAll(/[[\]]/g, String.raw`\$&`);
    if (existsSync(path.join(root, at)))
      return `: [ ] stands for one of these characters; for this very name write '${escaped}'`;
  }
  const hidden = leftOut(pattern, root, ignored);
  if (hidden !== undefined) return hidden;
  if (
    !at.includes("/") &&
    /[*?]/.test(at) &&
    listTree(root, { include: [`**/${at}`], leaveOut: "ignored" }).entries.length > 0
  )
    return ` in the project's own folder; for those in folders below write ${quoted(`**/${at}`)}`;
  const near = nearest(at, root);
  return near === undefined
    ? ": nothing of that name is there"
    : `; did you mean ${quoted(pattern.endsWith("/") ? `${near}/` : near)}?`;
}

/** Where there are matches, but none that counts. */
function leftOut(pattern: string, root: string, ignored: readonly string[]): string | undefined {
  const names = (exclude: readonly string[]): string[] => {
    const matcher = new PatternMatcher([pattern]);
    return listTree(root, { include: [pattern], exclude: ["**/.git", "**/node_modules", stateFolder, ...exclude] })
      .entries.filter((entry) => entry.type !== "directory" && matcher.matches(entry.path))
      .map((entry) => entry.path);
  };
  const there = names([]);
  if (there.length === 0) return undefined;
  const few = there.slice(0, 3).map(quoted).join(", ");
  if (names(ignored).length === 0) return `: watch.ignore leaves ${few} out`;
  return `: git ignores ${there.length === 1 ? few : `all ${there.length} (${few}${there.length > 3 ? ", ..." : ""})`}, and a wildcard does not reach what is ignored; name it: inputs: [${there.slice(0, 3).map(quoted).join(", ")}]`;
}

/** The path with its first segment that is not there replaced by the name that is most like it. */
function nearest(at: string, root: string): string | undefined {
  const segments = at.split("/");
  for (const [index, segment] of segments.entries()) {
    const folder = path.join(root, ...segments.slice(0, index));
    if (existsSync(path.join(folder, segment))) continue;
    const near = suggest(
      segment,
      namesIn(folder).filter((name) => !name.startsWith(".") || segment.startsWith(".")),
    );
    return near === undefined ? undefined : [...segments.slice(0, index), near, ...segments.slice(index + 1)].join("/");
  }
  return undefined;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** A call without `inputs` whose directory holds `.git`: every git command would run it. */
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

/** A call that exports into its own inputs: each run would make the next one necessary. */
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
