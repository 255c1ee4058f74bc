/** A project with its history, for the commands that only ask: no engine, no lock. */
import { environmentKey } from "../call/index.ts";
import { loadProject, placeProject, planTargets, projectHasher, type PlannedTarget, type Project, type ProjectSnapshot } from "../plan/index.ts";
import { RunStore, sweepDrafts } from "../run/index.ts";
import type { CliContext } from "./context.ts";
import { trustModeOf } from "./trust.ts";

export interface OpenProject {
  project: Project;
  store: RunStore;
  /** Looks at the files and plans; saves what was hashed. */
  plan(): { snapshot: ProjectSnapshot; planned: PlannedTarget[]; tookMs: number };
}

export async function openProject(context: CliContext, configFile?: string): Promise<OpenProject> {
  const options = { cwd: context.cwd, moduleDir: context.options.module, configFile, environment: context.env, trust: trustModeOf(context), engine: context.options.engine, buildkitHost: context.options.buildkitHost };
  const place = placeProject(options);
  sweepDrafts(place.stateDir);
  const hasher = projectHasher(place.stateDir, (text) => context.notice(text));
  let ahead: ReturnType<typeof hasher.lookAhead> | undefined = hasher.lookAhead(new Set([place.root]));
  const project = await loadProject(options, hasher);
  const store = new RunStore(place.stateDir, (text) => context.notice(text));
  return {
    project,
    store,
    plan() {
      const startedMs = performance.now();
      const snapshot = project.scanner.scan(undefined, undefined, ahead);
      for (const one of ahead?.values() ?? []) one.stop();
      ahead = undefined;
      const planned = planTargets(project.targets, {
        snapshot,
        root: project.root,
        moduleDigest: project.module.digest,
        engine: store.lastEngine() ?? "",
        environment: context.env,
        environmentKey: environmentKey(place.stateDir),
        history: (target) => store.history(target),
        manifests: store.manifests,
      });
      hasher.save();
      return { snapshot, planned, tookMs: performance.now() - startedMs };
    },
  };
}
