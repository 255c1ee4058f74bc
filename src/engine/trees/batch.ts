import type { TreeFilter } from "../../tree/index.ts";
import type { TreeStep } from "./recipe.ts";
import type { EngineSession, QueryOptions } from "../types.ts";

/**
 * From this many steps on, a Dagger engine gets them as one copy: every step is a layer there, 30 to 70 ms each, and
 * beyond some 450 layers the kernel refuses the mount (both measured on engine 0.21.8). The embedded engine turns any
 * number of steps into one file operation.
 */
export const batchFromSteps = 5;

/** Reports whether the steps can be applied as one copy: no name may have another meaning as an include pattern. */
export function canBatch(steps: readonly TreeStep[], filter: TreeFilter): boolean {
  const literal = (path: string): boolean => !/[*?[\]\\!#]/.test(path) && path.trim() === path;
  return (
    (filter.include ?? []).length === 0 && steps.every((step) => literal("path" in step ? step.path : step.entry.path))
  );
}

/** Applies the steps as removals and one copy of what is new, read from the host; returns the id of the result. */
export async function applyBatch(
  session: EngineSession,
  baseId: string,
  root: string,
  filter: TreeFilter,
  steps: readonly TreeStep[],
  options: QueryOptions,
): Promise<string> {
  const files = steps.flatMap((step) => (step.kind === "remove-file" ? [step.path] : []));
  const folders = steps.flatMap((step) => (step.kind === "remove-directory" ? [step.path] : []));
  const include = newPaths(steps);
  let id = baseId;
  const lay = async (field: string, variables: Record<string, unknown>, types: string): Promise<void> => {
    const document = `query LayEdits($id: ID!, ${types}) { node(id: $id) { ... on Directory { edited: ${field} { id } } } }`;
    const result = await session.query<{ node: { edited: { id: string } } }>(document, { id, ...variables }, options);
    id = result.node.edited.id;
  };
  if (files.length > 0) await lay("withoutFiles(paths: $paths)", { paths: files }, "$paths: [String!]!");
  for (const path of folders) await lay("withoutDirectory(path: $path)", { path }, "$path: String!");
  if (include.length > 0) {
    const source = await hostPart(session, root, include, filter, options);
    await lay('withDirectory(path: "/", source: $source)', { source }, "$source: ID!");
  }
  return id;
}

/**
 * Returns paths for an include list: files, links and folders that stay empty; other folders come with their content.
 */
function newPaths(steps: readonly TreeStep[]): string[] {
  const entries = steps.flatMap((step) => ("entry" in step ? [step.entry] : []));
  const parents = new Set(entries.map((entry) => entry.path.slice(0, Math.max(0, entry.path.lastIndexOf("/")))));
  return entries.filter((entry) => entry.type !== "directory" || !parents.has(entry.path)).map((entry) => entry.path);
}

async function hostPart(
  session: EngineSession,
  root: string,
  include: string[],
  filter: TreeFilter,
  options: QueryOptions,
): Promise<string> {
  const document = `query EditedFiles($path: String!, $include: [String!], $exclude: [String!]) {
    host { directory(path: $path, include: $include, exclude: $exclude, noCache: true${
      filter.gitignore === true ? ", gitignore: true" : ""
    }) { sync } }
  }`;
  const variables = { path: root, include, exclude: filter.exclude ?? [] };
  const result = await session.query<{ host: { directory: { sync: string } } }>(document, variables, options);
  return result.host.directory.sync;
}
