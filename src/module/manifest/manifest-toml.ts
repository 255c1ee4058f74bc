/** Validates dagger-module.toml and dagger.toml. Loaded only for a text that has not been seen before. */
import path from "node:path";
import { parse, TomlError } from "smol-toml";
import { z } from "zod";
import { UserError } from "../../errors/index.ts";
import { pinOf } from "./lock.ts";
import { requireOwnName, type CheckedManifest } from "./manifest-check.ts";

const schema = z.object({
  name: z.string().min(1),
  engineVersion: z.string().optional(),
  runtime: z.object({ source: z.string() }).optional(),
  source: z.string().optional(),
  include: z.array(z.string()).optional(),
  dependencies: z
    .array(z.object({ name: z.string().min(1).optional(), source: z.string().min(1), pin: z.string().optional() }))
    .optional(),
  disableDefaultFunctionCaching: z.boolean().optional(),
});

/**
 * Returns the content of a dagger-module.toml in the terms of a dagger.json. Throws a `UserError` with the place of the
 * first error.
 */
export function checkTomlManifest(file: string, text: string): CheckedManifest {
  const parsed = schema.safeParse(parsedToml(file, text));
  if (!parsed.success)
    throw schemaError(
      file,
      text,
      parsed.error,
      'name = "ci", engineVersion = "v1.0.0", and [runtime] with source = "typescript"',
    );
  const { runtime, ...manifest } = parsed.data;
  const sdk = runtime?.source;
  if (sdk === undefined)
    throw new UserError("module", "this module has no runtime, so it has no functions", {
      place: file,
      hint: 'add [runtime] with source = "typescript"',
    });
  if (!/^(?:dagger\.io\/sdk\/)?typescript(?:@|$)/.test(sdk))
    throw new UserError(
      "engine-unsupported",
      `a module in ${sdk} needs a Dagger engine; fastloop runs TypeScript modules`,
      {
        place: placeInToml(file, text, ["runtime", "source"]),
        hint: "with an engine, `dagger functions`, `dagger call` and `dagger check` run it",
      },
    );
  return manifest;
}

/** Inputs that count besides the text of a dagger.toml. */
export interface ManifestContext {
  /** Text of dagger.lock. */
  lock: string;
  /** Name of the chosen `[env.NAME]`. */
  environment: string | undefined;
}

const skip = z.object({ skip: z.array(z.string()).optional() }).optional();

const settings = z.record(z.string(), z.unknown()).optional();

const moduleSchema = z.object({
  source: z.string().min(1),
  pin: z.string().optional(),
  entrypoint: z.boolean().optional(),
  settings,
  check: skip,
  generate: skip,
  up: skip,
});

/** A dagger.toml, which lists the modules of a workspace. */
const workspaceSchema = z.object({
  env: z
    .record(
      z.string().min(1),
      z.object({
        modules: z
          .record(
            z.string().min(1),
            z.object({ source: z.string().min(1).optional(), pin: z.string().optional(), settings }),
          )
          .default({}),
      }),
    )
    .default({}),
  ports: z
    .record(
      z
        .string()
        .refine((port) => /^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65535, "a port of this machine was expected"),
      z.object({ backendService: z.string().min(1), backendPort: z.int().min(1).max(65535) }),
    )
    .default({}),
  modules: z.record(z.string().min(1), moduleSchema).default({}),
});

/**
 * Returns the workspace in the terms of a dagger.json: its entrypoint is the blueprint, the other modules are
 * toolchains.
 */
export function checkWorkspace(file: string, text: string, { lock, environment }: ManifestContext): CheckedManifest {
  const written = parsedToml(file, text);
  refuseForeignNames(file, text, written);
  const parsed = workspaceSchema.safeParse(written);
  if (!parsed.success) throw schemaError(file, text, parsed.error, '[modules.ci] with source = "./ci"');
  const modules = Object.entries(inEnvironment(parsed.data, environment, file)).map(([name, module]) => ({
    name,
    source: module.source,
    pin: module.pin ?? pinOf(module.source, lock),
    isEntrypoint: module.entrypoint === true,
    customizations: Object.entries(module.settings ?? {}).map(([argument, setting]) => ({ argument, setting })),
    ignoreChecks: module.check?.skip,
    ignoreGenerators: module.generate?.skip,
    ignoreServices: module.up?.skip,
  }));
  if (modules.length === 0)
    throw new UserError("module", "this workspace has no modules", {
      place: file,
      hint: 'name one: [modules.ci] with source = "./ci"',
    });
  const entrypoints = modules.filter(({ isEntrypoint }) => isEntrypoint);
  if (entrypoints.length > 1)
    throw new UserError("module", `there is one entrypoint, not ${entrypoints.map(({ name }) => name).join(" and ")}`, {
      place: placeInToml(file, text, ["modules", entrypoints[1]!.name, "entrypoint"]),
    });
  const unused = unusedKeys(written as object, parsed.data);
  return {
    name: path.basename(path.dirname(file)),
    engineVersion: "v1.0.0",
    ...(unused.length === 0 ? {} : { unused }),
    blueprint: entrypoints[0],
    toolchains: modules.filter(({ isEntrypoint }) => !isEntrypoint),
    ports: Object.entries(parsed.data.ports).map(([host, { backendService: service, backendPort: port }]) => ({
      host: Number(host),
      service,
      port,
    })),
  };
}

/** Returns the keys that fastloop does not apply: of Dagger (`ignore`, `defaults_from_dotenv`), or misspelled ones. */
function unusedKeys(written: object, { modules }: Workspace): string[] {
  const unknown = (of: object, schema: z.ZodObject, prefix: string): string[] =>
    Object.keys(of).flatMap((key) => (Object.hasOwn(schema.shape, key) ? [] : [prefix + key]));
  const given = (written as { modules?: Record<string, object> }).modules ?? {};
  const ofModules = Object.keys(modules).flatMap((name) =>
    unknown(given[name] ?? {}, moduleSchema, `modules.${name}.`),
  );
  return [...unknown(written, workspaceSchema, ""), ...ofModules];
}

type Workspace = z.infer<typeof workspaceSchema>;

/** Returns the modules with the overrides of the chosen environment. */
function inEnvironment({ modules, env }: Workspace, chosen: string | undefined, file: string): Workspace["modules"] {
  if (chosen === undefined) return modules;
  const overlay = Object.hasOwn(env, chosen) ? env[chosen] : undefined;
  if (overlay === undefined)
    throw new UserError("module", `there is no environment ${chosen}, which FASTLOOP_ENV names`, {
      place: file,
      hint: `there are: ${Object.keys(env).join(", ") || "none"}`,
    });
  const changed = { ...modules };
  for (const [name, { source, pin, settings: set }] of Object.entries(overlay.modules)) {
    requireOwnName(name, () => file);
    const base = Object.hasOwn(modules, name) ? modules[name] : undefined;
    const from = source ?? base?.source;
    if (from === undefined)
      throw new UserError("module", `the environment ${chosen} names ${name}, which is not a module`, { place: file });
    // A pin belongs to its source.
    const pinned = source === undefined ? (pin ?? base?.pin) : pin;
    changed[name] = { ...base, source: from, pin: pinned, settings: { ...base?.settings, ...set } };
  }
  return changed;
}

/** Throws for names that every object has; a parser or a table would misread or drop them. */
function refuseForeignNames(file: string, text: string, written: unknown): void {
  const { modules } = written as { modules?: unknown };
  for (const name of typeof modules === "object" && modules !== null ? Object.getOwnPropertyNames(modules) : [])
    requireOwnName(name, () => placeInToml(file, text, ["modules", name]));
}

function schemaError(file: string, text: string, error: z.ZodError, minimal: string): UserError {
  const [issue] = error.issues;
  const key = (issue?.path ?? []).map(String);
  // For an invalid key, only the nested issues say why.
  const said = issue?.code === "invalid_key" ? issue.issues[0]?.message : issue?.message;
  const message = (said ?? "invalid").replace(/^Invalid input: /, "");
  return new UserError("module", `"${key.join(".")}": ${message}`, {
    place: placeInToml(file, text, key),
    hint: `a minimal one: ${minimal}`,
  });
}

/** Parses TOML. Throws a `UserError` with the place of a syntax error. */
function parsedToml(file: string, text: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const message = cause.message.split("\n")[0]?.replace(/^Invalid TOML document: /, "") ?? "";
    throw new UserError("module", `not valid TOML: ${message}`, {
      place: `${file}:${cause.line}:${cause.column}`,
      cause,
    });
  }
}

/**
 * Returns `file:line` of a key by its path, in the usual spellings `[a.b]`, `[[list]]`, `key = …`; only the file if the
 * key is not found.
 */
export function placeInToml(file: string, text: string, key: readonly string[]): string {
  const last = key.at(-1) ?? "";
  const table = key.slice(0, -1).filter((part) => !/^\d+$/.test(part));
  const index = Number(key.find((part) => /^\d+$/.test(part)) ?? 0);
  let inTable = table.length === 0;
  let seen = -1;
  for (const [at, line] of text.split("\n").entries()) {
    const header = /^\s*\[+([^[\]][^\]]*)\]/.exec(line)?.[1]?.replaceAll(/["']/g, "").trim();
    if (header !== undefined) {
      if (header === table.join(".")) seen++;
      inTable = header === table.join(".") && seen === index;
      if (header === key.join(".")) return `${file}:${at + 1}`;
    } else if (inTable && new RegExp(`^\\s*["']?${last.replaceAll(/\W/g, "\\$&")}["']?\\s*=`).test(line))
      return `${file}:${at + 1}`;
  }
  return file;
}
