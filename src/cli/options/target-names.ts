import { loadConfig } from "../../config/index.ts";
import { loadProjectModule } from "../../call/index.ts";
import { resolveTargets } from "../../plan/index.ts";
import type { CliContext } from "../context.ts";

/**
 * Returns the functions that `run`, `watch` and `why` accept, each with its call. Reads the module only when needed.
 */
export async function targetNames(context: CliContext, configFile?: string): Promise<{ name: string; call: string }[]> {
  const config = await loadConfig({ cwd: context.cwd, file: configFile });
  const declared = config.config.watch?.targets;
  if (declared !== undefined) return Object.entries(declared).map(([name, { call }]) => ({ name, call }));
  const module = await loadProjectModule({
    cwd: context.cwd,
    moduleDir: context.options.module,
    config,
    environment: context.env,
  });
  return resolveTargets(config, module).map(({ target }) => ({ name: target.name, call: target.call.join(" ") }));
}
