/**
 * Refuses the fields that a function body may not ask its session for. In a Dagger engine a body runs in a container,
 * and these fields see that container. Here the session is the user's, and they would reach the user's machine. The
 * check uses names only, at any depth and in every fragment. So it needs no schema, and no alias, variable or directive
 * gets past it.
 */
import { Kind, type ArgumentNode, type DocumentNode, type FieldNode, type SelectionNode } from "graphql";

const hints = {
  argument: "take what it needs as an argument (Directory, File, Secret, Service, Socket)",
  workspace: "take a `Workspace` as an argument, which is filled in",
  result: "return the directory, file or container and save it with `-o PATH`; a body's own files are below /tmp",
  chain: (name: string) => `return the object and put \`${name}\` behind the call`,
  engine: "see `fastloop engine`",
};

/** Refused fields, each with what to do instead. No other type of the core API has harmless fields of these names. */
const refusedFields = new Map<string, string>([
  ["host", hints.argument],
  ["secret", hints.argument],
  ["address", hints.argument],
  // `${NAME}` in an env file expands to the environment of the session's client.
  ["envFile", hints.argument],
  ["asEnvFile", hints.argument],
  ["moduleSource", hints.argument],
  // Modules created in a body would run with the rights of the session's client, and change its schema.
  ["asModule", hints.argument],
  ["asModuleSource", hints.argument],
  ["serve", hints.argument],
  ["userDefaults", hints.argument],
  ["currentWorkspace", hints.workspace],
  ["export", hints.result],
  ["exportImage", hints.result],
  ["up", hints.chain("up")],
  // `UpGroup.run` and `Up.run` open the host's ports; the `run` of other types is harmless.
  ["services", hints.chain("up")],
  ["asUp", hints.chain("up")],
  ["asUpGroup", hints.chain("up")],
  ["terminal", hints.chain("terminal")],
  ["localCache", hints.engine],
  ["clients", hints.engine],
]);

/**
 * Types that these fields return, for a body that got hold of the id of such an object: `node(id:) { ... on Host { … }
 * }`.
 */
const refusedTypes = new Set([
  "Host",
  "Address",
  "EnvFile",
  "ModuleSource",
  "Workspace",
  "Up",
  "UpGroup",
  "Engine",
  "EngineCache",
]);

/**
 * Returns why a body may not send a document, or undefined when it may. `served` names fields that are refused by
 * default but that this engine serves safely. The traversal is not recursive, because chains nest one level per call.
 */
export function refusedToBodies(document: DocumentNode, served: ReadonlySet<string> = new Set()): string | undefined {
  const open: SelectionNode[] = [];
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      const refused = refusedType(definition.typeCondition.name.value);
      if (refused !== undefined) return refused;
    }
    if ("selectionSet" in definition) open.push(...definition.selectionSet.selections);
  }
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const refused = refusedSelection(node, served);
    if (refused !== undefined) return refused;
    if (node.kind !== Kind.FRAGMENT_SPREAD) for (const inner of node.selectionSet?.selections ?? []) open.push(inner);
  }
  return undefined;
}

function refusedSelection(node: SelectionNode, served: ReadonlySet<string>): string | undefined {
  if (node.kind === Kind.FRAGMENT_SPREAD) return undefined;
  if (node.kind === Kind.INLINE_FRAGMENT) return refusedType(node.typeCondition?.name.value);
  return served.has(node.name.value) ? undefined : refusedField(node);
}

function refusedType(name: string | undefined): string | undefined {
  return name !== undefined && refusedTypes.has(name) ? refusal(`... on ${name}`, hints.argument) : undefined;
}

function refusedField({ name: { value: name }, arguments: given = [] }: FieldNode): string | undefined {
  const hint = refusedFields.get(name);
  if (hint !== undefined) return refusal(name, hint);
  const loaded = /^load(\w+)FromID$/.exec(name)?.[1];
  if (loaded !== undefined && refusedTypes.has(loaded)) return refusal(name, hints.argument);
  // The environment of a language model with its caller's access to the host.
  if (name === "env" && given.some(isPrivileged)) return refusal("env(privileged)", hints.argument);
  return undefined;
}

function isPrivileged({ name, value }: ArgumentNode): boolean {
  return name.value === "privileged" && !(value.kind === Kind.BOOLEAN && !value.value);
}

function refusal(what: string, instead: string): string {
  return (
    `\`${what}\` is refused to function bodies: it would reach your machine, where an engine's container sees only itself. ` +
    `Instead, ${instead}; a program that needs your machine runs with \`fastloop session -- COMMAND\``
  );
}
