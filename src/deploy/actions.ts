import { leftovers } from "./applyset.ts";
import { isForbidden } from "./client.ts";
import { differenceLines } from "./differences.ts";
import { deployOrGoBack } from "./deploy-app.ts";
import type { AppResult } from "./deploy-app.ts";
import { nameOf } from "./objects.ts";
import type { Change } from "./plan-changes.ts";
import { userName } from "./preflight.ts";
import { DeployError } from "./problem.ts";
import { judge } from "./readiness.ts";
import { rollbackTarget } from "./releases.ts";
import type { App, Request } from "./request.ts";
import { checkMayDeploy, checkMayDeployAll, manifestsOf, openSession, plan, readState } from "./session.ts";
import type { AppState, Session } from "./session.ts";

/** Carries out a request; answers with the report. Progress goes to `onLine`. */
export async function carryOutRequest(
  request: Request,
  kubeconfig: string,
  onLine: (text: string) => void,
): Promise<string> {
  const session = await openSession(request, kubeconfig, onLine);
  try {
    switch (request.action) {
      case "check":
        return await check(session, request);
      case "diff":
        return await diff(session, request.apps);
      case "deploy":
        return await deploy(session, request);
      case "rollback":
        return await rollback(session, request);
      case "status":
        return await status(session, request.apps);
    }
  } finally {
    session.cluster.close();
  }
}

interface Planned {
  app: App;
  state: AppState;
  changes: Change[];
}

/** Every app is planned, by dry runs, before one is written. */
async function planAll(session: Session, apps: readonly App[]): Promise<Planned[]> {
  const planned: Planned[] = [];
  const problems: string[] = [];
  for (const app of apps) {
    try {
      planned.push({ app, state: await readState(session, app.name), changes: await plan(session, app) });
    } catch (thrown) {
      const error = await explained(session, app, thrown);
      if (!(error instanceof DeployError) || error.kind !== "refused") throw error;
      problems.push(error.message);
    }
  }
  if (problems.length > 0) throw new DeployError("refused", problems.join("\n"));
  return planned;
}

/** A right that is missing is told with all others that are. */
async function explained(session: Session, app: App, thrown: unknown): Promise<unknown> {
  if (!isForbidden(thrown)) return thrown;
  try {
    await checkMayDeployAll(session, app);
    return thrown;
  } catch (error) {
    return error;
  }
}

async function check(session: Session, { apps }: Request): Promise<string> {
  for (const { changes } of await planAll(session, apps)) await checkMayDeploy(session, changes);
  return `${session.environment.name}: the cluster is ${session.identity}, and all may be deployed\n`;
}

async function deploy(session: Session, { apps, revision }: Request): Promise<string> {
  const planned = await planAll(session, apps);
  for (const { changes } of planned) await checkMayDeploy(session, changes);
  const by = await userName(session.cluster);
  const results: AppResult[] = [];
  for (const [index, { state, changes }] of planned.entries()) {
    try {
      results.push(await deployOrGoBack(session, changes, state, { by, revision }));
    } catch (error) {
      if (!(error instanceof DeployError)) throw error;
      const before = results.map(({ app }) => app).join(", ");
      const after = planned.slice(index + 1).map(({ app }) => app.name);
      const rest = [
        ...(before === "" ? [] : [`deployed before it: ${before}`]),
        ...(after.length === 0 ? [] : [`not tried: ${after.join(", ")}`]),
      ];
      throw new DeployError(error.kind, [error.message, ...rest].join("\n"), { cause: error });
    }
  }
  return `${results.map(resultText).join("\n")}\n`;
}

function resultText({ app, release, isUnchanged, changed, leftover }: AppResult): string {
  const head = isUnchanged
    ? `${app}: nothing to change, release ${release} stands`
    : `${app}: release ${release} is deployed (${changed.length === 0 ? "no object changed" : `${changed.length} changed: ${changed.slice(0, 20).join(", ")}${changed.length > 20 ? ", …" : ""}`})`;
  return leftover.length === 0
    ? head
    : `${head}\n${app}: no longer described, and kept: ${leftover.join(", ")} (\`prune: true\` deletes what holds no data)`;
}

async function diff(session: Session, apps: readonly App[]): Promise<string> {
  const lines: string[] = [];
  for (const { app, state, changes } of await planAll(session, apps)) {
    const gone = await leftovers(
      session.cluster,
      session.resources,
      app.name,
      session.namespace,
      state.parent,
      manifestsOf(changes),
    );
    for (const { manifest, verdict, differences } of changes) {
      if (verdict === "same") continue;
      const { object, place } = manifest;
      lines.push(`${app.name}: ${nameOf(object)} (${place}): ${verdict}`);
      if (verdict === "change" || verdict === "recreate")
        lines.push(...differenceLines(object.kind, differences).map((line) => `  ${line}`));
    }
    const { prune } = session.environment;
    for (const { object, isKept } of gone)
      lines.push(`${app.name}: ${nameOf(object)}: no longer described${prune && !isKept ? ": deleted" : "; kept"}`);
  }
  return lines.length === 0 ? `${session.environment.name} is as described\n` : `${lines.join("\n")}\n`;
}

async function rollback(session: Session, { apps, to }: Request): Promise<string> {
  const chosen = [];
  for (const { name } of apps) {
    const state = await readState(session, name);
    const target = rollbackTarget(state.releases, name, to);
    const changes = await plan(session, { name, manifests: target.record.manifests });
    await checkMayDeploy(session, changes);
    chosen.push({ state, target, changes });
  }
  const by = await userName(session.cluster);
  const keep = { ...session, environment: { ...session.environment, onFailure: "keep" as const } };
  const lines: string[] = [];
  for (const { state, target, changes } of chosen) {
    const { release, revision } = target.record;
    const result = await deployOrGoBack(keep, changes, state, { by, revision, rollbackTo: release });
    lines.push(`${state.app}: back at release ${release}, as release ${result.release}`);
    if (result.leftover.length > 0) lines.push(`${state.app}: newer, and kept: ${result.leftover.join(", ")}`);
  }
  return `${lines.join("\n")}\n`;
}

async function status(session: Session, apps: readonly App[]): Promise<string> {
  const lines: string[] = [];
  for (const { name } of apps) {
    const { releases } = await readState(session, name);
    const [last] = releases;
    if (last === undefined) {
      lines.push(`${name}: never deployed to ${session.environment.name}`);
      continue;
    }
    for (const { record, outcome, why } of releases) {
      const from = record.revision === undefined ? "" : `, commit ${record.revision}`;
      const back = record.rollbackTo === undefined ? "" : `, back to ${record.rollbackTo}`;
      const reason = why === undefined ? "" : `: ${why.split("\\n")[0] ?? ""}`;
      lines.push(`${name}: release ${record.release} ${outcome}, ${record.at} by ${record.by}${from}${back}${reason}`);
    }
    lines.push(...last.record.images.map((image) => `${name}: image ${image}`));
    lines.push(...(await drift(session, name, last.record.manifests)));
  }
  return `${lines.join("\n")}\n`;
}

/** What is there beside what was deployed: each workload's state, and fields that others changed since. */
async function drift(session: Session, app: string, manifests: App["manifests"]): Promise<string[]> {
  const changes = await plan(session, { name: app, manifests }, { force: true });
  const lines: string[] = [];
  for (const { manifest, path, verdict, differences } of changes) {
    const name = nameOf(manifest.object);
    if (verdict === "create" || verdict === "later") {
      lines.push(`${app}: ${name}: is not there any longer`);
      continue;
    }
    const { state, why } = judge(await session.cluster.get(path));
    if (state !== "ready") lines.push(`${app}: ${name}: ${why}`);
    if (differences.length > 0) {
      lines.push(`${app}: ${name}: changed since by others (- is there, + was deployed)`);
      lines.push(...differenceLines(manifest.object.kind, differences).map((line) => `  ${line}`));
    }
  }
  return lines.length === 0 ? [`${app}: is as it was deployed`] : lines;
}
