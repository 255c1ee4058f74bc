import { ApiError } from "./cluster/client.ts";
import { DeployError } from "./objects/problem.ts";
import { setOutcome } from "./releases.ts";
import type { ReleaseRecord } from "./releases.ts";
import type { Session } from "./session.ts";

/**
 * What went wrong once a release was written down. Something may have been changed by then, so it is no refusal any longer,
 * whatever the server answered. Where the server is away, or is another one, nothing is written: the record stays pending,
 * and the next deploy finds it.
 */
export async function writtenDown(session: Session, record: ReleaseRecord, thrown: unknown): Promise<unknown> {
  const { app, release } = record;
  const finish = "deploy again to finish it, or go back with `rollback`";
  if (thrown instanceof ApiError) {
    const message = `${app}: release ${release} was stopped by the API server: ${thrown.message}\n${finish}`;
    await tryToSetOutcome(session, record, message);
    return new DeployError("failed", message, { cause: thrown });
  }
  if (!(thrown instanceof DeployError)) return thrown;
  if (thrown.kind === "failed" || thrown.kind === "timedOut") {
    await tryToSetOutcome(session, record, thrown.message);
    return thrown;
  }
  const message = `${app}: release ${release} was left in the middle: ${thrown.message}\n${finish}`;
  return new DeployError(thrown.kind === "refused" ? "leftHalfway" : thrown.kind, message, { cause: thrown });
}

/** What the deploy ended with is what is to be told, whether it could be written down or not. */
async function tryToSetOutcome(
  { cluster, namespace, onLine }: Session,
  record: ReleaseRecord,
  why: string,
): Promise<void> {
  try {
    await setOutcome(cluster, namespace, record, "failed", why);
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof DeployError)) throw error;
    onLine(`${record.app}: release ${record.release} stays pending: ${error.message}`);
  }
}
