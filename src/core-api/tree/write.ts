import { isUnknown, knownAt } from "./known.ts";
import { kindOf, withTree } from "./read.ts";
import type { Call } from "../request/call.ts";
import type { Edit, Owner, Tree } from "../values/values.ts";

/** Larger contents are sent as files: LLB travels in one message, and the daemon takes megabytes in it slowly. */
const maxLiteralChars = 64 * 1024;

/** The edit that makes a file of this content, wherever it is applied. */
export async function writeEdit(
  call: Call,
  contents: string,
  mode: number,
  owner?: Owner,
): Promise<(path: string) => Edit> {
  const attributes = { mode: mode === 0 ? 0o644 : mode, ...(owner === undefined ? {} : { owner }) };
  if (contents.length <= maxLiteralChars) return (path) => ({ action: "write", path, contents, ...attributes });
  const { session } = call;
  const source = await session.hostTrees.content(contents, await session.temporaryFolder());
  return (path) => ({ action: "copy-file", source: source.tree, sourcePath: source.path, path, ...attributes });
}

/** Permissions and owner of the file that is written over, which keeps them on a Dagger engine; undefined: there is none. */
export async function overwritten(
  call: Call,
  tree: Tree,
  path: string,
): Promise<{ mode: number; owner: Owner } | undefined> {
  const known = knownAt(call.session.hostTrees, tree, path);
  if (!isUnknown(known)) return known?.kind === "file" ? known : undefined;
  const stat = await withTree(call, known.tree, (reader) => reader.stat(known.path));
  if (stat === undefined || kindOf(stat) !== "REGULAR") return undefined;
  return { mode: stat.mode & 0o777, owner: { uid: stat.uid, gid: stat.gid } };
}
