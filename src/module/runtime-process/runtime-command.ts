/** How the function runtime is started: its program, what it may read, what it sees of the environment. */
import { existsSync, mkdirSync, realpathSync } from "node:fs";
import path from "node:path";
import { bundlePlace } from "./bundle.ts";
import { confineSpec, proxyNames } from "../boundary/confine.ts";
import { packageFolders } from "../boundary/fence.ts";
import { distFile, packageRoot } from "../../paths/index.ts";
import { listTree } from "../../tree/index.ts";
import type { ModuleInfo } from "../types.ts";

export interface RuntimeCommand {
  command: string;
  args: string[];
  environment: NodeJS.ProcessEnv;
}

/**
 * `confine`: the helper that makes the boundary; without it the runtime runs as the user. Throws a `UserError` where the
 * module's packages lie outside of its repository.
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
  // It is shown to the body before it is made.
  mkdirSync(bundle.folder, { recursive: true });
  // Behind the boundary links lead nowhere, and the folder for temporary files is the body's own.
  // A trace that can't be written, as in the folder of the module, makes Node wait for ever.
  const command = runtime(
    [path.join(module.sourceDir, "*"), "/tmp/*"],
    ["/tmp/*"],
    "--trace-event-file-pattern=/tmp/node_trace.${rotation}.log",
  );
  const spec = confineSpec(module, command, { readable: [programs, bundle.folder], packages, environment });
  return { command: confine, args: [JSON.stringify(spec)], environment };
}

/**
 * The runtime ends when its parent's channel closes; a body in an endless loop never hears of that. Where the parent is
 * killed the kernel ends the runtime, which util-linux's setpriv asks for (that of busybox can't).
 */
function endingWithUs(words: string[]): string[] {
  const setpriv = "/usr/bin/setpriv";
  if (process.platform !== "linux" || !existsSync(setpriv) || path.basename(realpathSync(setpriv)) !== "setpriv")
    return words;
  return [setpriv, "--pdeathsig", "KILL", "--", ...words];
}

/** Only what Node itself needs, and the user's proxies: a body sees none of the user's environment, as in an engine's container. */
function scrubbed(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept: NodeJS.ProcessEnv = {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/root",
  };
  for (const name of ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "TZ", "LANG", ...proxyNames]) {
    if (env[name] !== undefined) kept[name] = env[name];
  }
  return kept;
}

/** Node's permission model, the second line: reads of packages, programs and these places; no children or workers. */
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
