#!/usr/bin/env node
// `npm run release:pack` packs fastloop beside the engine packages that lie in release/ already, as one that npm installs with
// them; `npm run release:try` installs both in an empty folder and runs a project's tests with them; `npm run release:publish` publishes what lies there, the engine packages first. The release workflow calls all three.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { SetupError } from "./setup/errors.mjs";
import { findProgram, run } from "./setup/run.mjs";
import { root } from "./setup/checkout.mjs";

const folder = path.join(root, "release");
const manifest = path.join(root, "package.json");
const onLine = (line) => process.stdout.write(`    ${line}\n`);
const npm = (...args) => run(findProgram("npm"), args, { cwd: root, onLine, next: "see npm's words above" });

try {
  if (process.argv[2] === "pack") await pack();
  else if (process.argv[2] === "try") await tryPacked();
  else if (process.argv[2] === "publish") await publish();
  else throw new SetupError("say pack, try or publish", { next: "npm run release:pack" });
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.format()}\n`);
  process.exitCode = 1;
}

/** Names of the packed files, engines first. */
function packed() {
  const names = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  return [...names.filter((name) => name.includes("-engine-")), ...names.filter((name) => !name.includes("-engine-"))];
}

async function pack() {
  const text = readFileSync(manifest, "utf8");
  const ours = JSON.parse(text);
  const suffix = `-${ours.version}.tgz`;
  const engines = packed()
    .filter((name) => name.startsWith("fastloop-engine-") && name.endsWith(suffix))
    .map((name) => `@fastloop/${name.slice("fastloop-".length, -suffix.length)}`);
  if (engines.length === 0) {
    throw new SetupError(`no engine package of version ${ours.version} in ${folder}`, {
      next: "npm run release:engine, on each architecture",
    });
  }
  // Only the published package names them: a checkout builds its engine, and `npm ci` there must not look for them.
  ours.optionalDependencies = Object.fromEntries(engines.map((name) => [name, ours.version]));
  try {
    writeFileSync(manifest, `${JSON.stringify(ours, undefined, 2)}\n`);
    await npm("pack", "--pack-destination", folder);
  } finally {
    writeFileSync(manifest, text);
  }
}

/** The engine needs root, which a CI's runner is not. */
async function tryPacked() {
  const vitest = [path.join(root, "node_modules/vitest/vitest.mjs"), "run", "--project", "e2e"];
  const command = [process.execPath, ...vitest, path.join("test", "e2e", "engine-package.test.ts")];
  const sudo = process.getuid() === 0 ? [] : ["sudo", "--preserve-env=PATH,FASTLOOP_TEST_RELEASE"];
  const [program, ...args] = [...sudo, ...command];
  await run(program, args, {
    cwd: root,
    env: { FASTLOOP_TEST_RELEASE: folder },
    onLine,
    next: "see the failed test above; nothing was published",
  });
}

async function publish() {
  for (const name of packed()) await npm("publish", path.join(folder, name), "--provenance", "--access", "public");
}
