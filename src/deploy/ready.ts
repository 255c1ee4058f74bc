/** Waits until an app's objects are ready. */
import { waitUntilReady } from "./apply/rollout.ts";
import type { Waiting } from "./apply/rollout.ts";
import type { Change } from "./apply/plan-changes.ts";
import { DeployError } from "./objects/problem.ts";
import { manifestsOf, type Session } from "./session.ts";

/** Resolves when everything but hooks is ready. Throws a `DeployError` with the reasons otherwise. */
export async function ready(session: Session, changes: readonly Change[], app: string, release: number): Promise<void> {
  const objects = manifestsOf(changes.filter(({ action }) => action !== "hook"));
  const failure = await waitUntilReady(session.cluster, objects, waitingOf(session, app));
  if (failure === undefined) return;
  const text = [`${app}: release ${release} did not become ready`, ...failure.lines].join("\n");
  throw new DeployError(failure.isTimeout ? "timedOut" : "failed", text);
}

/** Returns how to wait for an app's objects. */
export const waitingOf = ({ resources, environment, onLine }: Session, app: string): Waiting => ({
  timeoutMs: environment.timeoutMs,
  failFast: environment.failFast,
  onLine: (text) => onLine(`${app}: ${text}`),
  pathOf: ({ object }) => resources.pathOf(object),
});
