import { differenceLines } from "./objects/differences.ts";
import { nameOf } from "./objects/objects.ts";
import type { Report } from "./actions.ts";
import { readinessOf } from "./apply/readiness.ts";
import type { Release } from "./releases.ts";
import type { App } from "./objects/request.ts";
import { plan, readState } from "./session.ts";
import type { Session } from "./session.ts";

/** Reports the releases of apps, and how the cluster differs from what was deployed. Writes nothing. */
export async function status(session: Session, apps: readonly App[]): Promise<Report> {
  const lines: string[] = [`${session.environment.name}: the cluster is ${session.identity}`];
  const found = [];
  for (const { name } of apps) {
    const { releases } = await readState(session, name);
    const [last] = releases;
    if (last === undefined) {
      lines.push(`${name}: never deployed to ${session.environment.name}`);
      found.push({ app: name, releases: [], images: [], drift: [] });
      continue;
    }
    lines.push(...releases.map((release) => releaseLine(name, release)));
    lines.push(...last.record.images.map((image) => `${name}: image ${image}`));
    if (last.record.command !== undefined) {
      lines.push(`${name}: deployed by a command; what it made is not looked at`);
      found.push({ app: name, releases: releases.map(releaseData), images: last.record.images, drift: [] });
      continue;
    }
    const differing = await drift(session, name, last.record.manifests);
    lines.push(...(differing.length === 0 ? [`${name}: is as it was deployed`] : differing));
    found.push({ app: name, releases: releases.map(releaseData), images: last.record.images, drift: differing });
  }
  return { lines, apps: found };
}

function releaseLine(app: string, { record, outcome, why }: Release): string {
  const from = record.revision === undefined ? "" : `, commit ${record.revision}`;
  const back = record.rollbackTo === undefined ? "" : `, back to ${record.rollbackTo}`;
  const reason = why === undefined ? "" : `: ${why.split("\\n")[0] ?? ""}`;
  return `${app}: release ${record.release} ${outcome}, ${record.at} by ${record.by}${from}${back}${reason}`;
}

const releaseData = ({ record: { release, at, by, revision, rollbackTo }, outcome, why }: Release) => ({
  release,
  outcome,
  at,
  by,
  revision,
  rollbackTo,
  why,
});

/** Returns differences from what was deployed: workloads that are not ready, and fields that others changed since. */
async function drift(session: Session, app: string, manifests: App["manifests"]): Promise<string[]> {
  const changes = await plan(session, { name: app, manifests }, { force: true });
  const lines: string[] = [];
  for (const { manifest, path, action, differences } of changes) {
    const name = nameOf(manifest.object);
    if (action === "hook") continue;
    if (action === "create" || action === "later") {
      lines.push(`${app}: ${name}: is not there any longer`);
      continue;
    }
    const { state, why } = readinessOf(await session.cluster.get(path));
    if (state !== "ready") lines.push(`${app}: ${name}: ${why}`);
    if (differences.length > 0) {
      lines.push(`${app}: ${name}: changed since by others (- is there, + was deployed)`);
      lines.push(...differenceLines(manifest.object.kind, differences).map((line) => `  ${line}`));
    }
  }
  return lines;
}
