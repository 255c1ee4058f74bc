// The gate: format, lint, types, then all tests (unit, e2e, security, repositories, conformance, chaos) on one private engine. `npm test` sets the
// machine up before. Ends with one line, `N passed, N failed, N skipped`; lint and types count as a check each.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import process from "node:process";

// Set-up has built it.
const { temporaryFolder } = await import("../dist/setup-support.js");
const root = path.dirname(import.meta.dirname);
/** Half an hour on a quiet machine, more on a busy one; what hangs is ended and counts as failed. */
const limitMs = 75 * 60_000;
const bin = (name) => path.join(root, "node_modules", ".bin", name);
const folder = temporaryFolder("gate");
const total = { passed: 0, failed: 0, skipped: 0 };

try {
  await check("format", bin("prettier"), ["--check", "--log-level=warn", "."]);
  await check("lint", bin("oxlint"), ["--type-aware", "--deny-warnings"]);
  await check("types", bin("tsc"), ["--noEmit"]);
  await check("types of the page", bin("tsc"), ["--noEmit", "-p", "src/page/client"]);
  await check("types of pipelines/", bin("tsc"), ["--noEmit", "-p", "pipelines/tsconfig.json"]);
  // Commands of the other architecture need system packages, which only a set-up that the user asked for installs.
  if (process.argv.length === 2) {
    const foreign = process.arch === "arm64" ? "amd64" : "arm64";
    const setUp = ["tools/setup.mjs", "--only", "images,emulation,shim", "--arch", foreign];
    await check(`set-up of ${foreign}`, process.execPath, setUp);
    // Elsewhere a browser that is there is used, else its tests say that they are skipped.
    if (existsSync("/usr/bin/apt-get"))
      await check("set-up of a browser", process.execPath, ["tools/setup.mjs", "--only", "browser"]);
  }
  await tests();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 ? 0 : 1;

/** What of the checkout differs from its commit; undefined where git knows nothing of it. */
function changes() {
  const { status, stdout } = spawnSync("git", ["status", "--porcelain"], { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout : undefined;
}

async function check(title, command, args) {
  const startedAt = performance.now();
  const passed = (await run(command, args)) === 0;
  total[passed ? "passed" : "failed"] += 1;
  console.log(`${passed ? "ok" : "FAILED"}: ${title} in ${seconds(startedAt)}\n`);
}

/** Further arguments go to vitest: `npm test -- test/unit/plan`. Without any, the unit suite's coverage is measured. */
async function tests() {
  const words = process.argv.slice(2);
  if (words.length > 0) return suite("chosen", words);
  const before = changes();
  await suite("unit", ["--project", "unit", "--coverage"]);
  unchanged(before);
  await suite("engine", ["--project", "!unit"]);
  unchanged(before);
}

/** A test that writes into the checkout, or deletes from it, lets others fail for no reason that they show. */
function unchanged(before) {
  const after = changes();
  total[after === before ? "passed" : "failed"] += 1;
  if (after !== before) console.log(`FAILED: the tests left the checkout changed:\n${after}`);
}

async function suite(name, words) {
  const file = path.join(folder, `${name}.json`);
  const args = ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${file}`, ...words];
  const code = await run(bin("vitest"), args);
  const counted = count(file);
  for (const key of Object.keys(total)) total[key] += counted[key];
  // Whatever went wrong outside of a test (a hook, the engine's start, the time limit, too little covered) must not look green.
  if (code !== 0 && counted.failed === 0) total.failed += 1;
}

function count(file) {
  try {
    const results = JSON.parse(readFileSync(file, "utf8"));
    // A file that could not be loaded has no tests to fail.
    const broken = results.testResults.filter(
      (suite) => suite.status === "failed" && suite.assertionResults.length === 0,
    );
    return {
      passed: results.numPassedTests,
      failed: results.numFailedTests + broken.length,
      skipped: results.numPendingTests + results.numTodoTests,
    };
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
}

/** Resolves with the exit code; 124 when the time was up. */
function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
    const timer = setTimeout(() => child.kill("SIGTERM"), limitMs);
    child.once("error", (error) => {
      console.error(error.message);
      resolve(127);
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      resolve(code ?? 124);
    });
  });
}

function seconds(startedAt) {
  return `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
}
