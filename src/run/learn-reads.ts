/** Adds what a run has read of its workspace to the inputs of its function. */
import { digestOf, fingerprintOf, isAsRead, ProjectScanner, resolveTarget } from "../plan/index.ts";
import type { ContentHasher } from "../tree/index.ts";
import type { FunctionRun, Learned } from "./function-run/function-run.ts";

/** Returns undefined when the run read the same as before, or when fastloop.yaml declares the target's inputs. */
export function learnReads(
  { plan, project, workspace, place }: FunctionRun,
  environment: NodeJS.ProcessEnv,
  hasher: ContentHasher,
  onLearned: () => void,
): Learned | undefined {
  const { target, call, sent } = plan.item;
  if (workspace === undefined || target.inputs !== undefined) return undefined;
  const made = workspace.reads;
  const given = sent.filter(({ read }) => read === undefined);
  const before = sent.flatMap(({ read }) => read ?? []);
  const reads = made.map(({ read }) => read);
  if (JSON.stringify(reads) === JSON.stringify(before)) return undefined;
  project.reads.keep(call, given, reads);
  // Makes the next scan read the project again.
  onLearned();
  const item = resolveTarget(target, project.config, project.module, project.reads);
  const snapshot = new ProjectScanner(item.inputs, hasher, item.sent).scan();
  const { engine, needs } = plan.fingerprint;
  const fingerprint = fingerprintOf(
    item,
    {
      environment,
      environmentKey: place.secretKey,
      snapshot,
      root: project.root,
      moduleDigest: project.module.digest,
      engine,
    },
    needs,
  );
  return {
    plan: { ...plan, item, fingerprint, digest: digestOf(fingerprint) },
    snapshot,
    isAsRead: isAsRead(
      made,
      item.sent.filter(({ read }) => read !== undefined),
      snapshot,
    ),
  };
}
