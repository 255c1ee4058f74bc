/** Calls the functions that deploy, as `fastloop call` does; the commands only add the access to the cluster. */
import { commandName, parseCall } from "../../call/index.ts";
import type { HostAccess } from "../../deploy/index.ts";
import { UserError } from "../../errors/index.ts";
import { callSession } from "../call/call-session.ts";
import { CallView } from "../call/call-view.ts";
import { callWithCache } from "../call/call-with-cache.ts";
import type { CliContext } from "../context.ts";
import { requireTrustOfCall } from "../trust/trust.ts";
import type { ChosenEnvironment } from "./environment.ts";

/** Report of the deployer. */
export interface DeployReport {
  action: string;
  environment: string;
  namespace: string;
  /** Identity of the cluster. */
  cluster: string;
  apps: readonly Record<string, unknown>[];
  /** Lines for a reader. */
  text: readonly string[];
  /** Image that `release` published. */
  published?: string;
  /** Notice about what the first deploy of an environment wrote to `fastloop.lock`. */
  pinned?: string;
}

/** Variable that carries the kubeconfig to this call only; it is never set in a process's environment. */
const variable = "FASTLOOP_KUBECONFIG";

/** Returns the options for access to the cluster. A server on loopback is bound as a service. */
export function accessWords({ access: { server } }: HostAccess, context: string | undefined): string[] {
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0)$/;
  const host = server.hostname === "0.0.0.0" ? "127.0.0.1" : server.hostname;
  return [
    "--kubeconfig",
    `env://${variable}`,
    ...(context === undefined ? [] : ["--context", context]),
    ...(loopback.test(server.hostname)
      ? ["--cluster", `tcp://${host}:${server.port === "" ? "443" : server.port}`]
      : []),
  ];
}

/**
 * Calls a function of the module that returns text. Throws when the module lacks the function or the result is no text.
 */
export async function callFunction(
  context: CliContext,
  { config, configFile, module }: ChosenEnvironment,
  words: readonly string[],
  { access, isPlain }: { access?: HostAccess; isPlain?: boolean } = {},
): Promise<string> {
  const given: CliContext =
    access === undefined
      ? context
      : Object.create(context, { env: { value: { ...context.env, [variable]: access.text } } });
  const [name = ""] = words;
  const functions = module.objects[module.mainObject]?.functions ?? {};
  if (!Object.values(functions).some((fn) => commandName(fn) === name))
    throw new UserError("module", `the module ${module.name} has no function \`${name}\``, {
      hint: "the built-in module has it: `module: fastloop` in fastloop.yaml, or -m fastloop",
    });
  const call = parseCall([...words], { module, cwd: context.cwd });
  call.verbose ||= context.options.verbose;
  if (configFile !== undefined) call.config = configFile;
  const trust = await requireTrustOfCall(call, config, module, given);
  const speaks = (step: string): boolean => step.includes("/run/fastloop/deployer.mjs");
  const view = new CallView(given, { silent: call.silent, verbose: call.verbose, speaks, isPlain });
  const session = callSession(call, module, given, { config, trust }, view);
  const value = await callWithCache(call, { module, config, trust }, given, session, view);
  if (typeof value !== "string") throw new UserError("module", `\`${name}\` of ${module.name} gives no text`);
  return value;
}

/** Calls a function that reports, and returns its report. Throws when the result is no report. */
export async function callDeployer(
  context: CliContext,
  environment: ChosenEnvironment,
  words: readonly string[],
  access: HostAccess,
  isPlain = false,
): Promise<DeployReport> {
  const text = await callFunction(context, environment, [...words, "--as-json"], { access, isPlain });
  try {
    return JSON.parse(text) as DeployReport;
  } catch (cause) {
    throw new UserError("module", `\`${words[0]}\` of the module gives no report`, {
      hint: "it must pass --as-json on to fastloop's own function",
      cause,
    });
  }
}
