import type { LoadedConfig } from "../config/index.ts";
import { UserError } from "../errors/index.ts";
import {
  describeAsk,
  isExtensionFile,
  readExtension,
  type ExtensionFile,
  type ExtensionKey,
  type Trust,
} from "../trust/index.ts";

/** A place where a program can stand in for what fastloop brings. */
export interface ExtensionPoint<T> {
  key: ExtensionKey;
  /** By name; the first is the default. */
  builtIn: Readonly<Record<string, () => T | Promise<T>>>;
  /** Names of what the default export must have as functions. */
  methods: readonly (keyof T & string)[];
}

export interface ExtensionOf<T> {
  extension: T;
  /** A file of the project, whatever it does; not what fastloop brings. */
  isForeign: boolean;
}

/**
 * What `extensions` names for this point, or the default. A file runs with the user's rights: without the user's trust it
 * is told and the default taken. Throws `UserError` for a name that is none, and a file that can't be loaded or has not
 * the shape.
 */
export async function extensionOf<T extends object>(
  point: ExtensionPoint<T>,
  { config, root }: Pick<LoadedConfig, "config" | "root">,
  trust: Pick<Trust, "allows">,
  onNotice: (text: string) => void,
): Promise<ExtensionOf<T>> {
  const name = config.extensions?.[point.key] ?? Object.keys(point.builtIn)[0]!;
  const place = `extensions.${point.key}`;
  if (!isExtensionFile(name)) return { extension: await builtIn(point, name, place), isForeign: false };
  const file = readExtension(root, point.key, name);
  if (trust.allows(file.ask))
    return { extension: await loadExtension(point, file, `${place}: ${name}`), isForeign: true };
  onNotice(`${describeAsk(file.ask)}: it is not used, for this needs your trust (\`fastloop trust\`)`);
  return { extension: await Object.values(point.builtIn)[0]!(), isForeign: false };
}

/** One of those that fastloop brings. Throws `UserError` for another name. */
export async function builtIn<T>(point: ExtensionPoint<T>, name: string, place: string): Promise<T> {
  const make = Object.hasOwn(point.builtIn, name) ? point.builtIn[name] : undefined;
  if (make !== undefined) return await make();
  throw new UserError("config", `"${name}" is not one of ${Object.keys(point.builtIn).join(", ")}`, {
    place,
    hint: "a file of the project begins with ./",
  });
}

/** Runs a file and takes its default export, which must be an object with a name and the functions of the point. */
export async function loadExtension<T extends object>(
  { methods }: ExtensionPoint<T>,
  { file, source }: Pick<ExtensionFile, "file" | "source">,
  place: string,
): Promise<T> {
  let exported: unknown;
  try {
    exported = ((await import(asUrl(await asJavaScript(file, source)))) as { default?: unknown }).default;
  } catch (cause) {
    throw new UserError("config", `the extension can't be loaded: ${messageOf(cause)}`, { place, cause, hint: alone });
  }
  const problem = problemOf(exported, methods);
  if (problem !== undefined) throw new UserError("config", problem, { place });
  return exported as T;
}

const alone = "an extension is one file that imports from `node:` alone: bundle what it needs, e.g. with esbuild";

/** The text that was trusted is what runs: a file could be another by the time that it is imported. */
const asUrl = (source: string): string => `data:text/javascript;base64,${Buffer.from(source).toString("base64")}`;

async function asJavaScript(file: string, source: string): Promise<string> {
  if (!/\.[cm]?ts$/.test(file)) return source;
  const { transform } = await import("esbuild");
  return (await transform(source, { loader: "ts", format: "esm", target: "node20", logLevel: "silent" })).code;
}

function problemOf(exported: unknown, methods: readonly string[]): string | undefined {
  const shape = `an object with a name and ${methods.map((method) => `${method}()`).join(" and ")}`;
  if (typeof exported !== "object" || exported === null) return `the default export is not ${shape}`;
  const fields = exported as Record<string, unknown>;
  if (typeof fields["name"] !== "string") return `the default export has no name: ${shape} was expected`;
  const missing = methods.find((method) => typeof fields[method] !== "function");
  return missing === undefined ? undefined : `the default export has no ${missing}(): ${shape} was expected`;
}

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/data:text\/javascript;base64,\S+/g, "it");
