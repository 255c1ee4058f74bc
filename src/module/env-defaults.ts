/**
 * Defaults that users keep in a `.env`: beside the module's file as `ARGUMENT` and `FUNCTION_ARGUMENT`, and in the
 * nearest `.env` up to the repository's top with the module's name before them.
 */
import { createHash } from "node:crypto";
import path from "node:path";
import { parseEnv } from "node:util";
import { regularTextIfThere, statIfThere } from "../paths/index.ts";
import type { Customization } from "./manifest/manifest-check.ts";
import type { ArgumentInfo, ModuleInfo } from "./types.ts";

const envFile = ".env";

type Applies = (argument: ArgumentInfo, given: Customization, place: string) => void;

/**
 * Returns the module with the defaults of its `.env` files. Only plain values and lists of them are taken: a repository
 * may not name a secret, a path or an image in a file that nobody has to agree to.
 */
export function withEnvDefaults(module: ModuleInfo, apply: Applies): ModuleInfo {
  const found = variablesOf(module);
  if (found.size === 0) return module;
  const objects = structuredClone(module.objects);
  const used: string[] = [];
  const fill = (signature: readonly ArgumentInfo[], prefix: string): void => {
    for (const argument of signature) {
      const variable = found.get(flat(prefix + argument.name));
      if (variable === undefined || !isPlain(argument.type)) continue;
      apply(argument, { argument: argument.name, default: textOf(variable.text, argument) }, variable.place);
      used.push(JSON.stringify([prefix, argument.name, variable.text]));
    }
  };
  for (const [name, object] of Object.entries(objects)) {
    const isMain = name === module.mainObject;
    if (isMain) fill(object.constructorArguments ?? [], "");
    for (const fn of Object.values(object.functions)) fill(fn.arguments, `${isMain ? "" : name}${fn.name}`);
  }
  if (used.length === 0) return module;
  const hash = createHash("sha256").update(used.join("\n")).digest("hex");
  return { ...module, objects, digest: `${module.digest} env@${hash}` };
}

interface Variable {
  text: string;
  place: string;
}

/** Returns the variables by their names without the module's, without `_` and in lower case. */
function variablesOf({ name, root, repository }: ModuleInfo): Map<string, Variable> {
  const variables = new Map<string, Variable>();
  const add = (file: string, prefix: string): void => {
    const place = path.relative(root, file);
    for (const [key, text = ""] of Object.entries(parseEnv(regularTextIfThere(file)))) {
      const plain = flat(key);
      if (plain.startsWith(prefix)) variables.set(plain.slice(prefix.length), { text, place });
    }
  };
  add(path.join(root, envFile), "");
  const nearest = nearestFile(root, repository);
  if (nearest !== undefined) add(nearest, flat(name));
  return variables;
}

/** Returns the `.env` files that are there and may set defaults of the module. */
export function envDefaultFiles({ root, repository }: Pick<ModuleInfo, "root" | "repository">): string[] {
  const nearest = nearestFile(root, repository);
  return nearest === undefined ? [] : [nearest];
}

function nearestFile(folder: string, top: string): string | undefined {
  const file = path.join(folder, envFile);
  if (statIfThere(file)?.isFile() === true) return file;
  const above = path.dirname(folder);
  return folder === top || above === folder ? undefined : nearestFile(above, top);
}

const flat = (name: string): string => name.replaceAll(/[_-]/g, "").toLowerCase();

function isPlain(type: ArgumentInfo["type"]): boolean {
  if (type.kind === "list") return type.of.kind !== "list" && isPlain(type.of);
  return ["string", "integer", "float", "boolean", "scalar", "enum"].includes(type.kind);
}

/** A list is written with commas, as on the command line. */
function textOf(text: string, { type }: ArgumentInfo): string {
  if (type.kind !== "list" || text.startsWith("[")) return text;
  const items = text === "" ? [] : text.split(",");
  const isText = ["string", "scalar", "enum"].includes(type.of.kind);
  return isText ? JSON.stringify(items) : `[${items.join(",")}]`;
}
