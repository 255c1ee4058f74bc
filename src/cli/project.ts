/** Opens a project with its history for commands that only read: no engine, no lock. */
import {
  askPast,
  loadProject,
  type PastScan,
  placeProject,
  planTargets,
  projectHasher,
  type PlanContext,
  type PlannedTarget,
  type Project,
  type ProjectSnapshot,
} from "../plan/index.ts";
import { RunStore } from "../run/index.ts";
import { assumedEngine } from "../session/index.ts";
import type { CliContext } from "./context.ts";
import { trustModeOf } from "./trust/trust.ts";
import { sayingWait } from "./waiting-line.ts";

export interface OpenProject {
  project: Project;
  store: RunStore;
  /**
   * Scans the files, unless nothing changed since the last scan, and plans; saves hashes and scan. `reasonsWhenRead`: as
   * `PlanContext` has it.
   */
  plan(how?: Pick<PlanContext, "reasonsWhenRead">): Promise<{ snapshot: ProjectSnapshot; planned: PlannedTarget[] }>;
}

/** Returns the options of the command line that select and configure the project. Each notice is printed once. */
export function projectOptions(context: CliContext, configFile?: string) {
  const told = new Set<string>();
  return {
    cwd: context.cwd,
    moduleDir: context.options.module,
    configFile,
    environment: context.env,
    trust: trustModeOf(context),
    engine: context.options.engine,
    buildkitHost: context.options.buildkitHost,
    onNotice(text: string) {
      if (!told.has(text)) context.notice(text);
      told.add(text);
    },
  };
}

/** Reads the project. Throws when configuration or module are invalid. */
export async function openProject(context: CliContext, configFile?: string): Promise<OpenProject> {
  const options = projectOptions(context, configFile);
  const { state } = placeProject(options);
  return openWith(context, options, askPast(options, state).scan);
}

/**
 * Returns what the command with these words found when it last ran, if nothing that it reads has changed since. Otherwise
 * opens the project and does the work. `isDue`: whether anything has to run.
 */
export async function remembering<T>(
  context: CliContext,
  configFile: string | undefined,
  words: readonly string[],
  work: (project: OpenProject) => Promise<{ value: T; isDue: boolean }>,
): Promise<T> {
  const options = projectOptions(context, configFile);
  // A command that only reads deletes nothing, not even drafts that a dead process left.
  const { state } = placeProject(options);
  const { scan, results } = askPast(options, state);
  const found = await results.find(words);
  if (found !== undefined) return found as T;
  let isNoticed = false;
  const onNotice = (text: string): void => {
    isNoticed = true;
    options.onNotice(text);
  };
  const { value, isDue } = await work(await openWith(context, { ...options, onNotice }, scan));
  // A notice has to be printed each time.
  if (!isNoticed) await results.keep(words, value, isDue);
  return value;
}

async function openWith(
  context: CliContext,
  options: ReturnType<typeof projectOptions>,
  past: PastScan,
): Promise<OpenProject> {
  const { state, root } = placeProject(options);
  const hasher = projectHasher(state);
  const statAhead = (): ReturnType<typeof hasher.statAhead> => hasher.statAhead(new Set([root]));
  let ahead = past.isAsked ? undefined : statAhead();
  const loading = past.loading(() => loadProject(options, hasher));
  const project = await sayingWait(context, "for the module to load", loading);
  const store = new RunStore(state);
  return {
    project,
    store,
    async plan(how) {
      const { snapshot, keep } = await past.scan(project.scanner, (seen) => {
        if (past.isAsked) ahead = statAhead();
        return project.scanner.scanNoting(seen, ahead);
      });
      for (const one of ahead?.values() ?? []) one.stop();
      ahead = undefined;
      const planned = planTargets(project.targets, {
        snapshot,
        root: project.root,
        moduleDigest: project.module.digest,
        engine: assumedEngine(store.lastEngine(), project, options),
        environment: context.env,
        environmentKey: state.hashKey,
        history: (target) => store.history(target),
        manifests: store.manifests,
        ...how,
      });
      hasher.save();
      keep();
      return { snapshot, planned };
    },
  };
}
