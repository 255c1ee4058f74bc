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

/** A part of fastloop that a program can replace. */
export interface ExtensionPoint<T> {
  key: ExtensionKey;
  /** Built-in implementations by name; the first is the default. */
  builtIn: Readonly<Record<string, () => T | Promise<T>>>;
  /** Functions that the default export must have. */
  methods: readonly (keyof T & string)[];
}

export interface ExtensionOf<T> {
  extension: T;
  /** Whether the extension is a file of the project instead of a built-in one. */
  isForeign: boolean;
}

/**
 * Returns the extension that `extensions` names for this point, or the default. A file runs with the user's rights:
 * without the user's trust a notice says so and the default is used. Throws a `UserError` for an unknown name, and for
 * a file that cannot be loaded or has another shape.
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

/** Returns a built-in extension. Throws a `UserError` for an unknown name. */
export async function builtIn<T>(point: ExtensionPoint<T>, name: string, place: string): Promise<T> {
  const make = Object.hasOwn(point.builtIn, name) ? point.builtIn[name] : undefined;
  if (make !== undefined) return await make();
  throw new UserError("config", `"${name}" is not one of ${Object.keys(point.builtIn).join(", ")}`, {
    place,
    hint: "write a file of the project with a leading ./",
  });
}

/**
 * Runs a file and returns its default export, which must be an object with a name and the point's functions. Throws a
 * `UserError` otherwise.
 */
export async function loadExtension<T extends object>(
  { methods }: ExtensionPoint<T>,
  { file, source }: Pick<ExtensionFile, "file" | "source">,
  place: string,
): Promise<T> {
  let exported: unknown;
  try {
    exported = (await inTime(imported(asUrl(await asJavaScript(file, source))))).default;
  } catch (cause) {
    throw new UserError("config", `the extension can't be loaded: ${messageOf(cause)}`, { place, cause, hint: alone });
  }
  const problem = problemOf(exported, methods);
  if (problem !== undefined) throw new UserError("config", problem, { place });
  return exported as T;
}

const alone = "an extension is one file that imports only from `node:`; bundle what it needs, e.g. with esbuild";

/** Imports a module. The build replaces `await import(`, because the command line's own code runs as scripts. */
async function imported(url: string): Promise<{ default?: unknown }> {
  return (await import(url)) as { default?: unknown };
}

const loadMs = 10_000;

/** Throws when a module's own `await` doesn't end: without a timer, Node would exit with 0 and say nothing. */
async function inTime<T>(loading: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`it has not loaded after ${loadMs / 1000} s`)), loadMs);
  });
  try {
    return await Promise.race([loading, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Imports the trusted text itself, because the file could change before the import. */
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
