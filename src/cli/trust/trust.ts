/** The user's trust in a project, for commands: reads it, asks for it and stores it. */
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

/** Returns whether a flag or variable decides about trust, or the stored decision. */
export function trustModeOf({ options, env }: CliContext, flag = options.trust): TrustMode {
  return trustMode(flag, env);
}

/**
 * Returns the project's trust. If the call asks for something that the user has not typed or allowed, the user is asked
 * at a terminal. Throws a refusal when it is not allowed.
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

/** Reports whether a call's words ask for root capabilities; typing them counts as permission. */
export function asksForRootCapabilities(call: ParsedCall): boolean {
  return call.core.some(({ given }) =>
    given.some(
      ({ argument, value }) =>
        argument.name === "insecureRootCapabilities" && value.kind === "literal" && value.value === true,
    ),
  );
}

/** Shows what is not allowed yet and asks the user. Stores the decision and returns whether it was yes. */
export async function confirmTrust(context: CliContext, project: string, missing: readonly Ask[]): Promise<boolean> {
  // A flag or variable decides instead, and stored trust would not count.
  if (trustModeOf(context) !== "stored") return false;
  const unique = [...new Map(missing.map((ask) => [askKey(ask), ask])).values()];
  for (const ask of unique)
    context.notice(`+ ${describeAsk(ask)}${ask.place === undefined ? "" : `  (${printable(ask.place)})`}`);
  if (!(await confirm(context, "The repository asks for this. Allow it from now on?"))) return false;
  const store = new TrustStore(context.env);
  store.write(project, [...(store.read(project)?.asks ?? []), ...unique]);
  return true;
}

/**
 * Like `confirmTrust`, for a command that reads its project itself: the project's folder is determined when the user is
 * asked.
 */
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
