import { readRegular, UnfitFile } from "../../paths/index.ts";
import type { TreeEntry } from "../../tree/index.ts";
import type { EngineSession, QueryOptions } from "../types.ts";
import type { TreeStep } from "./recipe.ts";

/** Text up to this size travels inside the query; the engine reads anything else from the host. */
const inlineLimitBytes = 128 * 1024;
/** Steps in one query: enough for an edit in one round trip, and few enough for every GraphQL parser. */
const stepsPerQuery = 64;

/** Applies steps to a snapshot through the core API; returns the id of the result. */
export async function applyRecipe(
  session: EngineSession,
  baseId: string,
  root: string,
  steps: readonly TreeStep[],
  options: QueryOptions,
): Promise<string> {
  let id = baseId;
  for (let start = 0; start < steps.length; start += stepsPerQuery) {
    const variables: Record<string, unknown> = { id };
    const declared = ["$id: ID!"];
    const calls: string[] = [];
    for (const step of steps.slice(start, start + stepsPerQuery)) {
      calls.push(await stepCall(session, root, step, variables, declared, options));
    }
    // `sync` makes the engine read host files now, as they may change later.
    const answer = declared.some((text) => text.endsWith(": ID!") && text !== "$id: ID!") ? "sync" : "id";
    const chain = `${calls.join(" { ")} { ${answer} }${" }".repeat(calls.length - 1)}`;
    const document = `query LayEdits(${declared.join(", ")}) { node(id: $id) { ... on Directory { ${chain} } } }`;
    const result = await session.query<{ node: unknown }>(document, variables, options);
    id = innermostId(result.node);
  }
  return id;
}

/** Returns one field of the chain. Texts go into variables, so that no path or content needs escaping. */
async function stepCall(
  session: EngineSession,
  root: string,
  step: TreeStep,
  variables: Record<string, unknown>,
  declared: string[],
  options: QueryOptions,
): Promise<string> {
  const variable = (value: unknown, type: string): string => {
    const name = `v${declared.length}`;
    variables[name] = value;
    declared.push(`$${name}: ${type}`);
    return `$${name}`;
  };
  if (step.kind === "remove-file") return `withoutFile(path: ${variable(step.path, "String!")})`;
  if (step.kind === "remove-directory") return `withoutDirectory(path: ${variable(step.path, "String!")})`;
  const { entry } = step;
  const path = variable(entry.path, "String!");
  if (step.kind === "directory") return `withNewDirectory(path: ${path}, permissions: ${entry.mode})`;
  if (step.kind === "symlink") {
    return `withSymlink(target: ${variable(entry.linkTarget, "String!")}, linkName: ${path})`;
  }
  const text = inlineText(root, entry);
  if (text !== undefined) {
    return `withNewFile(path: ${path}, contents: ${variable(text, "String!")}, permissions: ${entry.mode})`;
  }
  const source = await hostFile(session, `${root}/${entry.path}`, options);
  return `withFile(path: ${path}, source: ${variable(source, "ID!")}, permissions: ${entry.mode})`;
}

/** Returns the id of a host file as the engine reads it now. */
export async function hostFile(session: EngineSession, file: string, options: QueryOptions): Promise<string> {
  const document = "query HostFile($path: String!) { host { file(path: $path, noCache: true) { id } } }";
  const result = await session.query<{ host: { file: { id: string } } }>(document, { path: file }, options);
  return result.host.file.id;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Returns the file's text if it is small and valid UTF-8 without NUL; undefined sends it as a host file. */
function inlineText(root: string, entry: TreeEntry): string | undefined {
  if (entry.sizeBytes > inlineLimitBytes) return undefined;
  let content: Buffer;
  try {
    content = readRegular(`${root}/${entry.path}`, { maxBytes: inlineLimitBytes, follow: false });
  } catch (error) {
    if (error instanceof UnfitFile) return undefined;
    throw error;
  }
  if (content.includes(0)) return undefined;
  try {
    return utf8.decode(content);
  } catch {
    return undefined;
  }
}

function innermostId(node: unknown): string {
  let value = node;
  while (typeof value === "object" && value !== null) value = Object.values(value)[0];
  if (typeof value !== "string") throw new Error("the engine answered a chain of edits without an id");
  return value;
}
