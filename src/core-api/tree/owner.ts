import { ApiError } from "../values/errors.ts";
import { withTree } from "./read.ts";
import type { Call } from "../request/call.ts";
import type { Owner, Tree } from "../values/values.ts";

/**
 * Parses `1000`, `1000:1000`, `name` or `name:group`. Names are looked up in the tree's `/etc/passwd` and `/etc/group`,
 * which evaluates the tree. Without a group, the group id equals the user id. `undefined` means to keep owners. Throws
 * an `ApiError` for an unknown name.
 */
export async function resolveOwner(call: Call, tree: Tree, owner: string): Promise<Owner | undefined> {
  if (owner === "") return undefined;
  try {
    return await ownerIn(call, tree, owner);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new ApiError(`failed to resolve ownership for ${owner}: ${error.message}`, error.extensions, error);
  }
}

async function ownerIn(call: Call, tree: Tree, owner: string): Promise<Owner> {
  const colon = owner.indexOf(":");
  const user = colon < 0 ? owner : owner.slice(0, colon);
  const uid = numeric(user) ?? (await lookup(call, tree, "/etc/passwd", user, `find uid: no such user: ${user}`));
  if (colon < 0) return { uid, gid: uid };
  const group = owner.slice(colon + 1);
  const gid = numeric(group) ?? (await lookup(call, tree, "/etc/group", group, `find gid: no such group: ${group}`));
  return { uid, gid };
}

function numeric(text: string): number | undefined {
  if (text === "root") return 0;
  // A Dagger engine treats larger numbers as names.
  return /^\d{1,10}$/.test(text) && Number(text) < 2 ** 31 ? Number(text) : undefined;
}

async function lookup(call: Call, tree: Tree, file: string, name: string, missing: string): Promise<number> {
  const text = await withTree(call, tree, async (reader) => (await reader.read(file)).toString("utf8"));
  for (const line of text.split("\n")) {
    const fields = line.split(":");
    if (fields[0] === name && fields[2] !== undefined && /^\d+$/.test(fields[2])) return Number(fields[2]);
  }
  throw new ApiError(missing);
}
