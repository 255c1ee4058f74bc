/** Chooses an environment of `deploy:` and resolves the access to its cluster from this machine. */
import path from "node:path";
import { loadConfig, type LoadedConfig } from "../../config/index.ts";
import { DeployError, readHostAccess, type HostAccess } from "../../deploy/index.ts";
import { UserError, type ErrorCode } from "../../errors/index.ts";
import type { ModuleInfo } from "../../module/index.ts";
import { trustedFolder, trustOf } from "../../plan/index.ts";
import { printable } from "../../text/index.ts";
import { clusterAsk, refusal, type Trust } from "../../trust/index.ts";
import { canAsk } from "../trust/confirm.ts";
import type { CliContext } from "../context.ts";
import { confirmTrust, trustModeOf } from "../trust/trust.ts";
import { readModule } from "../project-module.ts";
import { sayingWait } from "../waiting-line.ts";

export type EnvironmentConfig = NonNullable<LoadedConfig["config"]["deploy"]>["environments"][string];

export interface ChosenEnvironment {
  name: string;
  settings: EnvironmentConfig;
  config: LoadedConfig;
  /** Value of `--config`. */
  configFile?: string;
  module: ModuleInfo;
  trust: Trust;
}

/** Options of every command that accesses a cluster. */
export interface ClusterFlags {
  config?: string;
  app?: string[];
  context?: string;
  namespace?: string;
  kubeconfig?: string;
}

/** Returns an environment of fastloop.yaml. Throws for an unknown environment or app, with the names that exist. */
export async function chooseEnvironment(
  context: CliContext,
  name: string,
  { app = [], config: configFile }: Pick<ClusterFlags, "app" | "config">,
): Promise<ChosenEnvironment> {
  const config = await loadConfig({ cwd: context.cwd, file: configFile });
  requireUsualName(config);
  const { environments = {}, apps = {} } = config.config.deploy ?? {};
  const place = config.path === undefined ? context.cwd : path.basename(config.path);
  const known = (names: object): string => Object.keys(names).map(printable).join(", ");
  const hintOf = (key: string, names: string): string =>
    names === "" ? `there are none yet: describe one under \`deploy.${key}\` (docs/deploy.md)` : `there are: ${names}`;
  const settings = Object.hasOwn(environments, name) ? environments[name] : undefined;
  if (settings === undefined)
    throw new UserError("config", `there is no environment \`${printable(name)}\` in \`deploy.environments\``, {
      place,
      hint: hintOf("environments", known(environments)),
    });
  const unknown = app.find((one) => !Object.hasOwn(apps, one));
  if (unknown !== undefined)
    throw new UserError("config", `there is no app \`${printable(unknown)}\` in \`deploy.apps\``, {
      place,
      hint: hintOf("apps", known(apps)),
    });
  const module = await readModule(context, { config });
  const chosen = { name, settings, config, module, trust: trustIn(context, config, module) };
  return configFile === undefined ? chosen : { ...chosen, configFile };
}

/**
 * The functions that deploy read `fastloop.yaml` of the project's folder themselves. Throws for a file with another name,
 * so that nothing is deployed that was not shown.
 */
function requireUsualName({ path: file }: LoadedConfig): void {
  if (file === undefined || path.basename(file) === "fastloop.yaml") return;
  throw new UserError("usage", `deploys read fastloop.yaml, not ${printable(path.basename(file))}`, {
    place: "--config",
    hint: "name it fastloop.yaml, in a folder of its own; paths in it are relative to that folder",
  });
}

const trustIn = (context: CliContext, config: LoadedConfig, module: ModuleInfo): Trust =>
  trustOf(config, module, { environment: context.env, trust: trustModeOf(context) });

/**
 * The repository names the cluster, so the user has to allow it before anything is read or run for it. Throws when it
 * is not allowed.
 */
async function requireTrust(context: CliContext, environment: ChosenEnvironment): Promise<void> {
  const { name, settings, config, module } = environment;
  const ask = clusterAsk(name, settings.context, config.config, { root: config.root, env: context.env });
  const missing = environment.trust.missing([ask]);
  if (missing.length === 0) return;
  const isAllowed = canAsk(context) && (await confirmTrust(context, trustedFolder(config, module), missing));
  if (!isAllowed) throw refusal(missing);
  environment.trust = trustIn(context, config, module);
}

/**
 * Resolves the access to the environment's cluster once, so that switching contexts in another terminal has no effect.
 */
export async function accessOf(
  context: CliContext,
  environment: ChosenEnvironment,
  flags: ClusterFlags,
): Promise<HostAccess> {
  const { env, cwd, signal } = context;
  const { name, settings } = environment;
  if (settings.context !== undefined && flags.context !== undefined && settings.context !== flags.context)
    throw new UserError(
      "usage",
      `${name} is in the context ${printable(settings.context)}, not ${printable(flags.context)}`,
      {
        place: "--context",
        hint: "nothing was changed; leave it out, or name another environment",
      },
    );
  await requireTrust(context, environment);
  try {
    const access = { env, cwd, signal, file: flags.kubeconfig, context: settings.context ?? flags.context };
    return await sayingWait(context, "for the kubeconfig and its credentials", readHostAccess(access));
  } catch (error) {
    throw asUserError(error);
  }
}

const codes: Record<DeployError["kind"], ErrorCode> = {
  refused: "usage",
  unreachable: "engine-unavailable",
  failed: "function-failed",
  leftHalfway: "function-failed",
  timedOut: "timed-out",
};

/** Converts a `DeployError` to a `UserError` with the same exit code; returns other errors as they are. */
export function asUserError(error: unknown): unknown {
  if (!(error instanceof DeployError)) return error;
  return new UserError(codes[error.kind], error.message, { exitCode: error.exitCode, cause: error });
}
