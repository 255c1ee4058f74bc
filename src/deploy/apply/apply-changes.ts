import { setTimeout as sleep } from "node:timers/promises";
import pMap from "p-map";
import { deleteObject, fieldManager } from "./applyset.ts";
import { ApiError, isMissing } from "../cluster/client.ts";
import type { Cluster } from "../cluster/client.ts";
import { nameOf } from "../objects/objects.ts";
import { inPhases } from "../objects/order.ts";
import { explain, isToApply } from "./plan-changes.ts";
import type { Change } from "./plan-changes.ts";
import { DeployError } from "../objects/problem.ts";
import { readinessOf } from "./readiness.ts";
import type { Environment } from "../objects/request.ts";

const verbs = { create: "created", change: "changed", recreate: "made anew", later: "created" } as const;

/** Outcome of applying: everything, or what was done before a refusal. */
export interface Applied {
  done: string[];
  failed: string[];
}

/**
 * Applies all changes that are not `same`, phase by phase, and waits for namespaces and definitions that others depend
 * on. A phase with a failure is the last one: later objects would run on half of what they need.
 */
export async function applyChanges(
  cluster: Cluster,
  changes: readonly Change[],
  environment: Environment,
  { onLine, beforeWrites }: { onLine: (text: string) => void; beforeWrites: () => Promise<void> },
): Promise<Applied> {
  const applied: Applied = { done: [], failed: [] };
  const wanted = changes.filter(isToApply);
  for (const phase of inPhases(wanted, ({ manifest }) => manifest.object)) {
    await beforeWrites();
    await pMap(
      phase,
      async (change) => {
        const { object, place } = change.manifest;
        try {
          await applyOne(cluster, change, environment);
          const { action } = change;
          if (action === "same" || action === "hook") return;
          applied.done.push(nameOf(object));
          onLine(`${nameOf(object)}: ${verbs[action]}`);
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
          applied.failed.push(`${place}: ${nameOf(object)}: ${explain(error, object)}`);
        }
      },
      { concurrency: 8 },
    );
    if (applied.failed.length > 0) break;
    await settle(cluster, phase);
  }
  return applied;
}

async function applyOne(cluster: Cluster, change: Change, { forceConflicts }: Environment): Promise<void> {
  const { manifest, path, action, uid } = change;
  if (action === "recreate" && uid !== undefined) {
    await deleteObject(cluster, path, uid);
    await waitUntilGone(cluster, path, nameOf(manifest.object));
  }
  await cluster.apply(path, manifest.object, { force: forceConflicts, manager: fieldManager });
}

/** Waits until namespaces are active and the kinds of definitions are served. Throws after 60 seconds. */
async function settle(cluster: Cluster, phase: readonly Change[]): Promise<void> {
  const foundations = phase.filter(({ manifest: { object } }) =>
    ["Namespace", "CustomResourceDefinition"].includes(object.kind),
  );
  await Promise.all(
    foundations.map(async ({ path, manifest }) => {
      const untilMs = performance.now() + 60_000;
      for (;;) {
        const { state, why } = readinessOf(await cluster.get(path));
        if (state === "ready") return;
        if (state === "failed" || performance.now() > untilMs)
          throw new DeployError("failed", `${manifest.place}: ${nameOf(manifest.object)}: ${why}`);
        await sleep(200);
      }
    }),
  );
}

/** Resolves when the object is deleted. Throws after two minutes. */
export async function waitUntilGone(cluster: Cluster, path: string, name: string): Promise<void> {
  const untilMs = performance.now() + 120_000;
  while (performance.now() < untilMs) {
    try {
      await cluster.get(path);
    } catch (error) {
      if (isMissing(error)) return;
      throw error;
    }
    await sleep(300);
  }
  throw new DeployError("failed", `${name}: still being deleted after two minutes; a finalizer may hold it`);
}
