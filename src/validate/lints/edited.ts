import { realpathSync } from "node:fs";
import path from "node:path";
import type { LoadedConfig } from "../../config/index.ts";
import type { ModuleInfo } from "../../module/index.ts";
import { statIfThere } from "../../paths/index.ts";
import { changedSince, moduleSources, UnreadFiles, type ResolvedTarget } from "../../plan/index.ts";
import { firstOf } from "../../report/index.ts";
import { listTree, sharingReads } from "../../tree/index.ts";
import type { Found } from "../finding.ts";

/** Number of files that the message names. */
const mostNamed = 3;

/**
 * Reports edited files near an input that no target reads: they differ from the last commit, are in a folder on the way
 * to an input, and look like the files that targets read. Git runs only if there is such a file.
 */
export async function editedUnread(
  targets: readonly ResolvedTarget[],
  config: LoadedConfig,
  module: ModuleInfo,
): Promise<Found[]> {
  if (config.config.watch?.targets === undefined || targets.length === 0) return [];
  const [unread, beside] = sharingReads(() => filesBeside(targets, config, module));
  if (beside.size === 0) return [];
  const changed = await changedSince(config.root, "HEAD");
  // Without a commit nothing shows which files are edited.
  if ("why" in changed) return [];
  const names = changed.files
    .filter(({ change, isFolder, file }) => change !== "removed" && !isFolder && beside.has(file))
    .flatMap(({ file }) => unread.named(file) ?? []);
  if (names.length === 0) return [];
  const all = firstOf(
    names.map((name) => JSON.stringify(name)),
    mostNamed,
  );
  const folder = path.posix.dirname(names[0]!);
  return [
    {
      code: "edited-unread",
      path: ["watch", "targets"],
      message: `${all} ${names.length === 1 ? "is" : "are"} edited, and no target reads ${names.length === 1 ? "it" : "them"}: such an edit runs nothing`,
      hint: `name ${JSON.stringify(folder === "." ? names[0] : `${folder}/`)} in the inputs of the target that uses it, or move it to where one reads`,
    },
  ];
}

/** Returns the test for files that no target reads, and those of them on the way to an input. */
function filesBeside(
  targets: readonly ResolvedTarget[],
  config: LoadedConfig,
  module: ModuleInfo,
): [unread: UnreadFiles, beside: ReadonlySet<string>] {
  const unread = new UnreadFiles(
    config.root,
    targets.flatMap(({ inputs }) => inputs),
    [
      ...(config.path === undefined ? [] : [{ kind: "file" as const, path: config.path, filter: {} }]),
      ...moduleSources(module),
    ],
    // A missing folder has no files, and neither does anything else in its place.
    ({ path: at, filter }) =>
      statIfThere(at)?.isDirectory() === true ? listTree(realpathSync(at), filter).entries : [],
  );
  return [unread, new Set(unread.beside())];
}
