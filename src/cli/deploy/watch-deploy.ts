/**
 * `fastloop deploy ENV --watch`: deploys again what an edit affects, with forwards and logs in between. A failure does
 * not end it; what failed is deployed again with the next edit.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isLocalCluster, type HostAccess } from "../../deploy/index.ts";
import { UserError } from "../../errors/index.ts";
import { placeProject, projectHasher } from "../../plan/index.ts";
import { printable } from "../../text/index.ts";
import { Watcher } from "../../watch/index.ts";
import type { CliContext } from "../context.ts";
import { AppFiles } from "./app-files.ts";
import { deployOnce, type DeployFlags } from "./deploy-once.ts";
import { accessOf, chooseEnvironment, type ChosenEnvironment } from "./environment.ts";
import { LiveApps } from "./live-apps.ts";
import { pinCluster } from "./pin.ts";
import { printReport } from "./report.ts";

/** How long a deploy may continue after its files changed; then it is aborted for the newer edit. */
const graceMs = 10_000;

/** Deploys all apps, then watches and deploys until interrupted. Throws when the environment does not allow it. */
export async function watchDeploy(
  context: CliContext,
  environment: ChosenEnvironment,
  flags: DeployFlags,
): Promise<void> {
  const access = await accessOf(context, environment, flags);
  refuseUnlessWatched(environment, access);
  const pin = await pinCluster(context, environment, access);
  if (pin.text !== undefined) tell(context, pin.text);
  const { root, state } = placeProject({ cwd: context.cwd, configFile: flags.config, onNotice: context.notice });
  const files = new AppFiles(projectHasher(state), { root, isPublished: flags.publish === true, only: flags.app });
  const live = new LiveApps(context);
  let wake = (): void => {};
  let changed = new Promise<void>((resolve) => (wake = resolve));
  const watcher = new Watcher({
    root,
    state,
    onSettled: () => wake(),
    onNotice: context.notice,
    fingerprint: () => files.scan().statDigest(),
    concerns: (file) => files.concerns(file),
  });
  const aborted = new Promise<void>((resolve) =>
    context.signal.addEventListener("abort", () => resolve(), { once: true }),
  );
  let current = environment;
  files.describe(current);
  const dirty = new Set(files.changed());
  try {
    watcher.watch(files.scan().folders());
    while (!context.signal.aborted) {
      if (dirty.size > 0) {
        const deploying = deployAgain(context, current, flags, { first: access, apps: [...dirty], live, changed });
        if (await deploying) dirty.clear();
        else if (!context.signal.aborted) tell(context, "waiting for the next edit");
      }
      await Promise.race([changed, aborted]);
      changed = new Promise<void>((resolve) => (wake = resolve));
      current = await readAgain(context, current, flags);
      files.describe(current);
      watcher.watch(files.scan().folders(), { rescan: false });
      const affected = files.changed();
      if (affected.length === 0) continue;
      for (const app of affected) dirty.add(app);
      tell(context, `${affected.map(printable).join(", ")}: changed`);
    }
    context.signal.throwIfAborted();
  } finally {
    watcher.close();
    live.close();
    files.save();
  }
}

/**
 * Edits are deployed without asking. Where that may affect others, the environment has to allow it with `watch: true`.
 * Throws otherwise.
 */
function refuseUnlessWatched({ name, settings }: ChosenEnvironment, { access }: HostAccess): void {
  if (settings.production !== true && (settings.watch ?? isLocalCluster(access))) return;
  throw new UserError("usage", `${name} does not allow deploying on each edit`, {
    place: "--watch",
    hint:
      settings.production === true
        ? "it is production; deploy without --watch"
        : `\`watch: true\` in \`deploy.environments.${name}\` allows it; by itself it is for clusters of this machine`,
  });
}

/** Reads the configuration again. A broken one is reported, and the last good one stays in use. */
async function readAgain(
  context: CliContext,
  before: ChosenEnvironment,
  flags: DeployFlags,
): Promise<ChosenEnvironment> {
  try {
    return await chooseEnvironment(context, before.name, flags);
  } catch (error) {
    context.fail(error);
    return before;
  }
}

interface Again {
  /** Access of the first deploy; later deploys must go to the same cluster. */
  first: HostAccess;
  apps: string[];
  live: LiveApps;
  /** Resolves at the next edit. */
  changed: Promise<void>;
}

/** Deploys these apps once; returns whether that passed. */
async function deployAgain(
  context: CliContext,
  environment: ChosenEnvironment,
  flags: DeployFlags,
  { first, apps, live, changed }: Again,
): Promise<boolean> {
  const newer = new AbortController();
  const ended = new AbortController();
  void changed
    .then(() => sleep(graceMs, undefined, { signal: ended.signal }))
    .then(() => newer.abort(new UserError("interrupted", "a newer edit takes its place")))
    .catch(() => undefined);
  const signal = AbortSignal.any([context.signal, newer.signal]);
  const given = Object.create(context, { signal: { value: signal } }) as CliContext;
  try {
    // Tokens expire, so each deploy resolves the access anew and checks that it is the same cluster.
    const access = await accessOf(given, environment, flags);
    refuseUnlessWatched(environment, access);
    refuseAnother(first, access);
    live.use(environment, access, flags);
    const report = await deployOnce(given, environment, flags, { access, apps, isPlain: true });
    printReport(context, report);
    return true;
  } catch (error) {
    if (context.signal.aborted) return false;
    if (newer.signal.aborted) tell(context, `${apps.map(printable).join(", ")}: given up for a newer edit`);
    else context.fail(error);
    return false;
  } finally {
    ended.abort();
  }
}

function refuseAnother({ access: first }: HostAccess, { access: now }: HostAccess): void {
  if (first.server.href === now.server.href && first.ca === now.ca && first.context === now.context) return;
  throw new UserError(
    "usage",
    `the context ${printable(now.context)} leads to another cluster now (${now.server.host}, was ${first.server.host})`,
    { hint: "nothing was changed; if this is intended, start `deploy --watch` again" },
  );
}

function tell(context: CliContext, text: string): void {
  if (context.options.json) context.printJson({ event: "notice", text });
  else context.notice(text);
}
