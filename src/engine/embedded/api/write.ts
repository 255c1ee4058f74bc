import type { Call } from "./session.ts";
import type { Edit, Owner } from "./values.ts";

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
