/** Finds, reads and validates dagger.json and its successors, dagger-module.toml and dagger.toml. */
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import { ModuleCache } from "./cache.ts";
import {
  isReallyInside,
  leadsOut,
  lstatIfThere,
  packageRoot,
  readRegular,
  realPathIfThere,
  regularTextIfThere,
  statIfThere,
  UnfitFile,
} from "../../paths/index.ts";
import type { CheckedManifest, Customization, WorkspacePort } from "./manifest-check.ts";
import type { ManifestContext } from "./manifest-toml.ts";

export const manifestFile = "dagger.json";
/** Successor in Dagger 1.0. It is not read beside a dagger.json, which both versions of Dagger read. */
const nextManifestFile = "dagger-module.toml";
/** Lists the modules of a workspace in Dagger 1.0; used only where no module's own file is beside it. */
export const workspaceFile = "dagger.toml";
export const manifestFiles = [manifestFile, nextManifestFile, workspaceFile];
const lockFile = "dagger.lock";
/** Files that define a module, and those that influence how it is read. */
export const settingFiles = [...manifestFiles, lockFile];

export interface Manifest {
  name: string;
  /** Real path of the folder that holds dagger.json. */
  root: string;
  /** Other manifest files in the folder, which do not count. */
  others: string[];
  /** Keys of the file that have no effect. */
  unused: string[];
  /** Name of the file that was read. */
  file: string;
  /** Whether the module has code of its own; otherwise its functions come from a blueprint and toolchains. */
  hasCode: boolean;
  /** The module whose code is used in this folder's place. */
  blueprint: ManifestDependency | undefined;
  /** `source`, normalized and relative to `root`; `.` for the root itself. */
  source: string;
  include: string[];
  engineVersion: string;
  /** Dependencies as written; toolchains come last. */
  dependencies: ManifestDependency[];
  disableDefaultFunctionCaching: boolean;
  /** Host ports that lead to services. */
  ports: WorkspacePort[];
}

/** Patterns of functions that the project leaves out. */
export interface IgnoredFunctions {
  ignoreChecks: string[];
  ignoreGenerators: string[];
  ignoreServices: string[];
}

export interface ManifestDependency {
  /** Name as in `dagger.json`, else the name of its folder. */
  name: string;
  /** A folder relative to dagger.json's, or a git address. */
  source: string;
  /** Commit of a git address. */
  pin?: string | undefined;
  /**
   * Set for a toolchain: its functions are listed beside the module's own, in the project's place, with these defaults.
   */
  toolchain?: IgnoredFunctions & { customizations: Customization[] };
  /** Finds `file:line:col` in dagger.json. */
  place(): Promise<string>;
}

/**
 * Returns the module's folder: `dir` as given by `-m`, else the nearest folder from `cwd` upwards with a manifest.
 * Throws a `UserError` if there is none.
 */
export function findModule(cwd: string, dir?: string): string {
  if (dir !== undefined) {
    refuseRemote(dir);
    return path.resolve(cwd, dir);
  }
  for (let folder = path.resolve(cwd); ; folder = path.dirname(folder)) {
    if (manifestFiles.some((name) => isNamed(path.join(folder, name)))) return folder;
    if (folder === path.dirname(folder)) break;
  }
  throw new UserError(
    "module",
    `neither a fastloop.yaml that names a module nor a ${manifestFile} here or in a folder above`,
    {
      place: path.resolve(cwd),
      hint: noModuleHint,
    },
  );
}

const noModuleHint =
  "`fastloop init` sets a project up; `module: fastloop` in fastloop.yaml takes the module that fastloop brings; -m names one that lies elsewhere";

/** Broken links and pipes count too: they are reported as errors instead of a module above being used. */
const isNamed = (file: string): boolean => lstatIfThere(file)?.isDirectory() === false;

/** Returns the real path of the module that fastloop brings, which is its own package. */
export const packageModule = (): string => realPathIfThere(packageRoot());

/**
 * Throws for a module that is not on this disk. It runs only in an engine, as its code must not run beside the user's
 * files.
 */
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

/** Reads and validates the manifest in `dir`. Throws a `UserError` with its place. */
export async function readManifest(
  dir: string,
  cache: ModuleCache = new ModuleCache(),
  env: NodeJS.ProcessEnv = process.env,
): Promise<Manifest> {
  const isThere = (name: string): boolean => isNamed(path.join(dir, name));
  const [name = manifestFile, ...others] = manifestFiles.filter(isThere);
  const file = path.join(dir, name);
  let text: string;
  try {
    text = readRegular(file).toString("utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    // A missing file needs no further explanation.
    const why = cause instanceof UnfitFile ? `: ${cause.message}` : code === "ENOENT" ? "" : ` (${code})`;
    throw new UserError("module", `this folder has no readable ${name}${why}`, {
      place: dir,
      cause,
      hint: noModuleHint,
    });
  }
  const manifest = await checked(file, text, cache, env);
  const root = realPathIfThere(dir);
  const { blueprint } = manifest;
  const hasCode = blueprint === undefined && (name === nextManifestFile || manifest.sdk !== undefined);
  return {
    name: manifest.name,
    root,
    file: name,
    others,
    unused: manifest.unused ?? [],
    hasCode,
    blueprint: blueprint && {
      ...asToolchain(blueprint),
      place: placeIn(file, text, keyOf(file, "blueprint", 0, blueprint)),
    },
    source: hasCode ? await sourceFolder(root, manifest.source ?? ".", file, text) : ".",
    include: manifest.include ?? [],
    engineVersion: manifest.engineVersion ?? "",
    dependencies: dependenciesOf(manifest, file, text),
    disableDefaultFunctionCaching: manifest.disableDefaultFunctionCaching ?? false,
    ports: manifest.ports ?? [],
  };
}

function placeIn(file: string, text: string, key: string): () => Promise<string> {
  return async () => {
    if (file.endsWith(".toml")) return (await import("./manifest-toml.ts")).placeInToml(file, text, key.split("."));
    return (await import("./manifest-check.ts")).placeOf(file, text, key);
  };
}

function dependenciesOf(manifest: CheckedManifest, file: string, text: string): ManifestDependency[] {
  const place = (key: string): (() => Promise<string>) => placeIn(file, text, key);
  return [
    ...(manifest.dependencies ?? []).map((one, index) => ({ ...named(one), place: place(`dependencies.${index}`) })),
    ...(manifest.toolchains ?? []).map((one, index) => ({
      ...asToolchain(one),
      place: place(keyOf(file, "toolchains", index, one)),
    })),
  ];
}

type WrittenToolchain = NonNullable<CheckedManifest["toolchains"]>[number];

type Named = Pick<ManifestDependency, "name" | "source" | "pin">;

function withoutVersion(source: string): string {
  const at = source.indexOf("@", source.lastIndexOf("/") + 1);
  return at < 0 ? source : source.slice(0, at);
}

const named = ({ name, source, pin }: Omit<Named, "name"> & { name?: string | undefined }): Named => ({
  name: name ?? path.basename(isRemote(source) ? withoutVersion(source) : source),
  source,
  pin,
});

function asToolchain(written: WrittenToolchain): Omit<ManifestDependency, "place"> {
  const { customizations = [], ignoreChecks = [], ignoreGenerators = [], ignoreServices = [] } = written;
  return { ...named(written), toolchain: { customizations, ignoreChecks, ignoreGenerators, ignoreServices } };
}

/** Returns the path of a toolchain or blueprint; in a dagger.toml it is a `[modules.name]`. */
function keyOf(file: string, key: string, index: number, { name }: WrittenToolchain): string {
  if (path.basename(file) === workspaceFile) return `modules.${name}`;
  return key === "toolchains" ? `toolchains.${index}` : key;
}

/** Loading the validator takes longer than everything else here, so a text that passed once is not checked again. */
async function checked(
  file: string,
  text: string,
  cache: ModuleCache,
  env: NodeJS.ProcessEnv,
): Promise<CheckedManifest> {
  const isWorkspace = path.basename(file) === workspaceFile;
  const beside = isWorkspace
    ? {
        lock: regularTextIfThere(path.join(path.dirname(file), lockFile)),
        environment: env["FASTLOOP_ENV"] || undefined,
      }
    : undefined;
  const key = `${path.basename(file)}\n${beside === undefined ? "" : JSON.stringify(beside)}${text}`;
  const known = cache.readManifest(key);
  if (known !== undefined) return known;
  const manifest = await check(file, text, beside);
  cache.storeManifest(key, manifest);
  return manifest;
}

async function check(file: string, text: string, beside: ManifestContext | undefined): Promise<CheckedManifest> {
  if (!file.endsWith(".toml")) return (await import("./manifest-check.ts")).checkManifest(file, text);
  const { checkTomlManifest, checkWorkspace } = await import("./manifest-toml.ts");
  return beside === undefined ? checkTomlManifest(file, text) : checkWorkspace(file, text, beside);
}

async function sourceFolder(root: string, source: string, file: string, text: string): Promise<string> {
  const place = placeIn(file, text, "source");
  const relative = path.normalize(source).replace(/\/+$/, "");
  if (path.isAbsolute(relative) || leadsOut(relative)) {
    throw new UserError("module", `"source" must be a folder below ${manifestFile}, not ${source}`, {
      place: await place(),
    });
  }
  // `root` is a real path; a link between it and `src`, or `src` itself, may lead anywhere.
  if (!isReallyInside(root, path.join(root, relative, "src"))) {
    throw new UserError(
      "module",
      `"source" must be a folder below ${manifestFile}, and ${path.join(relative, "src")} is a link that leaves it`,
      { place: await place() },
    );
  }
  const stats = statIfThere(path.join(root, relative, "src"));
  if (stats?.isDirectory() !== true) {
    throw new UserError("module", `the module's code belongs in ${path.join(relative, "src")}/, which is not there`, {
      place: await place(),
      hint: 'set "source" to the folder that holds src/',
    });
  }
  return relative;
}
