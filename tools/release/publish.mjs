// Publishes packed packages. Looks at all of them before the first is published; what is there already with the same content
// is left alone, so that a publish that broke off is simply run again.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { SetupError } from "../setup/errors.mjs";
import { findProgram, run } from "../setup/run.mjs";
import { checkTag } from "./repository.mjs";

/** `{file, name, version, engines, integrity}` of each packed package: those that others name come first. */
export function packedFiles(folder) {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".tgz"))
    .sort();
  return files
    .map((name) => readPacked(path.join(folder, name)))
    .sort((a, b) => Object.keys(a.engines).length - Object.keys(b.engines).length);
}

function readPacked(file) {
  const manifest = execFileSync("tar", ["-xzOf", file, "package/package.json"], { encoding: "utf8" });
  const { name, version, optionalDependencies = {} } = JSON.parse(manifest);
  const integrity = `sha512-${createHash("sha512").update(readFileSync(file)).digest("base64")}`;
  return { file, name, version, engines: optionalDependencies, integrity };
}

/** Throws a SetupError before anything is published where the packages, the tag or the registry do not fit each other. */
export async function publish(folder, onLine) {
  const packages = packedFiles(folder);
  checkSet(packages, folder);
  const provenance = provenanceOption();
  const missing = [];
  for (const one of packages) {
    const published = await publishedIntegrity(one);
    if (published === undefined) missing.push(one);
    else if (published === one.integrity) onLine(`${one.name}@${one.version} is published already`);
    else
      throw new SetupError(`${one.name}@${one.version} is published with another content`, {
        why: `published: ${published}\nhere:      ${one.integrity} (${one.file})`,
        next: "a version is never published twice: set another with npm version",
      });
  }
  for (const { file, name, version } of missing) {
    const tag = version.includes("-") ? ["--tag", "next"] : [];
    await npm(["publish", file, "--access", "public", ...tag, ...provenance], {
      onLine,
      next: "see npm's words above; run this again, it goes on where it stopped",
    });
    onLine(`published ${name}@${version}`);
  }
}

function checkSet(packages, folder) {
  const ours = packages.find(({ name }) => name === "fastloop");
  if (ours === undefined) throw new SetupError(`no fastloop package in ${folder}`, { next: "npm run release:pack" });
  checkTag(ours.version);
  const expected = { ...ours.engines, fastloop: ours.version };
  for (const [name, version] of Object.entries(expected)) {
    if (!packages.some((one) => one.name === name && one.version === version))
      throw new SetupError(`${name}@${version} is not in ${folder}, and fastloop needs it`, {
        next: "npm run release:engine, on each architecture",
      });
  }
  const unknown = packages.find(({ name, version }) => expected[name] !== version);
  if (unknown !== undefined)
    throw new SetupError(`${unknown.file} is no part of fastloop ${ours.version}`, { next: "remove the file" });
}

/** A workflow's packages say how they were made; npm asks the workflow's own service for the proof of it. */
function provenanceOption(env = process.env) {
  if (env.GITHUB_ACTIONS !== "true") return [];
  if (env.ACTIONS_ID_TOKEN_REQUEST_URL) return ["--provenance"];
  throw new SetupError("this workflow can't prove where its packages come from", {
    next: "give the job `permissions: id-token: write`; nothing was published",
  });
}

/** The registry's integrity of a version; undefined where it has none. */
async function publishedIntegrity({ name, version }) {
  try {
    const text = await npm(["view", `${name}@${version}`, "dist.integrity", "--json"], {
      next: "check that npm reaches its registry (npm ping); nothing was published",
    });
    // Nothing is printed where the package is known and the version is not.
    return text.trim() === "" ? undefined : JSON.parse(text);
  } catch (error) {
    if (/\bE404\b/.test(error.why ?? "")) return undefined;
    throw error;
  }
}

/** With the whole environment: npm's login, and what a provenance is made of, are variables of it. */
function npm(args, options) {
  return run(findProgram("npm"), args, { env: process.env, ...options });
}
