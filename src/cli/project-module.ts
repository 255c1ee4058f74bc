/**
 * Reads the module that a command works with. Dependencies in other repositories are fetched once the user has agreed.
 */
import { loadProjectModule, projectModuleFolder } from "../call/index.ts";
import type { LoadedConfig } from "../config/index.ts";
import { UserError } from "../errors/index.ts";
import { hasUnfetched, type ModuleInfo, type ModuleToFetch } from "../module/index.ts";
import { Trust, type Ask } from "../trust/index.ts";
import type { CliContext } from "./context.ts";
import { canAsk } from "./trust/confirm.ts";
import { confirmTrust, trustModeOf } from "./trust/trust.ts";
import { sayingWait } from "./waiting-line.ts";

interface ReadOptions {
  /** Default: `-m`. */
  moduleDir?: string | undefined;
  configFile?: string | undefined;
  config?: LoadedConfig;
  /** Default: `--trust` or `--no-trust`. */
  trust?: boolean | undefined;
  isSilent?: boolean;
}

/**
 * Reads the project's module; reports on stderr if that takes long. Throws when there is no module or it is invalid.
 */
export function readModule(context: CliContext, options: ReadOptions = {}): Promise<ModuleInfo> {
  const { isSilent = false, moduleDir = context.options.module, configFile, config } = options;
  const loading = loadProjectModule({
    cwd: context.cwd,
    moduleDir,
    configFile,
    config,
    environment: context.env,
    mayFetch: (module, project) => mayFetch(context, module, project, options.trust),
  });
  return isSilent ? loading : sayingWait(context, "for the module to load", loading);
}

/**
 * Fetches unfetched dependencies before a loop starts, as the loop has no terminal to ask on. Throws when there is no
 * module.
 */
export async function fetchModules(context: CliContext, configFile: string | undefined): Promise<void> {
  const folder = await projectModuleFolder({ cwd: context.cwd, moduleDir: context.options.module, configFile });
  if (!(await hasUnfetched(folder, context.env))) return;
  await readModule(context, { configFile }).catch((error: unknown) => {
    // The loop itself reports a broken module, and waits until it is fixed.
    if (!(error instanceof UserError)) throw error;
  });
}

async function mayFetch(
  context: CliContext,
  { name, url, commit, place }: ModuleToFetch,
  project: string,
  flag = context.options.trust,
): Promise<boolean> {
  const ask: Ask = { kind: "module", what: `${url}@${commit}`, by: `dependency ${name}` };
  const mode = trustModeOf(context, flag);
  if (new Trust(project, [ask], mode, context.env).allows(ask)) return true;
  if (mode !== "stored" || !canAsk(context)) return false;
  return confirmTrust(context, project, [{ ...ask, place: await place() }]);
}
