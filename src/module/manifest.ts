/** dagger.json: finding it, reading it, and saying what is wrong with it. */
import { realpathSync, statSync } from "node:fs";
import path from "node:path";
import { UserError } from "../errors/index.ts";
import { ModuleCache } from "./cache.ts";
import { isReallyInside } from "./inside.ts";
import { lstatIfThere, packageRoot, readRegular, UnfitFile } from "../paths/index.ts";
import type { CheckedManifest } from "./manifest-check.ts";

export const manifestFile = "dagger.json";
/** The same in Dagger 1.0. */
const nextManifestFile = "dagger-module.toml";

export interface Manifest {
  name: string;
  /** Real path of the folder that holds dagger.json. */
  root: string;
  /** `source`, normalised and relative to `root`; `.` when it is the root itself. */
  source: string;
  include: string[];
  engineVersion: string;
  /** What it depends on, toolchains included, as written. */
  dependencies: ManifestDependency[];
  disableDefaultFunctionCaching: boolean;
}

export interface ManifestDependency {
  /** As `dagger.json` calls it; the name of its folder where it gives none. */
  name: string;
  /** A folder relative to dagger.json's, or an address. */
  source: string;
  /** Finds `file:line:col` in dagger.json. */
  place(): Promise<string>;
}

/** The folder of the module: `dir` itself when given by `-m`, else the nearest one upwards from `cwd` that has dagger.json. */
export function findModule(cwd: string, dir?: string): string {
  if (dir !== undefined) {
    refuseRemote(dir);
    return path.resolve(cwd, dir);
  }
  for (let folder = path.resolve(cwd); ; folder = path.dirname(folder)) {
    if ([manifestFile, nextManifestFile].some((name) => isNamed(path.join(folder, name)))) return folder;
    if (folder === path.dirname(folder)) break;
  }
  throw new UserError(
    "module",
    `neither a fastloop.yaml that names a module nor a ${manifestFile} here or in a folder above`,
    {
      place: path.resolve(cwd),
      hint: "`fastloop init` sets a project up; -m names the folder of a module that lies elsewhere",
    },
  );
}

/** Also a link to nowhere, or a pipe: that is told as what it is, and no module above is taken in its place. */
const isNamed = (file: string): boolean => lstatIfThere(file)?.isDirectory() === false;

function nextModule(dir: string, cause: unknown): UserError {
  return new UserError(
    "engine-unsupported",
    `a module of Dagger 1.0 can't be read yet: it has a ${nextManifestFile} and no ${manifestFile}`,
    {
      place: path.join(dir, nextManifestFile),
      cause,
      hint: `put a ${manifestFile} beside it, which Dagger 0.21 and 1.0 read too, or run it with \`dagger call\` of Dagger 1.0`,
    },
  );
}

/** Real path of the module that fastloop brings: its package's own. */
export const packageModule = (): string => realpathSync(packageRoot());

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

/** Reads and checks the dagger.json in `dir`; throws `UserError` with its place. */
export async function readManifest(dir: string, cache: ModuleCache = new ModuleCache()): Promise<Manifest> {
  const file = path.join(dir, manifestFile);
  let text: string;
  try {
    text = readRegular(file).toString("utf8");
  } catch (cause) {
    if (isNamed(path.join(dir, nextManifestFile))) throw nextModule(dir, cause);
    const why = cause instanceof UnfitFile ? `: ${cause.message}` : "";
    throw new UserError("module", `this folder has no readable ${manifestFile}${why}`, {
      place: dir,
      cause,
      hint: "`fastloop init` sets a project up; -m names the folder of a module that lies elsewhere",
    });
  }
  const manifest = await checked(file, text, cache);
  const root = realpathSync(dir);
  return {
    name: manifest.name,
    root,
    source: await sourceFolder(root, manifest.source ?? ".", file, text),
    include: manifest.include ?? [],
    engineVersion: manifest.engineVersion ?? "",
    dependencies: dependenciesOf(manifest, file, text),
    disableDefaultFunctionCaching: manifest.disableDefaultFunctionCaching ?? false,
  };
}

function dependenciesOf(manifest: CheckedManifest, file: string, text: string): ManifestDependency[] {
  const written = (["dependencies", "toolchains"] as const).flatMap((key) =>
    (manifest[key] ?? []).map((dependency, index) => ({ ...dependency, key: `${key}.${index}` })),
  );
  return written.map(({ name, source, key }) => ({
    name: name ?? path.basename(source),
    source,
    place: async () => (await import("./manifest-check.ts")).placeOf(file, text, key),
  }));
}

/** The checker takes longer to load than everything else here: a text that was fine is fine. */
async function checked(file: string, text: string, cache: ModuleCache): Promise<CheckedManifest> {
  const known = cache.readManifest(text);
  if (known !== undefined) return known;
  const { checkManifest } = await import("./manifest-check.ts");
  const manifest = checkManifest(file, text);
  cache.storeManifest(text, manifest);
  return manifest;
}

async function sourceFolder(root: string, source: string, file: string, text: string): Promise<string> {
  const place = async (): Promise<string> => (await import("./manifest-check.ts")).placeOf(file, text, "source");
  const relative = path.normalize(source).replace(/\/+$/, "");
  if (path.isAbsolute(relative) || relative === ".." || relative.startsWith("../")) {
    throw new UserError("module", `"source" must be a folder below ${manifestFile}, not ${source}`, {
      place: await place(),
    });
  }
  // `root` is a real path; a link on the way from it, or `src` itself, may lead anywhere.
  if (!isReallyInside(root, path.join(root, relative, "src"))) {
    throw new UserError(
      "module",
      `"source" must be a folder below ${manifestFile}, and ${path.join(relative, "src")} is a link that leaves it`,
      { place: await place() },
    );
  }
  const stats = statSync(path.join(root, relative, "src"), { throwIfNoEntry: false });
  if (stats?.isDirectory() !== true) {
    throw new UserError("module", `the module's code belongs in ${path.join(relative, "src")}/, which is not there`, {
      place: await place(),
      hint: 'set "source" to the folder that holds src/',
    });
  }
  return relative;
}
