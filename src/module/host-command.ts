/** How the host process of function bodies is started: its program, what it may read, what it sees of the environment. */
import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { bundlePlace, type ModuleBundle } from "./bundle.ts";
import { packageFolders } from "./fence.ts";
import { distFile, findPackageRoot } from "./programs.ts";
import { listTree } from "../tree/index.ts";
import type { ModuleInfo } from "./types.ts";

export interface HostCommand {
  command: string;
  args: string[];
  environment: NodeJS.ProcessEnv;
}

/** Throws a `UserError` where the module's packages lie outside of its repository. */
export function hostCommand(module: ModuleInfo, env: NodeJS.ProcessEnv): HostCommand {
  const node = [process.execPath, ...hostFlags(module, bundlePlace(module, env)), distFile("module-host.js")];
  const [command = process.execPath, ...args] = endingWithUs(node);
  return { command, args, environment: scrubbed(env) };
}

/**
 * The host ends when its parent's channel closes; a body in an endless loop never hears of that. Where the parent is
 * killed the kernel ends the host, which util-linux's setpriv asks for (that of busybox can't).
 */
function endingWithUs(words: string[]): string[] {
  const setpriv = "/usr/bin/setpriv";
  if (process.platform !== "linux" || !existsSync(setpriv) || path.basename(realpathSync(setpriv)) !== "setpriv") return words;
  return [setpriv, "--pdeathsig", "KILL", "--", ...words];
}

/** Only what Node itself needs: a body sees none of the user's environment, as in an engine's container. */
function scrubbed(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept: NodeJS.ProcessEnv = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root" };
  for (const name of ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "TZ", "LANG"]) {
    if (env[name] !== undefined) kept[name] = env[name];
  }
  return kept;
}

/** Node's permission model: reads of the module, of packages and of the programs; no writes, children or workers. */
function hostFlags(module: ModuleInfo, bundle: ModuleBundle): string[] {
  const flags = process.allowedNodeEnvironmentFlags;
  const readable = new Set<string>();
  for (const folder of [
    ...packageFolders(module),
    path.join(findPackageRoot(), "node_modules"),
    path.dirname(distFile("sdk.js")),
    bundle.folder,
  ]) {
    readable.add(folder);
    if (existsSync(folder)) readable.add(realpathSync(folder)); // A workspace's, which is elsewhere in the repository.
  }
  return [
    flags.has("--permission") ? "--permission" : "--experimental-permission",
    ...(flags.has("--allow-net") ? ["--allow-net"] : []),
    ...[...readable].map((folder) => `--allow-fs-read=${path.join(folder, "*")}`),
    ...readableSources(module.sourceDir).map((place) => `--allow-fs-read=${place}`),
    "--disable-warning=ExperimentalWarning",
    "--disable-warning=SecurityWarning",
  ];
}

/**
 * The permission model follows symbolic links. In an engine a link that leaves the module leads nowhere, so where there
 * is one, the files beside it are allowed one by one.
 */
function readableSources(sourceDir: string): string[] {
  const { entries } = listTree(sourceDir, { exclude: ["**/node_modules", "**/.git"] });
  const leaves = (link: string): boolean => {
    const target = existsSync(link) ? realpathSync(link) : sourceDir;
    return target !== sourceDir && !target.startsWith(sourceDir + path.sep);
  };
  const links = entries.filter((entry) => entry.type === "symlink" && leaves(path.join(sourceDir, entry.path)));
  if (links.length === 0) return [path.join(sourceDir, "*")];
  const kept = entries.filter((entry) => entry.type === "file").map((entry) => path.join(sourceDir, entry.path));
  const packages = path.join(sourceDir, "node_modules");
  return existsSync(packages) ? [...kept, path.join(packages, "*")] : kept;
}
