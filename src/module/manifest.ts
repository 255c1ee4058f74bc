/** dagger.json: finding it, reading it, and saying what is wrong with it. */
import { readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { UserError } from "../errors/index.ts";
import { JsonSyntaxError, lineAndColumn, parsePlacedJson, type PlacedJson } from "./json-places.ts";

export const manifestFile = "dagger.json";

const dependency = z.object({ name: z.string().optional(), source: z.string(), pin: z.string().optional() });

const manifestSchema = z.object({
  name: z.string().min(1),
  engineVersion: z.string().optional(),
  sdk: z.union([z.string(), z.object({ source: z.string() })]).optional(),
  source: z.string().optional(),
  include: z.array(z.string()).optional(),
  dependencies: z.array(dependency).optional(),
  toolchains: z.array(dependency).optional(),
  disableDefaultFunctionCaching: z.boolean().optional(),
});

export interface Manifest {
  name: string;
  /** Real path of the folder that holds dagger.json. */
  root: string;
  /** `source`, normalised and relative to `root`; `.` when it is the root itself. */
  source: string;
  include: string[];
  engineVersion: string;
  /** Dependencies and toolchains; `local` ones are folders of this repository. */
  dependencies: { name: string; source: string; local: boolean; place: string }[];
  disableDefaultFunctionCaching: boolean;
}

/** The folder of the module: `dir` itself when given by `-m`, else the nearest one upwards from `cwd` that has dagger.json. */
export function findModule(cwd: string, dir?: string): string {
  if (dir !== undefined) {
    refuseRemote(dir);
    return path.resolve(cwd, dir);
  }
  for (let folder = path.resolve(cwd); ; folder = path.dirname(folder)) {
    if (statSync(path.join(folder, manifestFile), { throwIfNoEntry: false })?.isFile() === true) return folder;
    if (folder === path.dirname(folder)) break;
  }
  throw new UserError("module", `no ${manifestFile} here or in a folder above`, {
    place: path.resolve(cwd),
    hint: "name the module's folder with -m, or write one with `fastloop init`",
  });
}

/** A module that is not on this disk runs inside an engine only: its code must not run beside the user's files. */
export function refuseRemote(reference: string): void {
  if (!isRemote(reference)) return;
  throw new UserError("engine-unsupported", "a remote module needs a Dagger engine", {
    place: reference,
    hint: `clone it and name the folder with -m, or run \`dagger call -m ${reference}\``,
  });
}

export function isRemote(reference: string): boolean {
  return /^(?:[a-z+]+:\/\/|git@)/i.test(reference) || /^[a-z0-9-]+(?:\.[a-z0-9-]+)+\/[^/]/i.test(reference);
}

export function readManifest(dir: string): Manifest {
  const file = path.join(dir, manifestFile);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new UserError("module", `this folder has no readable ${manifestFile}`, {
      place: dir,
      cause,
      hint: "name the module's folder with -m, or write one with `fastloop init`",
    });
  }
  const placed = parse(file, text);
  const parsed = manifestSchema.safeParse(placed.value);
  if (!parsed.success) throw schemaError(file, text, placed, parsed.error);
  const manifest = parsed.data;
  const at = (key: string): string => `${file}:${lineAndColumn(text, placed.offsets.get(key) ?? 0)}`;

  const sdk = typeof manifest.sdk === "string" ? manifest.sdk : manifest.sdk?.source;
  if (sdk === undefined) {
    throw new UserError("module", "this module has no SDK, so it has no functions", {
      place: at(""),
      hint: 'add "sdk": { "source": "typescript" }',
    });
  }
  if (sdk.split("@")[0] !== "typescript") {
    throw new UserError("engine-unsupported", `a module in ${sdk} needs a Dagger engine; fastloop runs TypeScript modules`, {
      place: at("sdk"),
      hint: "run it with `dagger call`",
    });
  }
  const root = realpathSync(dir);
  return {
    name: manifest.name,
    root,
    source: sourceFolder(root, manifest.source ?? ".", at("source")),
    include: manifest.include ?? [],
    engineVersion: manifest.engineVersion ?? "",
    dependencies: (["dependencies", "toolchains"] as const).flatMap((list) =>
      (manifest[list] ?? []).map((entry, index) => ({
        name: entry.name ?? path.basename(entry.source),
        source: entry.source,
        local: !isRemote(entry.source),
        place: at(`${list}.${index}`),
      })),
    ),
    disableDefaultFunctionCaching: manifest.disableDefaultFunctionCaching ?? false,
  };
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

function sourceFolder(root: string, source: string, place: string): string {
  const relative = path.normalize(source).replace(/\/+$/, "");
  if (path.isAbsolute(relative) || relative === ".." || relative.startsWith("../")) {
    throw new UserError("module", `"source" must be a folder below ${manifestFile}, not ${source}`, { place });
  }
  const stats = statSync(path.join(root, relative, "src"), { throwIfNoEntry: false });
  if (stats?.isDirectory() !== true) {
    throw new UserError("module", `the module's code belongs in ${path.join(relative, "src")}/, which is not there`, {
      place,
      hint: 'set "source" to the folder that holds src/',
    });
  }
  return relative;
}
