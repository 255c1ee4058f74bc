/** Decides what a project asks of the host, and which of its targets are refused without the user's consent. */
import path from "node:path";
import { splitWords } from "../call/index.ts";
import { placeInConfig, readConfigFile, type LoadedConfig } from "../config/index.ts";
import { UserError } from "../errors/index.ts";
import type { ModuleInfo } from "../module/index.ts";
import { asksOfCall, asksOfConfig, asksOfExtensions, asksOfModule, Trust, type Ask } from "../trust/index.ts";
import { sharingReads, type SharedReads } from "../tree/index.ts";
import { orderTargets } from "./order.ts";
import type { ProjectOptions } from "./project.ts";
import { parseTargetCall, resolveTargets, type ResolvedTarget } from "./resolve.ts";

/** Returns the folder that the user's consent applies to: that of fastloop.yaml, else the module's. */
export function trustedFolder(config: LoadedConfig, module: ModuleInfo): string {
  return config.path === undefined ? module.root : config.root;
}

interface TrustedProject {
  trust: Trust;
  targets: ResolvedTarget[];
}

/**
 * Marks targets without consent as refused, without inputs: nothing outside the repository is even scanned for them.
 * `known` holds reads that resolving the targets has made just before.
 */
export async function withTrust(
  targets: readonly ResolvedTarget[],
  config: LoadedConfig,
  module: ModuleInfo,
  options: ProjectOptions,
  known?: SharedReads,
): Promise<TrustedProject> {
  const { environment: env = process.env, trust: mode = "stored" } = options;
  const ofConfig = [
    ...asksOfConfig(config.config, { root: config.root, env }),
    ...asksOfExtensions(config),
    ...asksOfServices(config, module, env),
  ];
  const ofTargets = sharingReads(() => targets.map((item) => asksOfTarget(item, config, module, env)), known);
  const ofModule = asksOfModule(module, env);
  let trust = new Trust(trustedFolder(config, module), [...ofConfig, ...ofTargets.flat(), ...ofModule], mode, env);
  const ofEngine = trust.missing(ofConfig.filter(({ kind }) => kind === "engine" && isEngineOfConfig(config, options)));
  const missing = ofTargets.map((asks) => [...ofEngine, ...trust.missing(asks)]);
  // Finding lines loads the YAML library, so it is done only if they are shown.
  if (options.placesOfAsks !== true && missing.every((asks) => asks.length === 0))
    return { trust, targets: [...targets] };
  const places = await placesIn(config, [
    ...ofConfig.filter(({ place }) => place === undefined).map(placeOfKey),
    ...targets.flatMap((item, index) => ofTargets[index]!.map((ask) => placeOfCall(item, ask))),
  ]);
  const placed = (ask: Ask): Ask => ({ ...ask, place: ask.place ?? places.get(ask) });
  trust = trust.with(placed);
  return {
    trust,
    targets: targets.map((item, index) => {
      const untrusted = missing[index]!.map(placed);
      return untrusted.length === 0 ? item : { ...item, untrusted, inputs: [], sent: [] };
    }),
  };
}

/**
 * Returns the project's trust for commands that run none of its targets. Targets still count for a digest of
 * everything.
 */
export function trustOf(
  config: LoadedConfig,
  module: ModuleInfo | undefined,
  { environment: env = process.env, trust: mode = "stored" }: Pick<ProjectOptions, "environment" | "trust">,
): Trust {
  const ofConfig = [...asksOfConfig(config.config, { root: config.root, env }), ...asksOfExtensions(config)];
  if (module === undefined) return new Trust(config.root, ofConfig, mode, env);
  const ofServices = asksOfServices(config, module, env);
  const ofTargets =
    typeof mode === "object"
      ? targetsIfAny(config, module).flatMap((item) => asksOfTarget(item, config, module, env))
      : [];
  const asks = [...ofConfig, ...ofServices, ...ofTargets, ...asksOfModule(module, env)];
  return new Trust(trustedFolder(config, module), asks, mode, env);
}

/** Returns what calls of `services` ask for, as calls of targets do. An invalid one is reported when it is started. */
function asksOfServices(config: LoadedConfig, module: ModuleInfo, env: NodeJS.ProcessEnv): Ask[] {
  return Object.entries(config.config.services ?? {}).flatMap(([name, { function: text }]) => {
    const words = text === undefined ? undefined : splitWords(text);
    if (words === undefined) return [];
    try {
      const call = parseTargetCall({ call: words }, config, module);
      const asks = asksOfCall(call, { module, cwd: config.root, env, writtenBy: "repository" });
      return asks.map((ask) => ({ ...ask, place: ask.place ?? `fastloop.yaml: services.${name}.function` }));
    } catch (error) {
      if (error instanceof UserError) return [];
      throw error;
    }
  });
}

/** Returns no targets if they are invalid: a call does not need them, and must not fail because of them. */
function targetsIfAny(config: LoadedConfig, module: ModuleInfo): ResolvedTarget[] {
  try {
    return orderTargets(resolveTargets(config, module));
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}

/** Computed from the files as they are now, as a link may lead elsewhere since the project was read. */
export function asksOfTarget(
  { call }: Pick<ResolvedTarget, "call">,
  { root }: Pick<LoadedConfig, "root">,
  module: ModuleInfo,
  env: NodeJS.ProcessEnv,
): Ask[] {
  return asksOfCall(call, { module, cwd: root, env, writtenBy: "repository" });
}

/** Reports whether the configuration's BuildKit daemon is used, which another engine on the command line replaces. */
function isEngineOfConfig({ config }: LoadedConfig, { engine, buildkitHost }: ProjectOptions): boolean {
  return buildkitHost === undefined && (engine ?? config.engine?.use) !== "dagger";
}

interface Located {
  ask: Ask;
  key: string[];
  word?: string;
}

const placeOfKey = (ask: Ask): Located => ({ ask, key: ask.by.split("."), word: ask.what });
const placeOfCall = ({ target }: ResolvedTarget, ask: Ask): Located => ({
  ask,
  key: ["watch", "targets", target.name, "call"],
  word: ask.by.split(" ").at(-1),
});

/** Returns `fastloop.yaml:line:column` of each ask. */
async function placesIn(config: LoadedConfig, located: readonly Located[]): Promise<Map<Ask, string>> {
  const places = new Map<Ask, string>();
  if (config.path === undefined) return places;
  const text = readConfigFile(config.path);
  for (const { ask, key, word } of located) {
    const { line, column } = await placeInConfig(text, key, word);
    places.set(ask, `${path.basename(config.path)}:${line}:${column}`);
  }
  return places;
}
