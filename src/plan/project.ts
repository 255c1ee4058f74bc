import path from "node:path";
import { findConfig, loadConfig, type LoadedConfig } from "../config/index.ts";
import { loadProjectModule, projectModuleFolder, workspaceAt } from "../call/index.ts";
import { settingFiles, withDependencies, type ModuleInfo } from "../module/index.ts";
import { ProjectState } from "../state/index.ts";
import { ContentHasher } from "../tree/index.ts";
import { WorkspaceReads } from "./workspace-reads.ts";
import { orderTargets } from "./order.ts";
import { ProjectScanner } from "./scan/project-scan.ts";
import type { ScannedInput } from "./inputs/scanned-input.ts";
import { resolveTargets, type ResolvedTarget } from "./resolve.ts";
import type { CheckKinds } from "./targets.ts";
import { TrustStore, type Trust, type TrustMode } from "../trust/index.ts";
import { trustedFolder, withTrust } from "./trusted.ts";

export interface ProjectOptions {
  /** Where to look for fastloop.yaml and dagger.json, upwards. */
  cwd: string;
  /** `-m`. */
  moduleDir?: string;
  /** `--config`. */
  configFile?: string;
  environment?: NodeJS.ProcessEnv;
  /** The module's checks in the place of `watch.targets`. */
  checks?: CheckKinds;
  /** What the command line says instead of the configuration. */
  engine?: string;
  buildkitHost?: string;
  /** Whose word counts for what the project asks of this machine; default: what is stored. */
  trust?: TrustMode;
  /** Find the line of everything that is asked for, also of what is allowed. */
  placesOfAsks?: boolean;
  /** Told, once each, why the project's state is not used or not kept. */
  onNotice?: (text: string) => void;
}

/** Where a project lies; known even when its configuration or module cannot be read. */
export interface ProjectPlace {
  /** Folder of fastloop.yaml, else where the command works. */
  root: string;
  /** `.fastloop` in it: records, hashes, manifests. Losing it costs time only. */
  state: ProjectState;
  configFile: string;
}

/** A project as its configuration and its module describe it. */
export interface Project extends ProjectPlace {
  config: LoadedConfig;
  module: ModuleInfo;
  /** In an order in which needs come first. */
  targets: ResolvedTarget[];
  /** Looks at every input of every target, and at what the project itself is read from. */
  scanner: ProjectScanner;
  /** Configuration and module: when these change the project has to be read again. */
  sources: ScannedInput[];
  /** What it asks of this machine, and what of that it may have. */
  trust: Trust;
  /** What its functions have read of their workspace. */
  reads: WorkspaceReads;
}

export function placeProject({ cwd, configFile, onNotice }: ProjectOptions): ProjectPlace {
  const file =
    configFile === undefined ? (findConfig(cwd) ?? path.join(cwd, "fastloop.yaml")) : path.resolve(cwd, configFile);
  const root = path.dirname(file);
  return { root, state: new ProjectState(root, { onNotice }), configFile: file };
}

/** Reads configuration and module; throws `UserError` with the place of what is wrong. */
export async function loadProject(options: ProjectOptions, hasher: ContentHasher): Promise<Project> {
  const place = placeProject(options);
  const loaded = await loadConfig({ cwd: options.cwd, file: options.configFile });
  const config = options.checks !== undefined ? withoutTargets(loaded) : loaded;
  const module = await loadProjectModule({ ...options, config });
  const reads = new WorkspaceReads(place.state, workspaceAt(place.root));
  const { trust, targets } = await withTrust(
    orderTargets(resolveTargets(config, module, reads, options.checks)),
    config,
    module,
    options,
  );
  const sources = [configInput(place), ...moduleSources(module)];
  // Where something is asked for, the user's word is looked at as the configuration is.
  if (trust.asks.length > 0)
    sources.push({
      kind: "file",
      path: new TrustStore(options.environment).fileOf(trustedFolder(config, module)),
      filter: {},
    });
  const inputs = targets.flatMap((target) => target.inputs);
  const sent = targets.flatMap((target) => target.sent);
  return {
    ...place,
    config,
    module,
    targets,
    sources,
    trust,
    reads,
    scanner: new ProjectScanner([...inputs, ...sources], hasher, sent),
  };
}

function withoutTargets({ config, ...loaded }: LoadedConfig): LoadedConfig {
  return { ...loaded, config: { ...config, watch: { ...config.watch, targets: undefined } } };
}

/** What to look at while the project cannot be read: a mended file must be seen. */
export async function brokenProjectSources(options: ProjectOptions, place: ProjectPlace): Promise<ScannedInput[]> {
  const fallback = options.moduleDir === undefined ? place.root : path.resolve(options.cwd, options.moduleDir);
  const moduleRoot = await projectModuleFolder(options).catch(() => fallback);
  return [configInput(place), moduleInput(moduleRoot, moduleRoot)];
}

function configInput(place: ProjectPlace): ScannedInput {
  return { kind: "file", path: place.configFile, filter: {} };
}

/** What a module and its dependencies are read from. */
export function moduleSources(module: ModuleInfo): ScannedInput[] {
  const used = [module, ...module.toolchains.map((toolchain) => toolchain.module)];
  const withCode = used.flatMap(withDependencies).filter(({ isCodeless }) => isCodeless !== true);
  const folders = new Map(withCode.map(({ root, sourceDir }) => [root, sourceDir]));
  // What names a blueprint or toolchains may have no code of its own.
  const naming = module.contextRoot ?? (module.isCodeless === true ? module.root : undefined);
  return [
    ...[...folders].map(([root, sourceDir]) => moduleInput(root, sourceDir)),
    ...(naming === undefined ? [] : [{ kind: "directory" as const, path: naming, filter: { include: settingFiles } }]),
  ];
}

/** A superset of what the module's digest is made of: whether it changed is decided by that digest. */
function moduleInput(root: string, sourceDir: string): ScannedInput {
  const source = path.relative(root, sourceDir);
  const below = source === "" ? "" : `${source}/`;
  const exclude = ["**/node_modules", "**/.git", "**/.fastloop", `${below}sdk`];
  return {
    kind: "directory",
    path: root,
    filter: { include: [...settingFiles, `${below}**`], exclude, gitignore: true },
  };
}

/** Hashes outlive the process in the project's state. */
export function projectHasher(state: ProjectState): ContentHasher {
  const name = "hashes";
  return new ContentHasher({
    store: {
      read: () =>
        state.read(".", name, () =>
          state.notice(
            `${path.join(state.path, name)} is damaged, or not of this user and place; files are hashed anew`,
          ),
        ),
      write: (pieces) => void state.write(".", name, pieces),
    },
    onLong: (file, sizeBytes) =>
      state.notice(
        `reading ${path.relative(path.dirname(state.path), file)} (${(sizeBytes / 1e9).toFixed(1)} GB), which is an input`,
      ),
  });
}
