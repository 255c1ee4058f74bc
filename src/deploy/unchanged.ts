/** Deploys that find everything as described. They write nothing: no release, and not even the lease. */
import { leftovers, type Leftover } from "./apply/applyset.ts";
import { isToApply, type Change } from "./apply/plan-changes.ts";
import { imagesOf } from "./objects/image-references.ts";
import { nameOf } from "./objects/objects.ts";
import type { Environment } from "./objects/request.ts";
import { ready } from "./ready.ts";
import type { Release } from "./releases.ts";
import { manifestsOf, readState, type AppState, type Session } from "./session.ts";

/** Outcome of deploying one app. */
export interface AppResult {
  app: string;
  release: number;
  /** Whether nothing had to be changed; `release` is then the previous release. */
  isUnchanged: boolean;
  isByCommand: boolean;
  changed: string[];
  /** Members that no manifest describes any longer and that were not deleted. */
  leftover: string[];
  images: string[];
}

/** Reports whether a plan may leave everything as it is: nothing to apply, and the last release is deployed. */
export const looksSame = (changes: readonly Change[], { releases: [last] }: AppState): boolean =>
  last?.outcome === "deployed" && !changes.some(isToApply);

/** Reports whether no member has to be deleted. */
export const staysAsItIs = (gone: readonly Leftover[], { prune }: Environment): boolean =>
  !prune || gone.every(({ isKept }) => isKept);

/** Returns the names of members that are no longer described and are not deleted. */
export const namesOfKept = (gone: readonly Leftover[], { prune }: Environment): string[] =>
  gone.filter(({ isKept }) => isKept || !prune).map(({ object }) => nameOf(object));

/** Returns the outcome of a deploy that changes nothing. */
export const unchangedResult = (
  app: string,
  { record: { release, manifests } }: Release,
  gone: readonly Leftover[],
  environment: Environment,
): AppResult => ({
  app,
  release,
  isUnchanged: true,
  isByCommand: false,
  changed: [],
  leftover: namesOfKept(gone, environment),
  images: imagesOf(manifests),
});

/**
 * Returns the outcome for a plan that looks the same, once everything is ready. Returns undefined when something has to
 * be written after all. No lease is needed: the release that was the last one before the plan is still the last one, so
 * no other deploy has begun in between.
 */
export async function unchangedApp(
  session: Session,
  changes: readonly Change[],
  before: AppState,
): Promise<AppResult | undefined> {
  const { cluster, resources, environment, namespace } = session;
  const { app } = before;
  const [now, gone] = await Promise.all([
    readState(session, app),
    leftovers(cluster, resources, app, namespace, before.parent, manifestsOf(changes)),
  ]);
  const [last] = now.releases;
  const isSame = last?.record.release === before.releases[0]?.record.release && last?.outcome === "deployed";
  if (!isSame || !staysAsItIs(gone, environment)) return undefined;
  await ready(session, changes, app, last.record.release);
  return unchangedResult(app, last, gone, environment);
}
