import { dag } from "@dagger.io/dagger";
import type { Container, Directory } from "@dagger.io/dagger";
import { resolveSuite } from "../vendor/config.mjs";
import type { Config, ResolvedSuite, TierName } from "../vendor/config.mjs";
import { devImage } from "./dev.ts";
import { run } from "./exec.ts";
import { baseFromLadder } from "./ladder.ts";
import { readLock } from "./lock.ts";
import { baseOf, devBase, nameOf } from "./project.ts";
import { withServices } from "./services.ts";
import { parseShard, runnerEnvironment } from "./runners.ts";
import type { RunnerRequest } from "./runners.ts";
import { selectTests } from "./selection.ts";
import { summaryOf } from "./summary.ts";

export const tierOrder: readonly TierName[] = ["smoke", "fast", "full"];

/** One tier of one suite, run to its end. */
export interface TierResult {
  suite: string;
  tier: TierName;
  summary: string;
  /** Whole seconds that its commands took when they ran; preparing the container not counted. */
  tookS: number;
}

export interface SuiteRequest {
  tier: TierName;
  /** Only these suites; empty: all. */
  suites?: readonly string[];
  /** `i/n`: only that part of each suite's tests. */
  shard?: string;
  /** Only tests that these files (relative to the project) can affect; undefined: all. */
  changed?: readonly string[];
}

/**
 * Runs the tiers up to `tier` of the suites named, each tier in a container of its own, in parallel. A failure leaves the
 * others alone; it is thrown when all have ended.
 */
export async function runSuites(config: Config, source: Directory, request: SuiteRequest): Promise<TierResult[]> {
  const runs = plannedTiers(config, request).map((planned) => runTier(config, source, planned));
  const ended = await Promise.allSettled(runs);
  const failures = ended.flatMap((end) => (end.status === "rejected" ? [end.reason as unknown] : []));
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new Error(failures.map(describeFailure).join("\n\n"));
  return ended.flatMap((end) => (end.status === "fulfilled" ? [end.value] : []));
}

/** One tier of one suite, and what is asked of its runner. */
export interface PlannedTier {
  name: string;
  tier: TierName;
  suite: ResolvedSuite;
  /** The whole tier is left out: no file that it reads changed. */
  skipped: boolean;
  request: RunnerRequest;
}

export function plannedTiers(config: Config, { tier, suites: names = [], shard, changed }: SuiteRequest): PlannedTier[] {
  const suites = config.tests?.suites ?? {};
  const known = Object.keys(suites);
  if (known.length === 0) throw new Error("fastloop.yaml: `tests.suites` names no suite");
  if (shard !== undefined) parseShard(shard);
  for (const name of names) {
    if (!known.includes(name)) throw new Error(`unknown suite \`${name}\`; fastloop.yaml has: ${known.join(", ")}`);
  }
  const tiers = tierOrder.slice(0, tierOrder.indexOf(tier) + 1);
  return (names.length > 0 ? names : known).flatMap((name) => {
    const suite = resolveSuite(suites[name]!);
    const selection = changed === undefined ? undefined : selectTests(suite, changed);
    const files = selection?.kind === "files" && suite.runner !== "node" ? selection.files : undefined;
    return tiers
      .filter((each) => suite.tiers[each] !== undefined)
      .map((each) => ({ name, tier: each, suite, skipped: selection?.kind === "none", request: { shard, files } }));
  });
}

/** The container that a suite's commands run in: manifests and install as layers, the sources mounted on top. */
export async function prepareSuite(config: Config, suite: ResolvedSuite, project: Directory): Promise<Container> {
  const { workdir } = suite;
  const source = suite.root === undefined ? project : project.directory(suite.root);
  let image = (await imageOf(config, suite, project)).withWorkdir(workdir);
  for (const [name, value] of Object.entries(suite.env)) image = image.withEnvVariable(name, value);
  if (suite.manifests.length > 0) image = image.withDirectory(workdir, source, { include: suite.manifests });
  if (suite.install.length > 0) image = run(image, suite.install, suite.caches);
  const installed = image;
  const files = suite.sources.filter((path) => !path.endsWith("/"));
  if (files.length > 0) image = image.withDirectory(workdir, source, { include: files });
  for (const folder of suite.sources.filter((path) => path.endsWith("/"))) image = mountSource(image, workdir, folder, source);
  // A mount hides what install made below it: lay that on top again.
  const covered = suite.sources.includes("./") ? suite.installed : [];
  for (const path of covered) image = image.withMountedDirectory(`${workdir}/${path}`, installed.directory(`${workdir}/${path}`));
  return image.withWorkdir(suite.cwd);
}

function mountSource(image: Container, workdir: string, folder: string, source: Directory): Container {
  if (folder === "./") return image.withMountedDirectory(workdir, source);
  const path = folder.replace(/^\.\//, "").replace(/\/$/, "");
  return image.withMountedDirectory(`${workdir}/${path}`, source.directory(path));
}

async function imageOf(config: Config, suite: ResolvedSuite, source: Directory): Promise<Container> {
  if (suite.image === "dev") {
    return devImage(config, await devBase(config, source), source, { project: nameOf(config) }).withUser("root");
  }
  if (suite.image !== "base") return dag.container().from(suite.image);
  const base = baseOf(config);
  return (await baseFromLadder(base, await readLock(source), base.onMissing ?? "build")).withUser("root");
}

async function runTier(config: Config, source: Directory, planned: PlannedTier): Promise<TierResult> {
  const { name, tier, skipped } = planned;
  if (skipped) return { suite: name, tier, summary: "not affected", tookS: 0 };
  const container = await tierContainer(config, source, planned);
  const output = await container.withExec(tierCommand(planned)).stdout();
  return { suite: name, tier, summary: summaryOf(output.replace(trailer, "")), tookS: Number(trailer.exec(output)?.[1] ?? 0) };
}

/** The container of a tier with its services and all that is asked of its runner. */
export async function tierContainer(config: Config, source: Directory, { suite, tier, request }: PlannedTier): Promise<Container> {
  const command = suite.tiers[tier]!;
  const files = request.shard !== undefined && suite.runner === "pytest" ? await pytestFiles(suite, source) : request.files;
  const environment = { ...command.env, ...runnerEnvironment(suite.runner, { ...request, files }) };
  let container = withServices(await prepareSuite(config, suite, source), config, [...suite.services, ...command.services]);
  for (const [key, value] of Object.entries(environment)) container = container.withEnvVariable(key, value);
  return container;
}

/** The tier's commands; in the end they say how long they took, so that a cached result knows it too. */
export function tierCommand({ suite, tier }: PlannedTier): string[] {
  return ["sh", "-ec", ["fastloop_start=$(date +%s)", ...suite.tiers[tier]!.run, 'echo "took $(($(date +%s) - fastloop_start)) s"'].join("\n")];
}

const trailer = /took (\d+) s\n$/;

async function pytestFiles(suite: ResolvedSuite, source: Directory): Promise<string[]> {
  const tree = suite.root === undefined ? source : source.directory(suite.root);
  const cwd = suite.cwd === suite.workdir ? "" : `${suite.cwd.slice(suite.workdir.length + 1)}/`;
  const found = await Promise.all([tree.glob(`${cwd}**/test_*.py`), tree.glob(`${cwd}**/*_test.py`)]);
  return [...new Set(found.flat())].map((file) => file.slice(cwd.length));
}

/** An exec's failure keeps its output; the SDK's error class is not exported to modules, so it is known by its shape. */
function describeFailure(failure: unknown): string {
  if (typeof failure !== "object" || failure === null) return String(failure);
  const { message, stdout, stderr } = failure as { message?: string; stdout?: string; stderr?: string };
  return [message, stdout, stderr].filter((text) => text !== undefined && text !== "").join("\n");
}
