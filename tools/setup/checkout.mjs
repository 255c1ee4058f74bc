// The checkout itself: node_modules as locked, and dist/. An installed package has both and no sources to make them from.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { withLock } from "./lock.mjs";
import { run } from "./run.mjs";

export const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const stamp = path.join(root, "dist", ".sources");
/** Of this checkout; outside of it, as npm removes what it does not know. */
const lock = path.join(
  tmpdir(),
  `fastloop-checkout-${process.getuid?.() ?? ""}-${createHash("sha256").update(root).digest("hex").slice(0, 16)}`,
);

export function dependencies() {
  return {
    id: "dependencies",
    stage: 0,
    title: "npm dependencies",
    missing: isCheckout() ? missingDependencies() : undefined,
    found: "as package-lock.json has them",
    run: (detail) =>
      withLock(lock, detail, async () => {
        if (missingDependencies() === undefined) return;
        await run(npm(), ["ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund"], {
          cwd: root,
          onLine: detail,
          next: "check that npm reaches its registry (npm ping), then run this again",
        });
      }),
  };
}

export function distribution() {
  const wanted = isCheckout() ? sourcesHash() : undefined;
  return {
    id: "dist",
    stage: 0,
    title: "dist/",
    missing: wanted === undefined || builtFrom() === wanted ? undefined : "built from the sources in src/",
    found: "up to date",
    run: (detail) =>
      withLock(lock, detail, async () => {
        if (builtFrom() === wanted) return;
        await run(process.execPath, ["tools/build.mjs"], {
          cwd: root,
          onLine: detail,
          next: "repair the sources: npm run types tells more",
        });
        writeFileSync(stamp, wanted);
      }),
  };
}

function isCheckout() {
  return existsSync(path.join(root, "src")) && existsSync(path.join(root, "package-lock.json"));
}

/** The same packages in node_modules as in the lock file; npm leaves a copy of what it installed there. */
function missingDependencies() {
  const installed = path.join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installed)) return "npm ci, as package-lock.json has them";
  const there = JSON.parse(readFileSync(installed, "utf8")).packages;
  const locked = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")).packages;
  const wrong = Object.entries(locked).find(
    ([name, { version, optional, devOptional, peer, link }]) =>
      name !== "" && !link && (name in there ? there[name].version !== version : !optional && !devOptional && !peer),
  );
  return wrong === undefined ? undefined : `npm ci: ${wrong[0]} is not as locked`;
}

function builtFrom() {
  return existsSync(stamp) ? readFileSync(stamp, "utf8") : undefined;
}

function sourcesHash() {
  const hash = createHash("sha256");
  const add = (file) =>
    hash
      .update(file)
      .update("\0")
      .update(readFileSync(path.join(root, file)));
  for (const file of [
    "package.json",
    "package-lock.json",
    "tools/build.mjs",
    "tools/build-folder.mjs",
    "tools/build-sdk.mjs",
    "tools/module-template.mjs",
  ])
    add(file);
  for (const folder of ["src", "pipelines/src", "test/bench", "test/chaos"]) {
    if (!existsSync(path.join(root, folder))) continue;
    const entries = readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
    for (const file of files.sort()) add(file);
  }
  return hash.digest("hex");
}

function npm() {
  return process.platform === "win32" ? "npm.cmd" : "npm";
}
