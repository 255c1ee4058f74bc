import { ApiError } from "../values/errors.ts";
import { edited } from "../values/rooted.ts";
import { isUnknown, knownAt } from "./known.ts";
import type { Call } from "../request/call.ts";
import type { FileEdit } from "./copy.ts";
import type { Owner, Tree } from "../values/values.ts";

/** Longer contents are sent as files: LLB travels in one message, and the daemon is slow to process megabytes in it. */
const maxLiteralChars = 64 * 1024;

/** Returns a function that creates the edit which writes a file with this content to a path. */
export async function writeEdit(
  call: Call,
  contents: string,
  mode: number,
  owner?: Owner,
): Promise<(path: string) => FileEdit> {
  const attributes = { mode: mode === 0 ? 0o644 : mode, ...(owner === undefined ? {} : { owner }) };
  if (contents.length <= maxLiteralChars) return (path) => ({ action: "write", path, contents, ...attributes });
  const { session } = call;
  const source = await session.hostTrees.content(contents, await session.temporaryFolder());
  return (path) => ({ action: "copy-file", source: source.tree, sourcePath: source.path, path, ...attributes });
}

/**
 * Writes a file that may replace an existing one, whose permissions and owner it keeps, as on a Dagger engine. Throws
 * an `ApiError` when a folder is there.
 */
export function writtenOver(call: Call, tree: Tree, edit: FileEdit): Tree {
  const known = knownAt(call.session.hostTrees, tree, edit.path);
  if (isUnknown(known)) return edited(tree, { ...edit, looked: "write" });
  if (known?.kind === "folder") throw new ApiError(`open ${edit.path}: is a directory`);
  return edited(tree, known === undefined ? edit : { ...edit, mode: known.mode, owner: known.owner });
}
