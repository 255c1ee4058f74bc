/**
 * Reads a project's services for a command: their descriptions, the selection, and whether the user allows what they
 * ask.
 */
import path from "node:path";
import { parseCall } from "../../call/index.ts";
import { loadConfig, ownModule, type LoadedConfig } from "../../config/index.ts";
import { UserError } from "../../errors/index.ts";
import type { ModuleInfo } from "../../module/index.ts";
import {
  brokenProjectSources,
  moduleSources,
  placeProject,
  trustedFolder,
  trustOf,
  type ProjectPlace,
  type ScannedInput,
} from "../../plan/index.ts";
import {
  declaredServices,
  portOffset,
  selectServices,
  UpPlace,
  withPortOffset,
  type DeclaredService,
} from "../../services/index.ts";
import { asksOfCall, asksOfLocal, refusal, TrustStore, type Trust } from "../../trust/index.ts";
import type { CliContext } from "../context.ts";
import { trustModeOf } from "../trust/trust.ts";
import { configOfCompose } from "./compose.ts";
import { withStandIns, type WantedStandIn } from "./stand-ins.ts";
import { readModule } from "../project-module.ts";
import { sayingWait } from "../waiting-line.ts";

export interface UpProject extends ProjectPlace {
  config: LoadedConfig;
  /** Text that replaces fastloop.yaml; undefined when that file itself describes the services. */
  configText?: string | undefined;
  name: string;
  /** Selected services and all that they need, in dependency order. */
  services: DeclaredService[];
  /** Undefined when the project has no module of its own. */
  module: ModuleInfo | undefined;
  /** fastloop's own module, which creates the services of `services`. */
  own: ModuleInfo;
  trust: Trust;
  up: UpPlace;
  /** Files that all of this was read from. */
  sources: ScannedInput[];
  /** Returns further inputs to watch while the project can't be read. */
  brokenSources(): Promise<ScannedInput[]>;
  /** Reads the project again, as it is described now. */
  again(notice: (text: string) => void): Promise<UpProject>;
}

/** Returns the place of a project's services, for commands that need nothing else of the project. */
export function upPlace(context: CliContext, configFile?: string): UpPlace {
  return new UpPlace(placeProject({ cwd: context.cwd, configFile }).root, context.env);
}

/** Reads a project's services; no names means all. Throws when a description is invalid or not allowed. */
export function openUpProject(
  context: CliContext,
  names: readonly string[],
  configFile?: string,
  from?: string,
  local: readonly WantedStandIn[] = [],
): Promise<UpProject> {
  return sayingWait(context, "for the project to be read", readUpProject(context, names, configFile, from, local));
}

async function readUpProject(
  context: CliContext,
  names: readonly string[],
  configFile?: string,
  from?: string,
  local: readonly WantedStandIn[] = [],
): Promise<UpProject> {
  const { cwd, env, notice } = context;
  const place = placeProject({ cwd, configFile, onNotice: notice });
  const {
    config,
    text: configText,
    files,
  } = from === undefined
    ? { config: await loadConfig({ cwd, file: configFile }), text: undefined, files: [place.configFile] }
    : await configOfCompose(path.resolve(cwd, from), place.root, notice);
  const { module, own } = await loadModules(context, config, configFile);
  const selected = withPortOffset(selectServices(declaredServices(config, module), names), portOffset(env));
  const services = withStandIns(selected, local, config, cwd);
  const trust = trustOf(config, module, { environment: env, trust: trustModeOf(context) });
  requireTrust(services, config, module, trust, env);
  const name = config.config.name ?? place.root.split("/").at(-1) ?? "project";
  const asked = trust.asks.length === 0 || module === undefined ? [] : [trustedFolder(config, module)];
  return {
    ...place,
    config,
    configText,
    name,
    services,
    module,
    own,
    trust,
    up: new UpPlace(place.root, env),
    sources: [
      ...[...files, ...asked.map((folder) => new TrustStore(env).fileOf(folder))].map(fileSource),
      ...(module === undefined || module === own ? [] : moduleSources(module)),
    ],
    brokenSources: () => brokenProjectSources({ cwd, configFile, moduleDir: context.options.module }, place),
    again: (told) =>
      readUpProject({ ...context, signal: context.signal, notice: told }, names, configFile, from, local),
  };
}

const fileSource = (file: string): ScannedInput => ({ kind: "file", path: file, filter: {} });

async function loadModules(
  context: CliContext,
  config: LoadedConfig,
  configFile: string | undefined,
): Promise<{ module: ModuleInfo | undefined; own: ModuleInfo }> {
  const load = (moduleDir?: string): Promise<ModuleInfo> =>
    readModule(context, { moduleDir, configFile, config, isSilent: true });
  const own = await load(ownModule);
  const { options } = context;
  if (options.module === ownModule || config.config.module === ownModule) return { module: own, own };
  try {
    return { module: await load(options.module), own };
  } catch (error) {
    const isOptional = options.module === undefined && config.config.module === undefined;
    const { services, local } = config.config;
    const hasOwn = Object.keys({ ...services, ...local }).length > 0;
    // Services of fastloop.yaml need no module of the project's own.
    if (isOptional && hasOwn && error instanceof UserError && /no (Dagger )?module|dagger\.json/.test(error.message))
      return { module: undefined, own };
    throw error;
  }
}

/**
 * Throws a refusal for what is not allowed. Commands of `local` come from the repository. Calls in the configuration
 * ask as watched ones do, and functions ask for what their defaults take.
 */
function requireTrust(
  services: readonly DeclaredService[],
  config: LoadedConfig,
  module: ModuleInfo | undefined,
  trust: Trust,
  env: NodeJS.ProcessEnv,
): void {
  const missing = services.flatMap(({ source, place, name }) => {
    if (source.kind === "local")
      return trust.missing(asksOfLocal(name, config.config.local?.[name] ?? {})).map((ask) => ({ ...ask, place }));
    if (source.kind !== "call" || module === undefined) return [];
    const call = parseCall(source.words, { module, cwd: config.root }, { ownOptions: false });
    const asks = asksOfCall(call, { module, cwd: config.root, env, writtenBy: "repository" });
    return trust.missing(asks).map((ask) => ({ ...ask, place: ask.place ?? place }));
  });
  if (missing.length > 0) throw refusal(missing);
}
