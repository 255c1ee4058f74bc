import { leftovers, prune, writeParent } from "./apply/applyset.ts";
import type { Leftover } from "./apply/applyset.ts";
import { applyChanges } from "./apply/apply-changes.ts";
import { ApiError } from "./cluster/client.ts";
import { runCommand, type Command } from "./command.ts";
import { runHooks } from "./apply/hooks.ts";
import { imagesOf } from "./objects/image-references.ts";
import { takeLease } from "./lease.ts";
import { inPhases } from "./objects/order.ts";
import { isToApply } from "./apply/plan-changes.ts";
import type { Change } from "./apply/plan-changes.ts";
import { DeployError, refuse } from "./objects/problem.ts";
import { createRelease, packRecord, readReleases, refuseCommand, setOutcome, trimReleases } from "./releases.ts";
import type { ReleaseRecord } from "./releases.ts";
import { ready, waitingOf } from "./ready.ts";
import { checkMayDeploy, checkSameCluster, manifestsOf, plan, readState } from "./session.ts";
import type { AppState, Session } from "./session.ts";
import { recordFailure } from "./release-failure.ts";
import { namesOfKept, staysAsItIs, unchangedResult, type AppResult } from "./unchanged.ts";

/** Data of a release, apart from its manifests. */
export interface ReleaseInfo {
  by: string;
  revision?: string;
  rollbackTo?: number;
  /** Command to run instead of applying manifests. */
  run?: Command;
}

/**
 * Deploys one app: takes the lease, writes the record, applies, prunes, waits and writes the outcome. Throws a
 * `DeployError` that says what was applied. If this process is killed, its record stays pending; the next deploy finds
 * it and applies all of its own manifests, so nothing stays half done.
 */
export async function deployApp(
  session: Session,
  planned: readonly Change[],
  state: AppState,
  info: ReleaseInfo,
): Promise<AppResult> {
  const { app } = state;
  const record = recordOf(session, planned, { app, release: 1, ...info });
  packRecord(record);
  await applyNamespace(session, planned);
  await checkSameCluster(session);
  const lease = await takeLease(session.cluster, app, session.namespace, (text) => session.onLine(`${app}: ${text}`));
  try {
    return await deployUnderLease(session, planned, state, record, { checkLease: lease.check, run: info.run });
  } finally {
    await lease.release();
  }
}

async function deployUnderLease(
  session: Session,
  planned: readonly Change[],
  before: AppState,
  record: ReleaseRecord,
  { checkLease, run }: Pick<Making, "checkLease" | "run">,
): Promise<AppResult> {
  const { cluster, environment, namespace, onLine } = session;
  const { app } = before;
  const now = await readState({ ...session, isNamespaceThere: true }, app);
  const [last] = now.releases;
  if (last?.record.release !== before.releases[0]?.record.release)
    throw refuse(
      `${app} was deployed by somebody else meanwhile; look at \`diff\` and deploy again; nothing was changed`,
    );
  const changes = await plannedUnderLease(session, planned, before, now);
  if (last?.outcome === "pending") {
    onLine(`${app}: the deploy of release ${last.record.release} was interrupted; this one finishes what it left`);
    await setOutcome(cluster, namespace, last.record, "interrupted");
    last.outcome = "interrupted";
  }
  const gone = await leftovers(cluster, session.resources, app, namespace, now.parent, manifestsOf(changes));
  const isSame = !changes.some(isToApply) && staysAsItIs(gone, environment);
  const leftover = namesOfKept(gone, environment);
  // What a command changes is unknown, so it always runs.
  if (isSame && run === undefined && last?.outcome === "deployed" && record.rollbackTo === undefined) {
    await ready(session, changes, app, last.record.release);
    return unchangedResult(app, last, gone, environment);
  }
  record.release = (last?.record.release ?? 0) + 1;
  await checkSameCluster(session);
  await writeParent(cluster, app, namespace, environment.name, namespacedOf(session, changes), now.parent);
  await createRelease(cluster, namespace, record);
  try {
    const wasDeployed = now.releases.some(({ outcome }) => outcome === "deployed");
    const isFew = now.releases.length < environment.history;
    const way = record.rollbackTo !== undefined ? "rollback" : wasDeployed ? "upgrade" : "install";
    const changed = await makeRelease(session, changes, gone, record, { checkLease, way, isFew, run });
    const isByCommand = run !== undefined;
    return { app, release: record.release, isUnchanged: false, isByCommand, changed, leftover, images: record.images };
  } catch (error) {
    throw await recordFailure(session, record, error);
  }
}

interface Making {
  checkLease: () => void;
  way: "install" | "upgrade" | "rollback";
  /** Whether all releases are kept, this one included. */
  isFew: boolean;
  run?: Command;
}

/**
 * Makes a release whose record exists: hooks, apply, command, prune, wait, hooks, outcome. Returns the changed objects.
 */
async function makeRelease(
  session: Session,
  changes: readonly Change[],
  gone: readonly Leftover[],
  record: ReleaseRecord,
  { checkLease, way, isFew, run }: Making,
): Promise<string[]> {
  const { cluster, environment, namespace } = session;
  const { app, release } = record;
  const onLine = (text: string): void => session.onLine(`${app}: ${text}`);
  const beforeWrites = async (): Promise<void> => {
    checkLease();
    await checkSameCluster(session);
  };
  const hooks = { ...waitingOf(session, app), beforeWrites };
  await runHooks(cluster, changes, `pre-${way}`, hooks);
  const changed = await carryOut(session, changes, app, release, beforeWrites);
  if (run !== undefined) {
    await beforeWrites();
    await runCommand(session, app, run);
    checkLease();
  }
  if (environment.prune && gone.length > 0) {
    await beforeWrites();
    await prune(cluster, gone, onLine);
  }
  await ready(session, changes, app, release);
  await runHooks(cluster, changes, `post-${way}`, hooks);
  await setOutcome(cluster, namespace, record, "deployed");
  if (isFew) return changed;
  try {
    await trimReleases(cluster, app, namespace, environment.history, await readReleases(cluster, app, namespace));
  } catch (error) {
    // The release is deployed even if old records can't be deleted.
    if (!(error instanceof ApiError)) throw error;
    onLine(`releases of before could not be deleted: ${error.message}`);
  }
  return changed;
}

/**
 * Returns the changes as they are under the lease. It plans again when another deploy may have written since the first
 * plan: one that was running then, or was killed.
 */
async function plannedUnderLease(
  session: Session,
  planned: readonly Change[],
  before: AppState,
  now: AppState,
): Promise<readonly Change[]> {
  const outcome = now.releases[0]?.outcome;
  if (outcome !== "pending" && outcome === before.releases[0]?.outcome) return planned;
  const changes = await plan(session, { name: now.app, manifests: manifestsOf(planned) });
  await checkMayDeploy(session, changes, now.parent);
  return changes;
}

/**
 * Deploys an app. When that fails and the environment has `onFailure: rollback`, applies the last good release again.
 * The deploy's error is thrown even if the rollback succeeds, with the rollback's outcome in its message.
 */
export async function deployOrGoBack(
  session: Session,
  changes: readonly Change[],
  state: AppState,
  info: ReleaseInfo,
): Promise<AppResult> {
  try {
    return await deployApp(session, changes, state, info);
  } catch (error) {
    const isOurs = error instanceof DeployError && (error.kind === "failed" || error.kind === "timedOut");
    if (!isOurs || session.environment.onFailure !== "rollback") throw error;
    throw new DeployError(error.kind, `${error.message}\n${await goBack(session, state.app, info.by)}`);
  }
}

/**
 * Applies the last good release again and returns a line about it. Reads the releases again: a newer one may have been
 * deployed while this deploy waited for the lease.
 */
async function goBack(session: Session, app: string, by: string): Promise<string> {
  let goal = "an earlier release";
  try {
    const state = await readState(session, app);
    const to = state.releases.find(({ outcome }) => outcome === "deployed");
    if (to === undefined) return `${app}: there is no earlier release to go back to`;
    const { release } = to.record;
    refuseCommand(to.record);
    goal = `release ${release}`;
    session.onLine(`${app}: going back to ${goal}`);
    // What the failed release applied belongs to fastloop's own field manager, so no other manager's fields are
    // overwritten.
    const changes = await plan(session, { name: app, manifests: to.record.manifests });
    const result = await deployApp(session, changes, state, {
      by,
      revision: to.record.revision,
      rollbackTo: release,
    });
    return `${app}: went back to ${goal}, as release ${result.release}`;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return `${app}: going back to ${goal} failed too: ${error.message}`;
  }
}

/** Applies the changes. Throws a `DeployError` that lists what was applied and what was not when a part fails. */
async function carryOut(
  session: Session,
  changes: readonly Change[],
  app: string,
  release: number,
  beforeWrites: () => Promise<void>,
): Promise<string[]> {
  const { done, failed } = await applyChanges(session.cluster, changes, session.environment, {
    onLine: (text) => session.onLine(`${app}: ${text}`),
    beforeWrites,
  });
  if (failed.length === 0) return done;
  const left = changes.filter(isToApply).length - done.length - failed.length;
  throw new DeployError(
    "failed",
    [
      `${app}: release ${release} was applied only in part`,
      ...failed,
      `applied: ${done.length === 0 ? "nothing" : done.join(", ")}; not tried: ${left}`,
      "deploy again to finish it, or go back with `rollback`",
    ].join("\n"),
  );
}

/** Applies the environment's namespace before the lease is taken, as the lease is an object in it. */
async function applyNamespace(session: Session, changes: readonly Change[]): Promise<void> {
  if (session.isNamespaceThere) return;
  const own = changes.filter(({ manifest: { object } }) => object.kind === "Namespace");
  const { failed } = await applyChanges(session.cluster, own, session.environment, {
    onLine: session.onLine,
    beforeWrites: () => checkSameCluster(session),
  });
  if (failed.length > 0) throw refuse(failed.join("\n"));
  for (const change of own) change.action = "same";
  session.isNamespaceThere = true;
}

function recordOf(
  { environment, identity }: Session,
  changes: readonly Change[],
  { run, ...info }: ReleaseInfo & { app: string; release: number },
): ReleaseRecord {
  const manifests = inPhases(manifestsOf(changes), ({ object }) => object).flat();
  return {
    version: 1,
    ...info,
    ...(run === undefined ? {} : { command: run.command }),
    environment: environment.name,
    cluster: identity,
    at: new Date().toISOString(),
    images: run === undefined ? imagesOf(manifests) : [...run.images],
    manifests,
  };
}

const namespacedOf = ({ resources }: Session, changes: readonly Change[]) =>
  manifestsOf(changes)
    .map(({ object }) => object)
    .filter((object) => resources.of(object)?.isNamespaced === true);
