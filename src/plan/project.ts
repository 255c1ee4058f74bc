import path from "node:path";
import { findConfig, loadConfig, type LoadedConfig } from "../config/index.ts";
import { loadProjectModule, projectModuleFolder, workspaceAt } from "../call/index.ts";
import { envDefaultFiles, settingFiles, withDependencies, type ModuleInfo } from "../module/index.ts";
import { currentRecorder } from "../paths/index.ts";
import { ProjectState } from "../state/index.ts";
import { ContentHasher, sharingReads, type SharedReads } from "../tree/index.ts";
import { WorkspaceReads } from "./workspace-reads.ts";
import { isOfTerminal } from "./past/past-results.ts";
import { orderTargets } from "./order.ts";
import { ProjectScanner } from "./scan/project-scan.ts";
import type { ScannedInput } from "./inputs/scanned-input.ts";
import { resolveTargets, type ResolvedTarget } from "./resolve.ts";
import type { CheckKinds } from "./targets.ts";
import { TrustStore, type Trust, type TrustMode } from "../trust/index.ts";
import { trustedFolder, withTrust } from "./trusted.ts";

export interface ProjectOptions {
  /** Folder where the search for fastloop.yaml and dagger.json starts; it continues upwards. */
  cwd: string;
  /** Value of `-m`. */
  moduleDir?: string;
  /** Value of `--config`. */
  configFile?: string;
  environment?: NodeJS.ProcessEnv;
  /** The module's checks instead of `watch.targets`. */
  checks?: CheckKinds;
  /** Engine named on the command line, which overrides the configuration. */
  engine?: string;
  buildkitHost?: string;
  /** Whose consent counts for what the project asks of the host; default: the stored one. */
  trust?: TrustMode;
  /** Find the line of every ask, including those that are allowed. */
  placesOfAsks?: boolean;
  /** Called once for each reason why the project's state is not used or not saved. */
  onNotice?: (text: string) => void;
}

/** Location of a project, known even if its configuration or module cannot be read. */
export interface ProjectPlace {
  /** Folder of fastloop.yaml, else the folder where the command works. */
  root: string;
  /** `.fastloop` in it: records, hashes, manifests. Losing it only costs time. */
  state: ProjectState;
  configFile: string;
}

/** A project as its configuration and module describe it. */
export interface Project extends ProjectPlace {
  config: LoadedConfig;
  module: ModuleInfo;
  /** In the order of the plan: needs come first. */
  targets: ResolvedTarget[];
  /** Scans every input of every target, and the sources of the project itself. */
  scanner: ProjectScanner;
  /** Configuration and module: if these change, the project has to be read again. */
  sources: ScannedInput[];
  /** What the project asks of the host, and which of that it may have. */
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

/** Reads configuration and module. Throws a `UserError` with the place of what is wrong. */
export async function loadProject(options: ProjectOptions, hasher: ContentHasher): Promise<Project> {
  const place = placeProject(options);
  const loaded = await loadConfig({ cwd: options.cwd, file: options.configFile });
  const config = options.checks !== undefined ? withoutTargets(loaded) : loaded;
  const module = await loadProjectModule({ ...options, config });
  const reads = new WorkspaceReads(place.state, workspaceAt(place.root));
  const known: SharedReads = new Map();
  const resolved = sharingReads(() => orderTargets(resolveTargets(config, module, reads, options.checks)), known);
  const { trust, targets } = await withTrust(resolved, config, module, options, known);
  const ofTerminal = targets.flatMap(({ target }) => target.environment).find(isOfTerminal);
  if (ofTerminal !== undefined) currentRecorder()?.doubtful(`${ofTerminal} is part of a digest`);
  const sources = [configInput(place), ...moduleSources(module)];
  // If anything is asked for, the stored consent is watched like the configuration.
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
    scanner: sharingReads(() => new ProjectScanner([...inputs, ...sources], hasher, sent), known),
  };
}

function withoutTargets({ config, ...loaded }: LoadedConfig): LoadedConfig {
  return { ...loaded, config: { ...config, watch: { ...config.watch, targets: undefined } } };
}

/** Returns what to scan while the project cannot be read, so that a fixed file is noticed. */
export async function brokenProjectSources(options: ProjectOptions, place: ProjectPlace): Promise<ScannedInput[]> {
  const fallback = options.moduleDir === undefined ? place.root : path.resolve(options.cwd, options.moduleDir);
  const moduleRoot = await projectModuleFolder(options).catch(() => fallback);
  return [configInput(place), moduleInput(moduleRoot, moduleRoot)];
}

function configInput(place: ProjectPlace): ScannedInput {
  return { kind: "file", path: place.configFile, filter: {} };
}

/** Returns the sources of a module and its dependencies. */
export function moduleSources(module: ModuleInfo): ScannedInput[] {
  const used = [module, ...module.toolchains.map((toolchain) => toolchain.module)];
  const withCode = used.flatMap(withDependencies).filter(({ isCodeless }) => isCodeless !== true);
  const folders = new Map(withCode.map(({ root, sourceDir }) => [root, sourceDir]));
  // A module that names a blueprint or toolchains may have no code of its own.
  const naming = module.contextRoot ?? (module.isCodeless === true ? module.root : undefined);
  return [
    ...[...folders].map(([root, sourceDir]) => moduleInput(root, sourceDir)),
    ...(naming === undefined ? [] : [{ kind: "directory" as const, path: naming, filter: { include: settingFiles } }]),
    ...envDefaultFiles(module).map((file) => ({ kind: "file" as const, path: file, filter: {} })),
  ];
}

/** Returns a superset of the files in the module's digest; the digest then decides whether the module changed. */
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

/** Returns a hasher whose hashes outlive the process in the project's state. */
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
