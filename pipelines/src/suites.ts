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
import { summaryOf } from "./summary.ts";

export const tierOrder: readonly TierName[] = ["smoke", "fast", "full"];

/** One tier of one suite, run to its end. */
export interface TierResult {
  suite: string;
  tier: TierName;
  summary: string;
  /** From the question to the answer; next to nothing when the engine had it already. */
  durationMs: number;
}

/**
 * Runs the tiers up to `tier` of the suites named (all without a name), each tier in a container of its own, in
 * parallel. A failure leaves the others alone; it is thrown when all have ended.
 */
export async function runSuites(config: Config, source: Directory, tier: TierName, names: readonly string[]): Promise<TierResult[]> {
  const suites = config.tests?.suites ?? {};
  const known = Object.keys(suites);
  if (known.length === 0) throw new Error("fastloop.yaml: `tests.suites` names no suite");
  for (const name of names) {
    if (!known.includes(name)) throw new Error(`unknown suite \`${name}\`; fastloop.yaml has: ${known.join(", ")}`);
  }
  const tiers = tierOrder.slice(0, tierOrder.indexOf(tier) + 1);
  const runs = (names.length > 0 ? names : known).flatMap((name) => {
    const suite = resolveSuite(suites[name]!);
    const prepared = prepareSuite(config, suite, source);
    return tiers.filter((each) => suite.tiers[each] !== undefined).map((each) => runTier(config, prepared, name, suite, each));
  });
  const ended = await Promise.allSettled(runs);
  const failures = ended.flatMap((end) => (end.status === "rejected" ? [end.reason as unknown] : []));
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new Error(failures.map(describeFailure).join("\n\n"));
  return ended.flatMap((end) => (end.status === "fulfilled" ? [end.value] : []));
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

async function runTier(config: Config, prepared: Promise<Container>, name: string, suite: ResolvedSuite, tier: TierName): Promise<TierResult> {
  const command = suite.tiers[tier]!;
  let container = withServices(await prepared, config, [...suite.services, ...command.services]);
  for (const [key, value] of Object.entries(command.env)) container = container.withEnvVariable(key, value);
  const startedMs = Date.now();
  const output = await container.withExec(["sh", "-ec", command.run.join("\n")]).stdout();
  return { suite: name, tier, summary: summaryOf(output), durationMs: Date.now() - startedMs };
}

/** An exec's failure keeps its output; the SDK's error class is not exported to modules, so it is known by its shape. */
function describeFailure(failure: unknown): string {
  if (typeof failure !== "object" || failure === null) return String(failure);
  const { message, stdout, stderr } = failure as { message?: string; stdout?: string; stderr?: string };
  return [message, stdout, stderr].filter((text) => text !== undefined && text !== "").join("\n");
}
