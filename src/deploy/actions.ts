import { ExitCode } from "../errors/index.ts";
import { leftovers } from "./apply/applyset.ts";
import { deployErrorOf, isForbidden } from "./cluster/client.ts";
import { differenceLines } from "./objects/differences.ts";
import { deployOrGoBack } from "./deploy-app.ts";
import { nameOf } from "./objects/objects.ts";
import { isToApply } from "./apply/plan-changes.ts";
import type { Change } from "./apply/plan-changes.ts";
import { userName } from "./cluster/preflight.ts";
import { DeployError, refuse } from "./objects/problem.ts";
import { refuseCommand, rollbackTarget } from "./releases.ts";
import type { Release } from "./releases.ts";
import { requestSchema } from "./objects/request.ts";
import type { App, Request } from "./objects/request.ts";
import { checkMayDeploy, checkMayDeployAll, manifestsOf, openSession, plan, readState } from "./session.ts";
import type { AppState, Session } from "./session.ts";
import { status } from "./status.ts";
import { looksSame, unchangedApp, type AppResult } from "./unchanged.ts";

/**
 * Carries out a request of the deployer's process. Returns the report or the error message, and the exit code. Never
 * throws.
 */
export async function answerTo(
  requestText: string,
  kubeconfig: string,
  onLine: (text: string) => void,
): Promise<{ text: string; exitCode: number }> {
  try {
    const request = requestSchema.parse(JSON.parse(requestText));
    return { text: await carryOutRequest(request, kubeconfig, onLine), exitCode: ExitCode.passed };
  } catch (error) {
    const known = deployErrorOf(error);
    if (known !== undefined) return { text: known.message, exitCode: known.exitCode };
    const fault = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { text: `this is a fault of fastloop: ${fault}`, exitCode: ExitCode.failed };
  }
}

/**
 * Carries out a request and returns the report: text, or JSON when the request asks for it. Progress goes to `onLine`.
 * Throws when the request is refused or fails.
 */
async function carryOutRequest(request: Request, kubeconfig: string, onLine: (text: string) => void): Promise<string> {
  const session = await openSession(request, kubeconfig, onLine);
  try {
    const { lines, apps } = await carryOut(session, request);
    if (request.asJson !== true) return `${lines.join("\n")}\n`;
    const { environment, identity, namespace } = session;
    const { action } = request;
    return JSON.stringify({ action, environment: environment.name, namespace, cluster: identity, apps, text: lines });
  } finally {
    session.cluster.close();
  }
}

function carryOut(session: Session, request: Request): Promise<Report> {
  switch (request.action) {
    case "check":
      return check(session, request);
    case "diff":
      return diff(session, request.apps);
    case "deploy":
      return deploy(session, request);
    case "rollback":
      return rollback(session, request);
    case "status":
      return status(session, request.apps);
    case "undeploy":
      return undeploy(session, request);
  }
}

/** Result of a request: lines for a reader, and the same as data. */
export interface Report {
  lines: string[];
  apps: readonly object[];
}

interface Planned {
  app: App;
  state: AppState;
  changes: Change[];
}

/**
 * Plans every app by dry runs before any of them is written. Throws one `DeployError` with the refusals of all apps.
 */
async function planAll(session: Session, apps: readonly App[]): Promise<Planned[]> {
  const planned: Planned[] = [];
  const problems: string[] = [];
  for (const app of apps) {
    let state: AppState | undefined;
    // Asked for beside the app's state; `plan` repeats what failed.
    const learning = session.resources.learn(app.manifests.map(({ object }) => object)).catch(() => undefined);
    try {
      state = await readState(session, app.name);
      await learning;
      planned.push({ app, state, changes: await plan(session, app) });
    } catch (thrown) {
      const error = await explained(session, app, state, thrown);
      if (!(error instanceof DeployError) || error.kind !== "refused") throw error;
      problems.push(error.message);
    }
  }
  if (problems.length > 0) throw new DeployError("refused", problems.join("\n"));
  return planned;
}

/** Replaces the error of one missing right by an error that lists all missing rights. */
async function explained(session: Session, app: App, state: AppState | undefined, thrown: unknown): Promise<unknown> {
  if (!isForbidden(thrown)) return thrown;
  try {
    await checkMayDeployAll(session, app, state?.parent);
    return thrown;
  } catch (error) {
    return error;
  }
}

async function check(session: Session, { apps }: Request): Promise<Report> {
  await planToWrite(session, apps);
  const text = `${session.environment.name}: the cluster is ${session.identity}, and all may be deployed`;
  return { lines: [text], apps: apps.map(({ name }) => ({ app: name })) };
}

async function planToWrite(session: Session, apps: readonly App[]): Promise<Planned[]> {
  const planned = await planAll(session, apps);
  for (const { changes, state } of planned) await checkMayDeploy(session, changes, state.parent);
  return planned;
}

async function deploy(session: Session, { apps, revision, images = [] }: Request): Promise<Report> {
  const planned = await planAll(session, apps);
  const isSame = ({ app, state, changes }: Planned): boolean => app.custom === undefined && looksSame(changes, state);
  for (const each of planned) if (!isSame(each)) await checkMayDeploy(session, each.changes, each.state.parent);
  let by: string | undefined;
  const results = await oneAfterTheOther(planned, async (each) => {
    const {
      app: { custom },
      state,
      changes,
    } = each;
    if (isSame(each)) {
      const unchanged = await unchangedApp(session, changes, state).catch(async (error: unknown) => {
        throw await explained(session, each.app, state, error);
      });
      if (unchanged !== undefined) return unchanged;
      await checkMayDeploy(session, changes, state.parent);
    }
    by ??= await userName(session.cluster);
    const run = custom && { command: custom.apply, folder: custom.folder, images, revision };
    return deployOrGoBack(session, changes, state, { by, revision, run });
  });
  return { lines: results.flatMap(resultLines), apps: results };
}

/**
 * Deletes an app's members, except those that hold data. An app that is deployed by a command is removed by its
 * `delete` command.
 */
async function undeploy(session: Session, { apps, revision, images = [] }: Request): Promise<Report> {
  const pruning = { ...session, environment: { ...session.environment, prune: true, onFailure: "keep" as const } };
  const planned = await planToWrite(
    pruning,
    apps.map((app) => ({ ...app, manifests: [] })),
  );
  const unknown = planned.filter(({ state }) => state.releases.length === 0).map(({ app }) => app.name);
  if (unknown.length > 0)
    throw refuse(`${unknown.join(", ")}: never deployed to ${session.environment.name}; nothing was changed`);
  const by = await userName(session.cluster);
  const results = await oneAfterTheOther(planned, ({ app: { custom }, state, changes }) => {
    const run = custom && { command: custom.delete, folder: custom.folder, images, revision };
    return deployOrGoBack(pruning, changes, state, { by, revision, run });
  });
  const lines = results.flatMap(({ app, release, isUnchanged, leftover }) => [
    isUnchanged ? `${app}: is gone already` : `${app}: is gone, as release ${release}`,
    ...(leftover.length === 0 ? [] : [`${app}: kept, as it holds data: ${leftover.join(", ")}`]),
  ]);
  return { lines, apps: results };
}

/**
 * Runs the items in order and stops at the first failure. The error also says what was deployed before and what was not
 * tried; once anything was changed, its kind is `failed`, not `refused`.
 */
async function oneAfterTheOther<T extends { state: AppState }>(
  items: readonly T[],
  run: (item: T) => Promise<AppResult>,
): Promise<AppResult[]> {
  const results: AppResult[] = [];
  for (const [index, item] of items.entries()) {
    try {
      results.push(await run(item));
    } catch (thrown) {
      const error = deployErrorOf(thrown);
      if (error === undefined) throw thrown;
      const before = results.map(({ app }) => app).join(", ");
      const after = items.slice(index + 1).map(({ state }) => state.app);
      const rest = [
        ...(before === "" ? [] : [`deployed before it: ${before}`]),
        ...(after.length === 0 ? [] : [`not tried: ${after.join(", ")}`]),
      ];
      const isPartial = error.kind === "refused" && results.some(({ isUnchanged }) => !isUnchanged);
      throw new DeployError(isPartial ? "failed" : error.kind, [error.message, ...rest].join("\n"), { cause: error });
    }
  }
  return results;
}

function resultLines({ app, release, isUnchanged, isByCommand, changed, leftover }: AppResult): string[] {
  const names = `${changed.length} changed: ${changed.slice(0, 20).join(", ")}${changed.length > 20 ? ", …" : ""}`;
  const head = isUnchanged
    ? `${app}: nothing to change, release ${release} stands`
    : `${app}: release ${release} is deployed (${isByCommand ? "by its command" : changed.length === 0 ? "no object changed" : names})`;
  if (leftover.length === 0) return [head];
  return [
    head,
    `${app}: no longer described, and kept: ${leftover.join(", ")} (\`prune: true\` deletes what holds no data)`,
  ];
}

async function diff(session: Session, apps: readonly App[]): Promise<Report> {
  const { cluster, resources, namespace, environment } = session;
  const lines: string[] = [];
  const compared = [];
  for (const { app, state, changes } of await planAll(session, apps)) {
    if (app.custom !== undefined)
      lines.push(`${app.name}: runs \`${app.custom.apply}\`, which says itself what it changes`);
    const gone = await leftovers(cluster, resources, app.name, namespace, state.parent, manifestsOf(changes));
    const isChanging =
      app.custom !== undefined || changes.some(isToApply) || (environment.prune && gone.some(({ isKept }) => !isKept));
    const changing = isChanging ? changes.filter(({ action }) => action !== "same") : [];
    for (const { manifest, action, differences } of changing) {
      const { object, place } = manifest;
      lines.push(`${app.name}: ${nameOf(object)} (${place}): ${action}`);
      if (action === "change" || action === "recreate")
        lines.push(...differenceLines(object.kind, differences).map((line) => `  ${line}`));
    }
    const isDeleted = ({ isKept }: (typeof gone)[number]): boolean => environment.prune && !isKept;
    for (const each of gone)
      lines.push(`${app.name}: ${nameOf(each.object)}: no longer described${isDeleted(each) ? ": deleted" : "; kept"}`);
    compared.push({
      app: app.name,
      isDifferent: isChanging,
      changes: changing.map(({ manifest: { object, place }, action, differences }) => {
        const fields = action === "change" || action === "recreate" ? differenceLines(object.kind, differences) : [];
        return { object: nameOf(object), place, action, fields };
      }),
      noLongerDescribed: gone.map((each) => ({ object: nameOf(each.object), isDeleted: isDeleted(each) })),
    });
  }
  return { lines: lines.length === 0 ? [`${environment.name} is as described`] : lines, apps: compared };
}

async function rollback(session: Session, { apps, to }: Request): Promise<Report> {
  const chosen: { state: AppState; target: Release; changes: Change[] }[] = [];
  for (const { name } of apps) {
    const state = await readState(session, name);
    const target = rollbackTarget(state.releases, name, to);
    refuseCommand(target.record);
    const changes = await plan(session, { name, manifests: target.record.manifests });
    await checkMayDeploy(session, changes, state.parent);
    chosen.push({ state, target, changes });
  }
  const by = await userName(session.cluster);
  const keep = { ...session, environment: { ...session.environment, onFailure: "keep" as const } };
  const results = await oneAfterTheOther(chosen, ({ state, target, changes }) => {
    const { release, revision } = target.record;
    return deployOrGoBack(keep, changes, state, { by, revision, rollbackTo: release });
  });
  const lines = results.flatMap(({ app, release, leftover }, index) => [
    `${app}: back at release ${chosen[index]?.target.record.release}, as release ${release}`,
    ...(leftover.length === 0 ? [] : [`${app}: newer, and kept: ${leftover.join(", ")}`]),
  ]);
  return { lines, apps: results.map((each, index) => ({ ...each, backTo: chosen[index]?.target.record.release })) };
}
