/** Command line of the function runtime: its program, what it may read, and its environment. */
import { existsSync, mkdirSync, realpathSync } from "node:fs";
import path from "node:path";
import { bundlePlace } from "./bundle.ts";
import { confineSpec } from "../boundary/confine.ts";
import { packageFolders } from "../boundary/fence.ts";
import { distFile, isInside, packageRoot, proxyVariables } from "../../paths/index.ts";
import { listTree } from "../../tree/index.ts";
import type { ModuleInfo } from "../types.ts";

export interface RuntimeCommand {
  command: string;
  args: string[];
  environment: NodeJS.ProcessEnv;
}

/**
 * `confine` is the helper that sets up the boundary; without it the runtime runs as the user. Throws a `UserError` if
 * the module's packages are outside its repository.
 */
export function runtimeCommand(
  module: ModuleInfo,
  env: NodeJS.ProcessEnv,
  confine: string | undefined,
): RuntimeCommand {
  const environment = scrubbed(env);
  const packages = packageFolders(module);
  const bundle = bundlePlace(module, env);
  const programs = path.dirname(distFile("sdk.js"));
  const folders = [...packages, path.join(packageRoot(), "node_modules"), programs, bundle.folder];
  const runtime = (readable: readonly string[], writable: readonly string[], ...flags: string[]): string[] => [
    process.execPath,
    ...permissions(folders, readable, writable),
    ...flags,
    distFile("function-runtime.js"),
  ];
  if (confine === undefined) {
    const [command = process.execPath, ...args] = endingWithUs(runtime(readableSources(module.sourceDir), []));
    return { command, args, environment };
  }
  // The folder is mounted for the body before the bundle is built.
  mkdirSync(bundle.folder, { recursive: true });
  // Behind the boundary links lead nowhere, and the folder for temporary files is private to the body. Node waits for
  // ever for a trace file that cannot be written, as in the module's folder, so traces go to /tmp.
  const command = runtime(
    [path.join(module.sourceDir, "*"), "/tmp/*"],
    ["/tmp/*"],
    "--trace-event-file-pattern=/tmp/node_trace.${rotation}.log",
  );
  const spec = confineSpec(module, command, { readable: [programs, bundle.folder], packages, environment });
  return { command: confine, args: [JSON.stringify(spec)], environment };
}

/**
 * The runtime ends when the parent closes its channel, but a body in an endless loop never notices. If the parent is
 * killed, the kernel ends the runtime, which util-linux's setpriv requests (busybox's cannot).
 */
function endingWithUs(words: string[]): string[] {
  const setpriv = "/usr/bin/setpriv";
  if (process.platform !== "linux" || !existsSync(setpriv) || path.basename(realpathSync(setpriv)) !== "setpriv")
    return words;
  return [setpriv, "--pdeathsig", "KILL", "--", ...words];
}

/**
 * Keeps only what Node itself needs, and the user's proxies: as in an engine's container, a body sees none of the
 * user's environment.
 */
function scrubbed(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept: NodeJS.ProcessEnv = {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/root",
  };
  for (const name of ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "TZ", "LANG", ...proxyVariables]) {
    if (env[name] !== undefined) kept[name] = env[name];
  }
  return kept;
}

/**
 * Flags of Node's permission model, the second line of defense: reads of packages, programs and the given places; no
 * child processes or workers.
 */
function permissions(folders: readonly string[], readable: readonly string[], writable: readonly string[]): string[] {
  const flags = process.allowedNodeEnvironmentFlags;
  // A workspace's packages are elsewhere in the repository.
  const real = folders.flatMap((folder) => (existsSync(folder) ? [folder, realpathSync(folder)] : [folder]));
  return [
    flags.has("--permission") ? "--permission" : "--experimental-permission",
    ...(flags.has("--allow-net") ? ["--allow-net"] : []),
    ...[...new Set(real)].map((folder) => `--allow-fs-read=${path.join(folder, "*")}`),
    ...readable.map((place) => `--allow-fs-read=${place}`),
    ...writable.map((place) => `--allow-fs-write=${place}`),
    "--disable-warning=ExperimentalWarning",
    "--disable-warning=SecurityWarning",
  ];
}

/**
 * The permission model follows symbolic links, while in an engine a link that leaves the module leads nowhere. If the
 * sources have such a link, the files beside it are allowed one by one.
 */
function readableSources(sourceDir: string): string[] {
  const { entries } = listTree(sourceDir, { exclude: ["**/node_modules", "**/.git"] });
  const leaves = (link: string): boolean => {
    const target = existsSync(link) ? realpathSync(link) : sourceDir;
    return !isInside(sourceDir, target);
  };
  const links = entries.filter((entry) => entry.type === "symlink" && leaves(path.join(sourceDir, entry.path)));
  if (links.length === 0) return [path.join(sourceDir, "*")];
  const kept = entries.filter((entry) => entry.type === "file").map((entry) => path.join(sourceDir, entry.path));
  const packages = path.join(sourceDir, "node_modules");
  return existsSync(packages) ? [...kept, path.join(packages, "*")] : kept;
}
