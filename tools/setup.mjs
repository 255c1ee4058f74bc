#!/usr/bin/env node
// Sets a machine up: npm dependencies, dist/, and (where nothing better is here) an engine and base images.
// Plain Node, no dependencies. Says what it will do, does only what is missing, names the way out when it can't.
import process from "node:process";
import { parseArgs } from "node:util";
import { dependencies, distribution } from "./setup/checkout.mjs";
import { planEngine } from "./setup/plan.mjs";
import { requireEngineRights } from "./setup/rights.mjs";
import { createProgress } from "./setup/progress.mjs";
import { SetupError } from "./setup/errors.mjs";
import { runAll } from "./setup/steps.mjs";

const help = `Usage: node tools/setup.mjs [options]

Prepares what is missing: npm dependencies, dist/, system packages, an engine, base images. Safe to run again.

  --only PARTS   comma-separated: boundary, engine, shim, images, emulation (what a command needs at once), buildctl (benchmarks),
                 browser (tests of the page)
  --arch ARCH    prepare base images, emulation and helper for amd64 or arm64 (default: this machine's)
  --refresh      check again whether an image registry can be reached, and rebuild base images with newer packages
  --check        show what is ready and what is missing, and do nothing; exit code 1 if something is missing
  --json         with --check: one JSON object
  --no-packages  install no system packages unless somebody at a terminal says so
  -h, --help     show help`;

const parts = ["boundary", "engine", "shim", "images", "emulation", "buildctl", "browser"];
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
    if (!options.check) requireEngineRights();
    // The engine's plan is made by code in dist/, so these two come first.
    for (const step of [dependencies(), distribution()]) {
      steps.push(step);
      if (!options.check) await runAll([step], progress);
    }
  }
  if (steps.every((step) => step.missing === undefined || step.done)) {
    steps.push(...(await planEngine(options)));
  }
  if (options.check) return report(steps, options.json);
  await runAll(steps, progress);
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
        "no-packages": { type: "boolean" },
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

function report(steps, json) {
  const ready = steps.every((step) => step.missing === undefined);
  if (json) {
    const rows = steps.map(({ id, title, missing, found }) => ({
      id,
      title,
      ready: missing === undefined,
      detail: missing ?? found,
    }));
    console.log(JSON.stringify({ ready, steps: rows }));
  } else {
    for (const { title, missing, found } of steps) {
      console.log(
        `${missing === undefined ? "ready  " : "missing"}  ${title}${(missing ?? found) ? `: ${missing ?? found}` : ""}`,
      );
    }
  }
  process.exitCode = ready ? 0 : 1;
}
