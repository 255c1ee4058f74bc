/** Validates a dagger.json and returns its content. Loaded only for a text that has not been seen before. */
import path from "node:path";
import { z } from "zod";
import { UserError } from "../../errors/index.ts";
import { JsonSyntaxError, lineAndColumn, parsePlacedJson, type PlacedJson } from "./json-places.ts";

const dependency = z.object({
  name: z.string().min(1).optional(),
  source: z.string().min(1),
  pin: z.string().optional(),
});

/** Overrides an argument's default in a project that uses the module as a toolchain. */
const customization = z.object({
  /** Function names from the main object on; without any, the argument is the constructor's. */
  function: z.array(z.string()).optional(),
  argument: z.string().min(1),
  default: z.string().optional(),
  defaultPath: z.string().optional(),
  defaultAddress: z.string().optional(),
  ignore: z.array(z.string()).optional(),
  /** Setting in a dagger.toml; its meaning depends on the argument's type. */
  setting: z.unknown().optional(),
});

const toolchain = dependency.extend({
  customizations: z.array(customization).optional(),
  ignoreChecks: z.array(z.string()).optional(),
  ignoreGenerators: z.array(z.string()).optional(),
  ignoreServices: z.array(z.string()).optional(),
});

const manifestSchema = z.object({
  name: z.string().min(1),
  engineVersion: z.string().optional(),
  sdk: z.union([z.string(), z.object({ source: z.string() })]).optional(),
  source: z.string().optional(),
  include: z.array(z.string()).optional(),
  dependencies: z.array(dependency).optional(),
  toolchains: z.array(toolchain).optional(),
  blueprint: toolchain.optional(),
  disableDefaultFunctionCaching: z.boolean().optional(),
});

/** Host port in a dagger.toml, with the service that it leads to. */
export interface WorkspacePort {
  host: number;
  /** `module:function`. */
  service: string;
  port: number;
}

/** The parts of a manifest that fastloop uses, as written. */
export type CheckedManifest = z.infer<typeof manifestSchema> & {
  ports?: WorkspacePort[];
  /** Keys that have no effect here. */
  unused?: string[];
};
export type Customization = z.infer<typeof customization>;

export function checkManifest(file: string, text: string): CheckedManifest {
  const placed = parse(file, text);
  const parsed = manifestSchema.safeParse(placed.value);
  if (!parsed.success) throw schemaError(file, text, placed, parsed.error);
  const { dependencies = [], toolchains = [] } = parsed.data;
  // Only dependents use the module's own name in code, so here only `__proto__` is checked.
  if (parsed.data.name === "__proto__") requireOwnName(parsed.data.name, () => placeOf(file, text, "name"));
  for (const [list, names] of Object.entries({ dependencies, toolchains }))
    names.forEach(({ name, source }, index) =>
      requireOwnName(name ?? path.basename(source), () => placeOf(file, text, `${list}.${index}`)),
    );
  requireTypeScript(parsed.data, (key) => placeOf(file, text, key));
  return parsed.data;
}

/** Ignores spelling: `has-own-property` is `hasOwnProperty` in code. */
const lettersOf = (name: string): string => name.replaceAll(/[^a-z\d]/gi, "").toLowerCase();
const foreignNames = new Set(["prototype", ...Object.getOwnPropertyNames(Object.prototype).map(lettersOf)]);

/**
 * Throws a `UserError` for a name that every object has: it would mean something else in code, in the client and in
 * tables.
 */
export function requireOwnName(name: string, place: () => string): void {
  const inCode = lettersOf(name);
  if (inCode !== "" && !foreignNames.has(inCode)) return;
  throw new UserError("module", `no module can be called ${JSON.stringify(name)}`, {
    place: place(),
    hint: "its name becomes an identifier: use letters and digits, and no member name that every object has",
  });
}

/** Returns `file:line:column` of a value by its path, such as `source`. */
export function placeOf(file: string, text: string, key: string): string {
  return `${file}:${lineAndColumn(text, parsePlacedJson(text).offsets.get(key) ?? 0)}`;
}

function requireTypeScript(manifest: CheckedManifest, at: (key: string) => string): void {
  const sdk = typeof manifest.sdk === "string" ? manifest.sdk : manifest.sdk?.source;
  if (sdk === undefined) {
    // A blueprint or toolchains provide the functions.
    if (manifest.blueprint !== undefined || (manifest.toolchains ?? []).length > 0) return;
    throw new UserError("module", "this module has no SDK, so it has no functions", {
      place: at(""),
      hint: 'add "sdk": { "source": "typescript" }',
    });
  }
  if (sdk.split("@")[0] !== "typescript") {
    throw new UserError(
      "engine-unsupported",
      `a module in ${sdk} needs a Dagger engine; fastloop runs TypeScript modules`,
      {
        place: at("sdk"),
        hint: "with an engine, `dagger functions`, `dagger call` and `dagger check` run it",
      },
    );
  }
}

function parse(file: string, text: string): PlacedJson {
  try {
    return parsePlacedJson(text);
  } catch (cause) {
    if (!(cause instanceof JsonSyntaxError)) throw cause;
    throw new UserError("module", `not valid JSON: ${cause.message}`, {
      place: `${file}:${lineAndColumn(text, cause.offset)}`,
      cause,
    });
  }
}

function schemaError(file: string, text: string, placed: PlacedJson, error: z.ZodError): UserError {
  const [issue] = error.issues;
  const key = (issue?.path ?? []).join(".");
  const missing = issue?.code === "invalid_type" && !placed.offsets.has(key);
  const parent = key.includes(".") ? key.slice(0, key.lastIndexOf(".")) : "";
  const offset = placed.offsets.get(key) ?? placed.offsets.get(parent) ?? 0;
  const message = missing
    ? `"${key}" is missing`
    : key === ""
      ? "a module's configuration is a JSON object"
      : `"${key}": ${(issue?.message ?? "invalid").replace(/^Invalid input: /, "")}`;
  return new UserError("module", message, {
    place: `${file}:${lineAndColumn(text, offset)}`,
    hint: 'a minimal one: {"name": "ci", "engineVersion": "v0.21.4", "sdk": {"source": "typescript"}, "source": "pipelines"}',
  });
}
