import { setTimeout as sleep } from "node:timers/promises";
import { deleteObject, fieldManager, partOf } from "./applyset.ts";
import { isMissing } from "../cluster/client.ts";
import type { Cluster } from "../cluster/client.ts";
import { waitUntilGone } from "./apply-changes.ts";
import { hookOf } from "../objects/hook-of.ts";
import type { Hook, HookMoment } from "../objects/hook-of.ts";
import { nameOf, textAt } from "../objects/objects.ts";
import type { Change } from "./plan-changes.ts";
import { DeployError } from "../objects/problem.ts";
import { waitUntilReady } from "./rollout.ts";
import type { RolloutFailure, Waiting } from "./rollout.ts";

export interface HookRun extends Waiting {
  /** Called before each write. */
  beforeWrites: () => Promise<void>;
}

/** Runs the hooks of a moment one after another. Throws at the first that fails, as what it prepares is missing. */
export async function runHooks(
  cluster: Cluster,
  changes: readonly Change[],
  moment: HookMoment,
  run: HookRun,
): Promise<void> {
  const hooks = changes
    .flatMap((change) => {
      const hook = hookOf(change.manifest.object);
      return hook?.moments.includes(moment) === true ? [{ change, hook }] : [];
    })
    .toSorted((a, b) => a.hook.weight - b.hook.weight || label(a.change).localeCompare(label(b.change)));
  for (const { change, hook } of hooks) {
    run.onLine(`${label(change)}: runs as ${moment}`);
    const failure = await runHook(cluster, change, hook, run);
    const isDeleted = hook.deletions.includes(failure === undefined ? "hook-succeeded" : "hook-failed");
    if (isDeleted) await deleteOwn(cluster, change, run);
    if (failure !== undefined) {
      const text = [`the ${moment} hook ${label(change)} failed`, ...failure.lines].join("\n");
      throw new DeployError(failure.isTimeout ? "timedOut" : "failed", text);
    }
  }
}

const label = ({ manifest }: Change): string => nameOf(manifest.object);

async function runHook(
  cluster: Cluster,
  change: Change,
  hook: Hook,
  run: HookRun,
): Promise<RolloutFailure | undefined> {
  const { manifest, path } = change;
  if (hook.deletions.includes("before-hook-creation")) await deleteOwn(cluster, change, run);
  await run.beforeWrites();
  await cluster.apply(path, manifest.object, { manager: fieldManager });
  if (!["Job", "Pod"].includes(manifest.object.kind)) return undefined;
  const failure = await waitUntilReady(cluster, [manifest], run);
  if (failure !== undefined || manifest.object.kind !== "Pod") return failure;
  return waitUntilDone(cluster, change, run.timeoutMs);
}

/** A Pod that is a hook has to succeed; being ready is not enough. */
async function waitUntilDone(cluster: Cluster, change: Change, timeoutMs: number): Promise<RolloutFailure | undefined> {
  const untilMs = performance.now() + timeoutMs;
  for (;;) {
    const phase = textAt(await cluster.get(change.path), "status", "phase");
    if (phase === "Succeeded") return undefined;
    if (phase === "Failed") return { isTimeout: false, lines: [`${label(change)}: failed`] };
    if (performance.now() >= untilMs) return { isTimeout: true, lines: [`${label(change)}: still runs`] };
    await sleep(1000);
  }
}

/** Deletes the object of an earlier run. Throws when the object does not belong to this app. */
async function deleteOwn(cluster: Cluster, { path, manifest }: Change, { beforeWrites }: HookRun): Promise<void> {
  let found: unknown;
  try {
    found = await cluster.get(path);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  if (textAt(found, "metadata", "labels", partOf) !== manifest.object.metadata.labels?.[partOf])
    throw new DeployError(
      "failed",
      `${manifest.place}: ${nameOf(manifest.object)} is there already and was not made by this app`,
    );
  await beforeWrites();
  await deleteObject(cluster, path, textAt(found, "metadata", "uid") ?? "");
  await waitUntilGone(cluster, path, nameOf(manifest.object));
}
