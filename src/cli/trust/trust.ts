/** The user's word in commands: what they may do for the project that they are run in. */
import type { ParsedCall } from "../../call/index.ts";
import { loadConfig, type LoadedConfig } from "../../config/index.ts";
import { findModule, type ModuleInfo } from "../../module/index.ts";
import { trustedFolder, trustOf } from "../../plan/index.ts";
import type { LoopOptions } from "../../run/index.ts";
import { printable } from "../../text/index.ts";
import {
  askKey,
  asksOfCall,
  describeAsk,
  refusal,
  trustMode,
  TrustStore,
  type Ask,
  type Trust,
  type TrustMode,
} from "../../trust/index.ts";
import { canAsk, confirm } from "./confirm.ts";
import type { CliContext } from "../context.ts";

export function trustModeOf({ options, env }: CliContext, flag = options.trust): TrustMode {
  return trustMode(flag, env);
}

/**
 * Asks who sits at a terminal for what a call asks for without the user having typed it, and throws where the word is
 * missing; gives the project's trust.
 */
export async function requireTrustOfCall(
  call: ParsedCall,
  config: LoadedConfig,
  module: ModuleInfo,
  context: CliContext,
): Promise<Trust> {
  const { env, cwd } = context;
  const flag = call.trust ?? context.options.trust;
  const read = (): Trust => trustOf(config, module, { environment: env, trust: trustModeOf(context, flag) });
  const trust = read();
  const missing = trust.missing(asksOfCall(call, { module, cwd, env, writtenBy: "user" }));
  if (missing.length === 0) return trust;
  const mayAsk = trustModeOf(context, flag) === "stored" && canAsk(context);
  if (!mayAsk || !(await confirmTrust(context, trustedFolder(config, module), missing))) throw refusal(missing);
  return read();
}

/** Whether the words of a call ask for root capabilities: what the user types is the user's word. */
export function asksForRootCapabilities(call: ParsedCall): boolean {
  return call.core.some(({ given }) =>
    given.some(
      ({ argument, value }) =>
        argument.name === "insecureRootCapabilities" && value.kind === "literal" && value.value === true,
    ),
  );
}

/** Shows what is missing, and stores the word of somebody who sits at a terminal. */
export async function confirmTrust(context: CliContext, project: string, missing: readonly Ask[]): Promise<boolean> {
  // Where a flag or a variable has spoken, nothing that is stored would count.
  if (trustModeOf(context) !== "stored") return false;
  const unique = [...new Map(missing.map((ask) => [askKey(ask), ask])).values()];
  for (const ask of unique)
    context.notice(`+ ${describeAsk(ask)}${ask.place === undefined ? "" : `  (${printable(ask.place)})`}`);
  if (!(await confirm(context, "The repository asks for this. Allow it from now on?"))) return false;
  const store = new TrustStore(context.env);
  store.write(project, [...(store.read(project)?.asks ?? []), ...unique]);
  return true;
}

/** The same for a command that reads its project by itself: which folder that is, is found when somebody is asked. */
export async function confirmTrustOfLoop(
  context: CliContext,
  { configFile, moduleDir }: Pick<LoopOptions, "configFile" | "moduleDir">,
  missing: readonly Ask[],
): Promise<boolean> {
  const { cwd } = context;
  const config = await loadConfig({ cwd, file: configFile });
  const folder = config.path === undefined ? findModule(cwd, moduleDir) : config.root;
  return await confirmTrust(context, folder, missing);
}
