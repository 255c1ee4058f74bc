import { ApiError } from "../values/errors.ts";
import { edited } from "../values/rooted.ts";
import { isUnknown, knownAt } from "./known.ts";
import type { Call } from "../request/call.ts";
import type { FileEdit } from "./copy.ts";
import type { Owner, Tree } from "../values/values.ts";

/** Larger contents are sent as files: LLB travels in one message, and the daemon takes megabytes in it slowly. */
const maxLiteralChars = 64 * 1024;

/** The edit that makes a file of this content, wherever it is applied. */
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

/** A file written where another may be, which keeps its permissions and owner as on a Dagger engine. */
export function writtenOver(call: Call, tree: Tree, edit: FileEdit): Tree {
  const known = knownAt(call.session.hostTrees, tree, edit.path);
  if (isUnknown(known)) return edited(tree, { ...edit, looked: "write" });
  if (known?.kind === "folder") throw new ApiError(`open ${edit.path}: is a directory`);
  return edited(tree, known === undefined ? edit : { ...edit, mode: known.mode, owner: known.owner });
}
