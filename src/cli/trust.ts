/** The user's word in commands: what they may do for the project that they are run in. */
import type { ParsedCall } from "../call/index.ts";
import { loadConfig, rootCapabilitiesOfUser, type LoadedConfig } from "../config/index.ts";
import { findModule, type ModuleInfo } from "../module/index.ts";
import { trustOf } from "../plan/index.ts";
import type { LoopOptions } from "../run/index.ts";
import { printable } from "../text/index.ts";
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
} from "../trust/index.ts";
import { confirm } from "./confirm.ts";
import type { CliContext } from "./context.ts";

export function trustModeOf({ options, env }: CliContext, flag = options.trust): TrustMode {
  return trustMode(flag, env);
}

/** Throws for what a call asks for without the user having typed it; gives the project's trust. */
export function requireTrustOfCall(
  call: ParsedCall,
  config: LoadedConfig,
  module: ModuleInfo,
  context: CliContext,
): Trust {
  const { env, cwd } = context;
  const trust = trustOf(config, module, {
    environment: env,
    trust: trustModeOf(context, call.trust ?? context.options.trust),
  });
  const missing = trust.missing(asksOfCall(call, { module, cwd, env, writtenBy: "user" }));
  if (missing.length > 0) throw refusal(missing);
  return trust;
}

/** Whether sessions may run containers with root capabilities: by the user's configuration, the project's trust, or the words of the call. */
export async function mayHaveRootCapabilities(
  trust: Trust,
  env: NodeJS.ProcessEnv,
  call?: ParsedCall,
): Promise<boolean> {
  const isTyped = call?.core.some(({ given }) =>
    given.some(
      ({ argument, value }) =>
        argument.name === "insecureRootCapabilities" && value.kind === "literal" && value.value === true,
    ),
  );
  return isTyped === true || trust.allowsRootCapabilities || (await rootCapabilitiesOfUser(env));
}

/** Shows what is missing, and stores the word of somebody who sits at a terminal. */
export async function confirmTrust(
  context: CliContext,
  { configFile, moduleDir }: Pick<LoopOptions, "configFile" | "moduleDir">,
  missing: readonly Ask[],
): Promise<boolean> {
  const { cwd, env, options } = context;
  if (options.trust !== undefined) return false;
  const unique = [...new Map(missing.map((ask) => [askKey(ask), ask])).values()];
  for (const ask of unique)
    context.notice(`+ ${describeAsk(ask)}${ask.place === undefined ? "" : `  (${printable(ask.place)})`}`);
  if (!(await confirm(context, "The repository asks for this. Allow it from now on?"))) return false;
  const config = await loadConfig({ cwd, file: configFile });
  const folder = config.path === undefined ? findModule(cwd, moduleDir) : config.root;
  const store = new TrustStore(env);
  store.write(folder, [...(store.read(folder)?.asks ?? []), ...unique]);
  return true;
}
