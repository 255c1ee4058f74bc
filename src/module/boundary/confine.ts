/**
 * The helper that runs function bodies behind a boundary of the operating system (tools/confine, built by set-up):
 * where it is, and the specification it gets for a module.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import {
  cacheHome,
  enginePackage,
  isInside,
  packageRoot,
  proxyOf,
  proxyPort,
  proxyVariables,
  realPath,
} from "../../paths/index.ts";
import { requireBuilt } from "../../state/index.ts";
import { ignoredFiles } from "./ignored.ts";
import type { ModuleInfo } from "../types.ts";

/**
 * Returns the helper's folder for an architecture in Go's naming: in the engine's package, or in a cache folder keyed
 * by the helper's sources.
 */
export function confineDir(root: string, arch: string, env: NodeJS.ProcessEnv = process.env): string {
  const ready = enginePackage(root);
  if (ready !== undefined) return path.join(ready, "confine", arch);
  return path.join(cacheHome(env), "confine", sourcesDigest(path.join(root, "tools", "confine")), arch);
}

/** Digests by folder. The sources don't change while fastloop runs, and each process of bodies needs one. */
const sourcesDigests = new Map<string, string>();

function sourcesDigest(folder: string): string {
  const known = sourcesDigests.get(folder);
  if (known !== undefined) return known;
  const sources = readdirSync(folder)
    .filter((file) => /\.(?:go|mod|sum)$/.test(file))
    .sort();
  const hash = createHash("sha256");
  for (const file of sources) hash.update(file).update(readFileSync(path.join(folder, file)));
  const digest = hash.digest("hex").slice(0, 16);
  sourcesDigests.set(folder, digest);
  return digest;
}

/**
 * Returns the helper's path; undefined if set-up has not built it. Throws a `UserError` if it was changed since.
 * `FASTLOOP_CONFINE` names another one.
 */
export function confineProgram(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = env.FASTLOOP_CONFINE;
  if (named !== undefined && named !== "") return named;
  const program = path.join(confineDir(packageRoot(), process.arch === "x64" ? "amd64" : process.arch, env), "confine");
  return existsSync(program) ? requireBuilt(program, env) : undefined;
}

/** Specification that tools/confine/main.go reads. */
interface ConfineSpec {
  Command: string[];
  Folder: string;
  Visible: string[];
  Hidden: string[];
  Allowed: string[];
  Parent: number;
}

export interface VisibleFiles {
  /** Folders and files that the body sees, read-only. */
  readable: readonly string[];
  packages: readonly string[];
  environment: NodeJS.ProcessEnv;
}

/** Returns the specification that the helper is started with. */
export function confineSpec(
  module: ModuleInfo,
  command: string[],
  { readable, packages, environment }: VisibleFiles,
): ConfineSpec {
  const certificates = [environment.NODE_EXTRA_CA_CERTS, environment.SSL_CERT_FILE].filter(
    (file): file is string => file !== undefined && path.isAbsolute(file),
  );
  const visible = [
    ...readable,
    module.sourceDir,
    ...packages,
    ...linkedPackages(module, packages),
    ...certificates,
    ...nodeLibraries(),
  ];
  return {
    Command: command,
    Folder: module.sourceDir,
    // Node also looks up a file's real path.
    Visible: [...new Set(visible.flatMap((place) => [place, realPath(place)]))],
    Hidden: [...[".git", ".fastloop"].map((name) => path.join(module.sourceDir, name)), ...ignoredFiles(module)],
    Allowed: proxies(environment),
    Parent: process.pid,
  };
}

/**
 * Returns the targets of links among the packages that are in the same repository: a workspace's packages, or a pnpm
 * store.
 */
function linkedPackages({ contextDir }: ModuleInfo, folders: readonly string[]): string[] {
  const repository = realPath(contextDir);
  const links = folders.flatMap((folder) =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const place = path.join(folder, entry.name);
      if (entry.isSymbolicLink()) return [place];
      if (!entry.isDirectory() || !entry.name.startsWith("@")) return [];
      return readdirSync(place, { withFileTypes: true })
        .filter((inner) => inner.isSymbolicLink())
        .map((inner) => path.join(place, inner.name));
    }),
  );
  const targets = links.map(realPath).map((target) => packageStore(target) ?? target);
  // A link to the repository itself would expose all of it.
  return [...new Set(targets)].filter(
    (target) => isInside(repository, target) && target !== repository && existsSync(target),
  );
}

/** Returns the `node_modules/.pnpm` that contains the package, if any, since packages find each other there. */
function packageStore(target: string): string | undefined {
  const parts = target.split(path.sep);
  const store = parts.indexOf(".pnpm");
  return store === -1 ? undefined : parts.slice(0, store + 1).join(path.sep);
}

/** Returns the libraries of a Node that is not the system's; they lie beside it. */
function nodeLibraries(): string[] {
  const prefix = path.dirname(path.dirname(process.execPath));
  const brew = "/home/linuxbrew/.linuxbrew";
  if (isInside(brew, process.execPath)) return [brew];
  return prefix === "/usr" || prefix === "/" ? [] : [path.join(prefix, "lib")].filter((folder) => existsSync(folder));
}

/**
 * Returns `host:port` of the proxies in the user's environment. They are in the user's network, which bodies cannot
 * reach otherwise.
 */
function proxies(environment: NodeJS.ProcessEnv): string[] {
  const named = proxyVariables.filter((name) => !/^no_/i.test(name)).map((name) => environment[name] ?? "");
  const places = named.flatMap((text) => {
    const proxy = proxyOf(text);
    return proxy === undefined ? [] : [`${proxy.hostname}:${proxyPort(proxy)}`];
  });
  return [...new Set(places)];
}
