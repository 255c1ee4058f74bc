/**
 * Finds the module that a command works with: named by `-m`, by `module:` of fastloop.yaml, or found in a parent
 * folder.
 */
import path from "node:path";
import { isInside } from "../paths/index.ts";
import { loadConfig, ownModule, type LoadedConfig } from "../config/index.ts";
import { findModule, loadModule, packageModule, type ModuleInfo, type ModuleToFetch } from "../module/index.ts";
import { findGitRoot } from "../tree/index.ts";

export interface ProjectModuleOptions {
  cwd: string;
  /** Value of `-m`. */
  moduleDir?: string;
  /** Value of `--config`. */
  configFile?: string;
  /** The configuration, if it has already been read. */
  config?: LoadedConfig;
  environment?: NodeJS.ProcessEnv;
  /** Asks whether the user allows a module to be fetched for the project in that folder. By default none is. */
  mayFetch?: (module: ModuleToFetch, project: string) => Promise<boolean>;
}

/** Loads the module. Throws a `UserError` if there is none, or if it or the configuration that names it is invalid. */
export async function loadProjectModule(options: ProjectModuleOptions): Promise<ModuleInfo> {
  const { folder, config } = await placeModule(options);
  const { mayFetch } = options;
  const project = config?.path === undefined ? folder : config.root;
  const module = await loadModule(folder, options.environment, mayFetch && ((asked) => mayFetch(asked, project)));
  return ofProject(module, options.cwd, config);
}

/** Returns the module's folder without reading the module. */
export async function projectModuleFolder(options: ProjectModuleOptions): Promise<string> {
  return (await placeModule(options)).folder;
}

async function placeModule({
  cwd,
  moduleDir,
  configFile,
  config: known,
}: ProjectModuleOptions): Promise<{ folder: string; config?: LoadedConfig }> {
  // Whoever needs the configuration reports its errors; a module that is found without it is used anyway.
  const read = await (known === undefined ? loadConfig({ cwd, file: configFile }) : Promise.resolve(known)).then(
    (config) => ({ config, error: undefined }),
    (error: unknown) => ({ config: undefined, error }),
  );
  if (moduleDir !== undefined)
    return { folder: moduleDir === ownModule ? packageModule() : findModule(cwd, moduleDir), config: read.config };
  try {
    return { folder: configuredModule(read.config) ?? findModule(cwd), config: read.config };
  } catch (error) {
    throw read.error ?? error;
  }
}

function configuredModule(loaded: LoadedConfig | undefined): string | undefined {
  const named = loaded?.config.module;
  if (loaded === undefined || named === undefined) return undefined;
  return named === ownModule ? packageModule() : path.join(loaded.root, named);
}

/**
 * Sets the project of fastloop's own module, which works in every project: its `defaultPath: "/"` is the current
 * project, not the folder where npm installed it.
 */
function ofProject(module: ModuleInfo, cwd: string, config: LoadedConfig | undefined): ModuleInfo {
  if (module.root !== packageModule() || isInside(module.root, cwd)) return module;
  const project = config?.path === undefined ? (findGitRoot(cwd) ?? cwd) : config.root;
  return { ...module, contextDir: project, borrowed: true };
}
