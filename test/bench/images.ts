import { parse, stringify } from "yaml";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { toolsDir } from "../../src/engine-daemon/set-up/paths.ts";
import { packageRoot, findExecutable } from "../../src/paths/index.ts";
import { readHostTrust } from "../../src/engine-daemon/control/trust.ts";
import { cliCommand } from "./cli.ts";
import { type ImageExample, imageExamples } from "./images-dockerfile.ts";
import { noticeOf } from "./json-lines.ts";
import { startPrivateEngine } from "./private-engine.ts";
import { type Command, nowMs, RunningProgram, runToEnd } from "./process.ts";
import { median } from "./stats.ts";
import type { Bench, Report, Row } from "./types.ts";

/**
 * The dev images of the examples, built by `fastloop call build-dev`, beside the same images as plain multi-stage
 * Dockerfiles by `buildctl build` on the same daemon. Both begin with an empty cache, but for the images of `FROM`. Whole
 * commands are timed; the two take turns, and who begins changes with each example. `in watch` is from the save to the
 * end of the build in a running `fastloop watch`, where no process has to start.
 */
interface Builder {
  ours(): Promise<number>;
  dockerfile(): Promise<number>;
}

type Case = "cold" | "source edit" | "source edit, in watch" | "lock-file edit" | "base edit";
/** Small edits are quick: the median of five. What runs installations is run once. */
const rounds: Record<Case, number> = {
  cold: 1,
  "source edit": 5,
  "source edit, in watch": 5,
  "lock-file edit": 1,
  "base edit": 1,
};
const cases = Object.keys(rounds) as Case[];
const addedPackage = "less";

async function measure(
  example: ImageExample,
  project: string,
  builder: Builder,
  oursFirst: boolean,
  report: Report,
): Promise<Row[]> {
  const rows: Row[] = [];
  let coldMs = 0;
  for (const name of cases) {
    const ours: number[] = [];
    const theirs: number[] = [];
    const watch = name.endsWith("in watch") ? await startWatch(project) : undefined;
    try {
      for (let round = 0; round < rounds[name]; round++) {
        const settled = watch?.next();
        edit(example, project, name, round);
        if (oursFirst || settled !== undefined) ours.push(await (settled ?? builder.ours()));
        theirs.push(await builder.dockerfile());
        if (!oursFirst && settled === undefined) ours.push(await builder.ours());
      }
    } finally {
      await watch?.stop();
    }
    const [value, reference] = [median(ours), median(theirs)];
    if (name === "cold") coldMs = value;
    report.note(`${example.name}, ${name}: ${Math.round(value)} ms, Dockerfile ${Math.round(reference)} ms`);
    const ratio = value / reference;
    rows.push({
      case: `${example.name}: ${name}`,
      value,
      unit: "ms",
      reference,
      ratio,
      against: "Dockerfile",
      aim: "<= 1x",
      met: ratio <= 1,
    });
    if (!name.startsWith("source edit")) continue;
    const saved = 100 * (1 - value / coldMs);
    rows.push({
      case: `${example.name}: ${name}, faster than cold`,
      value: saved,
      unit: "%",
      aim: ">= 95 %",
      met: saved >= 95,
    });
  }
  return rows;
}

function edit(example: ImageExample, project: string, name: Case, round: number): void {
  const file = (relative: string): string => path.join(project, relative);
  const comment = /\.(ts|rs)$/.test(example.source) ? "//" : "#";
  if (name.startsWith("source edit")) appendFileSync(file(example.source), `${comment} ${name} ${round}\n`);
  // A comment where the format has one, white space where it has none.
  if (name === "lock-file edit")
    appendFileSync(file(example.lock), example.lock.endsWith(".json") ? " \n" : "# edited\n");
  if (name === "base edit") {
    configure(project, (config) => config.images.base.packages.unshift(addedPackage));
    writeFileSync(file("Dockerfile"), example.dockerfile([addedPackage, ...example.packages]));
  }
}

interface ProjectConfig {
  watch?: object;
  images: { base: { packages: string[] } };
}

function configure(project: string, change: (config: ProjectConfig) => void): void {
  const file = path.join(project, "fastloop.yaml");
  const config = parse(readFileSync(file, "utf8")) as ProjectConfig;
  change(config);
  writeFileSync(file, stringify(config));
}

const watchPatienceMs = 600_000;

/** A running watch that has seen the project; `next` is the time from now to the end of the next build. */
async function startWatch(project: string): Promise<{ next(): Promise<number>; stop(): Promise<void> }> {
  const program = new RunningProgram(cliCommand(project, ...ourEngine, "watch", "--json"));
  const settled = (text: string): boolean => noticeOf(text)?.event === "settled";
  await program.waitFor(settled, watchPatienceMs);
  return {
    next: async () => {
      const startMs = nowMs();
      return (await program.waitFor(settled, watchPatienceMs, program.lines.length)).atMs - startMs;
    },
    stop: () => program.stop(),
  };
}

const ourEngine = ["--engine", "embedded", "-m", packageRoot()];

function prepare(folder: string, example: ImageExample): string {
  const root = packageRoot();
  const project = path.join(folder, example.name);
  const own = (file: string): boolean =>
    !["node_modules", ".fastloop", "target", "__pycache__"].includes(path.basename(file));
  cpSync(path.join(root, "examples", example.name), project, { recursive: true, filter: own });
  mkdirSync(path.join(project, ".git"));
  writeFileSync(path.join(project, "Dockerfile"), example.dockerfile(example.packages));
  configure(project, (config) => (config.watch = { targets: { dev: { call: "build-dev --source . sync" } } }));
  writeFileSync(path.join(project, ".dockerignore"), ".git\n.fastloop\nDockerfile\nfastloop.yaml\n");
  return project;
}

function dockerfileCommand(address: string, project: string, folder: string): Command {
  const built = path.join(toolsDir(packageRoot()), "buildctl");
  const file = existsSync(built) ? built : findExecutable("buildctl");
  if (file === undefined)
    throw new Error("no buildctl to measure against: run `node tools/setup.mjs --only engine,buildctl` first");
  const { caBundlePem, environment } = readHostTrust(process.env);
  const proxies = Object.entries(environment).flatMap(([name, value]) => ["--opt", `build-arg:${name}=${value}`]);
  const pem = path.join(folder, "ca.pem");
  if (caBundlePem !== undefined) writeFileSync(pem, caBundlePem);
  const secret = caBundlePem === undefined ? [] : ["--secret", `id=ca,src=${pem}`];
  const context = ["--local", `context=${project}`, "--local", `dockerfile=${project}`];
  return {
    file,
    args: [
      "--addr",
      address,
      "build",
      "--progress",
      "plain",
      "--frontend",
      "dockerfile.v0",
      ...context,
      ...secret,
      ...proxies,
    ],
    cwd: project,
  };
}

async function run(report: Report): Promise<Row[]> {
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-images-"));
  const engine = await startPrivateEngine(report.note);
  try {
    const chosen = imageExamples.filter(({ name }) => report.words.length === 0 || report.words.includes(name));
    const rows: Row[] = [];
    for (const [index, example] of chosen.entries()) {
      const project = prepare(folder, example);
      const theirs = dockerfileCommand(engine.address, project, folder);
      const time = async (command: Command): Promise<number> => (await runToEnd(command)).durationMs;
      // The images of FROM are there for both.
      const full = readFileSync(path.join(project, "Dockerfile"), "utf8");
      writeFileSync(path.join(project, "Dockerfile"), `${full.split("\n")[0]}\nRUN ["true"]\n`);
      await time(theirs);
      writeFileSync(path.join(project, "Dockerfile"), full);
      const ours = cliCommand(project, ...ourEngine, "call", "build-dev", "--source", ".", "sync");
      const builder: Builder = { ours: () => time(ours), dockerfile: () => time(theirs) };
      rows.push(...(await measure(example, project, builder, index % 2 === 0, report)));
    }
    return rows;
  } finally {
    await engine.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

export const imagesBench: Bench = {
  name: "images",
  summary: "the examples' dev images beside plain Dockerfiles: cold, source, lock-file and base edit",
  run,
};
