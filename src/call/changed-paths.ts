import { QueryError } from "../graphql/index.ts";
import { isGitsFile } from "../paths/index.ts";
import { chainOn } from "./query.ts";
import type { ResolveContext } from "./resolve-value.ts";

/**
 * Throws for a changeset with git's own files, because an engine exports it unchanged. `selections` lead from the value
 * to the changeset.
 */
export async function refuseGitsFiles(
  { $id, $type }: { $id: string; $type: string },
  selections: readonly string[],
  { session, query }: Pick<ResolveContext, "session" | "query">,
): Promise<void> {
  const document = chainOn($id, $type, [...selections, "addedPaths modifiedPaths removedPaths"]);
  const name = gitsFileIn(await session.query<unknown>(document, {}, query));
  if (name !== undefined)
    throw new QueryError({ message: `a changeset with ${JSON.stringify(name)} in it is not exported` });
}

/** Returns the first such path in an answer, at any depth of lists and objects. */
function gitsFileIn(answer: unknown): string | undefined {
  if (typeof answer === "string") return isGitsFile(answer) ? answer : undefined;
  if (typeof answer !== "object" || answer === null) return undefined;
  for (const item of Object.values(answer)) {
    const found = gitsFileIn(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
