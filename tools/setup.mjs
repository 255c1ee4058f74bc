#!/usr/bin/env node
// Sets a machine up: npm dependencies, dist/, and (where nothing better is here) an engine and base images.
// Plain Node, no dependencies. Says what it will do, does only what is missing, names the way out when it can't.
import process from "node:process";
import { parseArgs } from "node:util";
import { dependencies, distribution } from "./setup/checkout.mjs";
import { planEngine } from "./setup/plan.mjs";
import { createProgress } from "./setup/progress.mjs";
import { SetupError } from "./setup/errors.mjs";

const help = `Usage: node tools/setup.mjs [options]

Prepares what is missing: npm dependencies, dist/, system packages, an engine, base images. Safe to run again.

  --only PARTS   comma-separated: boundary, engine, shim, images, emulation (what a command needs at once)
  --arch ARCH    prepare base images and emulation for amd64 or arm64 (default: this machine's)
  --refresh      look again whether an image registry can be reached, and bootstrap newer base images
  --check        say what is ready and what is missing, do nothing; exit code 1 when something is missing
  --json         with --check: one JSON object
  -h, --help     show help`;

const parts = ["boundary", "engine", "shim", "images", "emulation"];
const progress = createProgress(process.stdout);

try {
  await main();
} catch (error) {
  progress.stop();
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`\n${error.format()}\n`);
  process.exitCode = 1;
}

async function main() {
  const options = readOptions();
  if (options.help) return console.log(help);
  const steps = [];
  if (options.only === undefined) {
    // The engine's plan is made by code in dist/, so these two come first.
    for (const step of [dependencies(), distribution()]) {
      steps.push(step);
      if (!options.check) await runAll([step]);
    }
  }
  if (steps.every((step) => step.missing === undefined || step.done)) {
    steps.push(...(await planEngine(options)));
  }
  if (options.check) return report(steps, options.json);
  await runAll(steps);
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: "string" },
        arch: { type: "string" },
        refresh: { type: "boolean" },
        check: { type: "boolean" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    const only = values.only?.split(",");
    const unknown = only?.find((part) => !parts.includes(part));
    if (unknown !== undefined) throw new Error(`--only ${unknown}: not one of ${parts.join(", ")}`);
    if (values.arch !== undefined && !["amd64", "arm64"].includes(values.arch)) {
      throw new Error(`--arch ${values.arch}: not one of amd64, arm64`);
    }
    return { ...values, only };
  } catch (error) {
    throw new SetupError(error.message, { next: "node tools/setup.mjs --help" });
  }
}

/** Runs what is missing. Steps of the same `stage` run at once, stages one after the other. */
async function runAll(steps) {
  const missing = steps.filter((step) => step.missing !== undefined && !step.done);
  if (missing.length === 0) return;
  for (const step of missing) progress.announce(step.title, step.missing);
  for (const stage of [...new Set(missing.map((step) => step.stage))].sort((a, b) => a - b)) {
    const together = missing.filter((step) => step.stage === stage);
    const results = await Promise.allSettled(
      together.map(async (step) => {
        await progress.run(step.title, step.run);
        step.done = true;
      }),
    );
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
  progress.stop();
}

function report(steps, json) {
  const ready = steps.every((step) => step.missing === undefined);
  if (json) {
    const rows = steps.map(({ id, title, missing, found }) => ({ id, title, ready: missing === undefined, detail: missing ?? found }));
    console.log(JSON.stringify({ ready, steps: rows }));
  } else {
    for (const { title, missing, found } of steps) {
      console.log(`${missing === undefined ? "ready  " : "missing"}  ${title}${missing ?? found ? `: ${missing ?? found}` : ""}`);
    }
  }
  process.exitCode = ready ? 0 : 1;
}
