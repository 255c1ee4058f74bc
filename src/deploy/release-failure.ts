import { ApiError } from "./cluster/client.ts";
import { DeployError } from "./objects/problem.ts";
import { setOutcome } from "./releases.ts";
import type { ReleaseRecord } from "./releases.ts";
import type { Session } from "./session.ts";

/**
 * Turns an error after the release's record was written into the error to report, and stores the outcome. By then
 * something may have been changed, so it is never a refusal, whatever the server answered. When the server is gone or
 * is a different one, nothing is stored: the record stays pending and the next deploy finds it.
 */
export async function recordFailure(session: Session, record: ReleaseRecord, thrown: unknown): Promise<unknown> {
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

/** Stores the outcome if possible. A failure here is only printed, so that it does not hide the error of the deploy. */
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
