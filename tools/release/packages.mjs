#!/usr/bin/env node
// What becomes of a version's packages, in the order in which the release workflow calls it. The engine packages come before,
// from release:engine on each architecture, and lie in the same folder.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { SetupError } from "../setup/errors.mjs";
import { findProgram, run } from "../setup/run.mjs";
import { root } from "../setup/checkout.mjs";
import { packedFiles, publish } from "./publish.mjs";
import { repositoryFields } from "./repository.mjs";

const help = `Usage: node tools/release/packages.mjs pack|try|publish [FOLDER]

  pack     packs fastloop into FOLDER, as one that npm installs with the engine packages that lie there
  try      installs what lies in FOLDER in an empty folder, and runs a project's tests with it
  publish  publishes what lies in FOLDER, the engine packages first; goes on where an earlier one stopped

FOLDER is release/ by default. With GITHUB_REPOSITORY set, packages name it as their repository. In a workflow for a tag the tag
has to be the version, and what is published has its provenance.`;

const onLine = (line) => process.stdout.write(`    ${line}\n`);
const commands = { pack, try: tryPacked, publish: (folder) => publish(folder, onLine) };

try {
  const { values, positionals } = parseArgs({
    options: { help: { type: "boolean", short: "h" } },
    allowPositionals: true,
  });
  const [command, folder = path.join(root, "release"), ...rest] = positionals;
  if (values.help) console.log(help);
  else if (!Object.hasOwn(commands, command ?? "") || rest.length > 0)
    throw new SetupError(`${positionals.join(" ") || "no command"}: not one of pack, try, publish`, {
      next: "npm run release:pack -- --help",
    });
  else await commands[command](path.resolve(folder));
} catch (error) {
  const told = error instanceof SetupError || error.code?.startsWith("ERR_PARSE_ARGS");
  if (!told) throw error;
  process.stderr.write(`${error instanceof SetupError ? error.format() : error.message}\n`);
  process.exitCode = 1;
}

async function pack(folder) {
  const manifest = path.join(root, "package.json");
  const text = readFileSync(manifest, "utf8");
  const ours = JSON.parse(text);
  const engines = packedFiles(folder).filter(({ name }) => name.startsWith("@fastloop/engine-"));
  const other = engines.find(({ version }) => version !== ours.version);
  if (engines.length === 0 || other !== undefined) {
    throw new SetupError(
      other === undefined ? `no engine package in ${folder}` : `${other.file} is not of version ${ours.version}`,
      { next: "npm run release:engine, on each architecture" },
    );
  }
  // Only the published package names them: a checkout builds its engine, and `npm ci` there must not look for them.
  ours.optionalDependencies = Object.fromEntries(engines.map(({ name }) => [name, ours.version]));
  try {
    writeFileSync(manifest, `${JSON.stringify({ ...ours, ...repositoryFields() }, undefined, 2)}\n`);
    await run(findProgram("npm"), ["pack", "--pack-destination", folder], {
      cwd: root,
      onLine,
      next: "see npm's words above",
    });
  } finally {
    writeFileSync(manifest, text);
  }
}

/** The engine needs root, which a CI's runner is not. */
async function tryPacked(folder) {
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
