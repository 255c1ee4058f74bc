/**
 * `npm run chaos -- --seed S --operations N`: a random editor against the real watch, with `--runs` against a loop of real
 * `run`s, with `--deploys N` deploys that are killed at random; exit code 1 for any difference.
 */
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { startPrivateEngine } from "../bench/private-engine.ts";
import { chaosOfDeploys } from "./deploys.ts";
import { chaosOfRuns } from "./runs.ts";
import { chaos } from "./story.ts";

const usage = `usage: npm run chaos -- [options]

A random editor against \`fastloop watch\`; what it shows is compared with a clean run.

  --seed S         which random numbers (1)
  --operations N   how many edits (10000)
  --batch N        edits between two comparisons (by the scene)
  --runs           against a loop of \`fastloop run\`s instead
  --deploys N      deploys to a Kubernetes API server, killed at random, instead
  --keep           leave the project where it is

Exit code 1 for any difference.`;

function parsed() {
  try {
    return parseArgs({
      options: {
        seed: { type: "string", default: "1" },
        operations: { type: "string", default: "10000" },
        keep: { type: "boolean" },
        batch: { type: "string" },
        runs: { type: "boolean" },
        deploys: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}
const values = parsed();
if (values.help === true) {
  console.log(usage);
  process.exit(0);
}
for (const name of ["seed", "operations", "batch", "deploys"] as const) {
  const value = values[name];
  if (value === undefined || /^[1-9]\d*$/.test(value)) continue;
  console.error(`--${name}: expected a number of 1 or more, got ${value}`);
  process.exit(2);
}
const note = (text: string): void => void process.stderr.write(`${text}\n`);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));

const cliFile = path.join(import.meta.dirname, "fastloop.js");
const seed = Number(values.seed);

async function edits(): Promise<boolean> {
  const startedMs = performance.now();
  const result = await (values.runs === true ? chaosOfRuns : chaos)({
    seed,
    operations: Number(values.operations),
    cliFile,
    note,
    keep: values.keep,
    batch: values.batch === undefined ? undefined : Number(values.batch),
  });
  print(result, startedMs);
  return result.differences.length + result.needless.length + ("missed" in result ? result.missed.length : 0) === 0;
}

async function deploys(count: number): Promise<boolean> {
  const startedMs = performance.now();
  const result = await chaosOfDeploys({ seed, deploys: count, cliFile, note });
  print(result, startedMs);
  return result.differences.length === 0;
}

function print(result: object, startedMs: number): void {
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  process.stdout.write(`${JSON.stringify({ seed, seconds, ...result }, undefined, 2)}\n`);
}

const engine = await startPrivateEngine(note);
try {
  const isFine = await (values.deploys === undefined ? edits() : deploys(Number(values.deploys)));
  process.exitCode = isFine ? 0 : 1;
} catch (error) {
  note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
} finally {
  await engine.stop();
}
