import type { Container, Directory } from "@dagger.io/dagger";
import { resolveSuite } from "../vendor/config.mjs";
import type { Config, ResolvedSuite, TierName } from "../vendor/config.mjs";
import { devFiles, devImage } from "./dev.ts";
import { cacheVolume, run } from "./exec.ts";
import { imageOf } from "./images.ts";
import { baseFromLadder } from "./ladder.ts";
import { readLock } from "./lock.ts";
import { baseOf, devBase, nameOf } from "./project.ts";
import { suitesFailure } from "./failures.ts";
import type { TierFailure } from "./failures.ts";
import { withServices } from "./services.ts";
import { parseShard, runnerEnvironment } from "./runners.ts";
import type { RunnerRequest } from "./runners.ts";
import { summaryOf } from "./summary.ts";
import { askedTests, namesArguments } from "./trace.ts";
import type { TraceRequest } from "./trace.ts";
import { UserError } from "./user-error.ts";

export const tierOrder: readonly TierName[] = ["smoke", "fast", "full"];

/** The result of one tier of a suite that passed. */
export interface TierResult {
  suite: string;
  tier: TierName;
  /** Such as `9 passed`. */
  summary: string;
  /** Whole seconds that its commands took when they ran, without preparing the container. */
  tookS: number;
}

export interface SuiteRequest {
  tier: TierName;
  /** Names of suites; empty: all. */
  suites?: readonly string[];
  /** `i/n`: one part of each suite's tests. */
  shard?: string;
  /** Select tests that these files (relative to the project) can affect; undefined: all. */
  changed?: readonly string[];
}

/**
 * Runs the tiers up to `tier`, each in its own container. Suites of a tier run in parallel, tiers one after the other,
 * so that no other tier distorts the measured times. If some fail, runs the others to their end, then throws one error
 * for all. Returns results in the order of fastloop.yaml.
 */
export async function runSuites(config: Config, source: Directory, request: SuiteRequest): Promise<TierResult[]> {
  const plan = plannedTiers(config, request);
  if (new Set(plan.map(({ name }) => name)).size > 1) await prepareAll(config, source, plan);
  const results = new Map<PlannedTier, TierResult>();
  const failures = new Map<PlannedTier, TierFailure>();
  for (const tier of tierOrder) {
    const runs = plan
      .filter((planned) => planned.tier === tier)
      .map(async (planned) => {
        try {
          results.set(planned, await runTier(config, source, planned));
        } catch (failure) {
          failures.set(planned, { suite: planned.name, tier, failure });
        }
      });
    await Promise.all(runs);
  }
  // In the order of fastloop.yaml, not of completion.
  const inOrder = <T>(found: Map<PlannedTier, T>): T[] => plan.flatMap((planned) => found.get(planned) ?? []);
  if (failures.size > 0) throw suitesFailure(inOrder(failures));
  return inOrder(results);
}

/**
 * Runs all installs before any time is measured. Ignores failures, because they recur in the tiers and are reported
 * there.
 */
async function prepareAll(config: Config, source: Directory, plan: readonly PlannedTier[]): Promise<void> {
  const suites = new Map(plan.map(({ name, suite }) => [name, suite]));
  await Promise.allSettled(
    [...suites.values()].map(async (suite) => (await prepareSuite(config, suite, source)).sync()),
  );
}

/** A tier of a suite that is to be run. */
export interface PlannedTier {
  /** The suite's name. */
  name: string;
  tier: TierName;
  suite: ResolvedSuite;
  request: TraceRequest;
}

/** Returns the tiers to run, suite by suite. Throws a `UserError` for an unknown suite or an invalid shard. */
export function plannedTiers(
  config: Config,
  { tier, suites: names = [], shard, changed }: SuiteRequest,
): PlannedTier[] {
  const suites = config.tests?.suites ?? {};
  const known = Object.keys(suites);
  if (known.length === 0) throw new UserError("fastloop.yaml: `tests.suites` is empty");
  if (shard !== undefined) parseShard(shard);
  for (const name of names) {
    if (!known.includes(name)) throw new UserError(`unknown suite \`${name}\`; fastloop.yaml has: ${known.join(", ")}`);
  }
  const tiers = tierOrder.slice(0, tierOrder.indexOf(tier) + 1);
  return (names.length > 0 ? names : known).flatMap((name) => {
    const suite = resolveSuite(suites[name]!);
    const request = { shard, changed, imageFiles: suite.image === "dev" ? devFiles(config.images?.dev ?? {}) : [] };
    return tiers
      .filter((each) => suite.tiers[each] !== undefined)
      .map((each) => ({ name, tier: each, suite, request }));
  });
}

/**
 * Returns the container for a suite's commands: layers for manifests and install, then the sources mounted or copied.
 */
export async function prepareSuite(config: Config, suite: ResolvedSuite, project: Directory): Promise<Container> {
  const { workdir } = suite;
  const source = suite.root === undefined ? project : project.directory(suite.root);
  let image = (await suiteImage(config, suite, project)).withWorkdir(workdir);
  for (const [name, value] of Object.entries(suite.env)) image = image.withEnvVariable(name, value);
  if (suite.manifests.length > 0) image = image.withDirectory(workdir, source, { include: suite.manifests });
  // A package manager creates no folder if there is nothing to install, but the mounts below need one.
  const folders = suite.installed.map((path) => `mkdir -p '${path}'`);
  if (suite.install.length > 0) image = run(image, suite.install, suite.caches, { after: folders });
  const installed = image;
  const files = suite.sources.filter((path) => !path.endsWith("/"));
  if (files.length > 0) image = image.withDirectory(workdir, source, { include: files });
  for (const folder of suite.sources.filter((path) => path.endsWith("/")))
    image = mountSource(image, workdir, folder, source);
  // The sources' mount hides what was installed below it, so that is mounted again on top.
  const covered = suite.sources.includes("./") ? suite.installed : [];
  for (const path of covered)
    image = image.withMountedDirectory(`${workdir}/${path}`, installed.directory(`${workdir}/${path}`));
  return image.withWorkdir(suite.cwd);
}

function mountSource(image: Container, workdir: string, folder: string, source: Directory): Container {
  if (folder === "./") return image.withMountedDirectory(workdir, source);
  const path = folder.replace(/^\.\//, "").replace(/\/$/, "");
  return image.withMountedDirectory(`${workdir}/${path}`, source.directory(path));
}

/** Returns the image that a suite starts from, as root. */
async function suiteImage(config: Config, suite: ResolvedSuite, source: Directory): Promise<Container> {
  if (suite.image === "dev") {
    return devImage(config, await devBase(config, source), source, { project: nameOf(config) }).withUser("root");
  }
  const lock = await readLock(source);
  if (suite.image !== "base") return imageOf(suite.image, lock);
  const base = baseOf(config);
  return (await baseFromLadder(base, lock, base.onMissing ?? "build")).withUser("root");
}

async function runTier(config: Config, source: Directory, planned: PlannedTier): Promise<TierResult> {
  const { name: suite, tier } = planned;
  const ready = await readyTier(config, source, planned);
  if (ready.container === undefined) return { suite, tier, summary: ready.remark, tookS: 0 };
  const output = await ready.container.withExec(tierCommand(planned)).stdout();
  const summary = summaryOf(output.replace(trailer, ""));
  return {
    suite,
    tier,
    summary: ready.remark === undefined ? summary : `${summary} (${ready.remark})`,
    tookS: Number(trailer.exec(output)?.[1] ?? 0),
  };
}

/** A tier's container, with a remark for the report; without a container, `remark` says why there is nothing to run. */
export type ReadyTier = { container: Container; remark?: string } | { container: undefined; remark: string };

/** Returns a tier's container with its services, caches, and the runner's options in the environment. */
export async function readyTier(
  config: Config,
  source: Directory,
  planned: PlannedTier,
  reports: Pick<RunnerRequest, "reports" | "coverage"> = {},
): Promise<ReadyTier> {
  const { suite, request } = planned;
  const tier = suite.tiers[planned.tier]!;
  const { shard } = request;
  // A suite that can't be split runs completely in shard 1.
  const whole =
    suite.runner === undefined || (suite.runner !== "node" && suite.runner !== "pytest" && !namesArguments(tier));
  if (shard !== undefined && whole && parseShard(shard).index > 1)
    return { container: undefined, remark: "can't be split: all of it runs in shard 1" };
  const prepared = await prepareSuite(config, suite, source);
  const { words, remark } = await askedTests(suite, tier, prepared, whole ? { ...request, shard: undefined } : request);
  if (words?.length === 0) return { container: undefined, remark: remark ?? "no tests in this shard" };
  const environment = {
    ...tier.env,
    ...runnerEnvironment(suite.runner, { ...reports, shard: whole ? undefined : shard, words }),
  };
  let container = withServices(prepared, config, source, await readLock(source), [...suite.services, ...tier.services]);
  for (const [key, value] of Object.entries(environment)) container = container.withEnvVariable(key, value);
  return {
    container: Object.entries(suite.caches).reduce(
      (c, [name, path]) => c.withMountedCache(path, cacheVolume(name)),
      container,
    ),
    remark,
  };
}

/** Returns the exec of a tier's commands. It prints how long they took, so that a cached result has the time, too. */
export function tierCommand({ suite, tier, request }: PlannedTier): string[] {
  // A shard or selection may contain no test with this tier's marker. Then pytest exits with 5, which is no failure.
  const part = suite.runner === "pytest" && (request.shard !== undefined || request.changed !== undefined);
  const wrapper = [
    "start=$(date +%s)",
    // One stream, to keep the order of stdout and stderr.
    'sh -ec "$1" 2>&1; code=$?',
    ...(part ? ['[ "$code" = 5 ] && code=0'] : []),
    '[ "$code" = 0 ] && echo "took $(($(date +%s) - start)) s"',
    "exit $code",
  ];
  return ["sh", "-c", wrapper.join("\n"), "sh", suite.tiers[tier]!.run.join("\n")];
}

const trailer = /took (\d+) s\n$/;
