// Base images where no image registry can be reached: bootstrapped from Debian packages and npm, kept in the storage of a
// local registry that the engine daemon serves to BuildKit (docs/air-gapped.md).
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bootstrap } from "./bootstrap.mjs";
import { images as catalogue, revision } from "./catalogue.mjs";
import { readDecision, writeDecision } from "./decision.mjs";
import { SetupError } from "./errors.mjs";
import { withLock } from "./lock.mjs";
import { nativeArch } from "./arch.mjs";
import { pushImage, pushIndex } from "./oci.mjs";
import { run, start } from "./run.mjs";

export function images(support, decision, arch) {
  const folder = support.imagesDir();
  /** What was there when this was planned: what is there later is another set-up's work. */
  const planned = JSON.stringify(readDecision(folder));
  return {
    id: "images",
    stage: 2,
    title: decision.mode === "local" ? `base images (${arch})` : "base images",
    missing: whatIsMissing(support, decision, arch),
    found: decision.mode === "registry" ? decision.why : `bootstrapped: ${decision.why}`,
    run: (detail) =>
      withLock(path.join(support.cacheHome(), "images.lock"), detail, async () => {
        const known = readDecision(folder);
        const isDoneByAnother = JSON.stringify(known) !== planned;
        if (decision.mode === "registry") {
          if (isDoneByAnother && known?.mode === "registry") return known.why;
          rmSync(path.join(folder, "registry"), { recursive: true, force: true });
          writeDecision(folder, decision);
          return decision.why;
        }
        if ((!decision.isNew || isDoneByAnother) && hasImages(known, arch) && registryProgram(support) !== undefined)
          return known.why;
        await makeImages(support, decision.isNew ? decision : (known ?? decision), arch, detail);
        return decision.why;
      }),
  };
}

/** The registry program, as the daemon looks for it: an installed one that nobody else could change, or the unpacked one. */
export function registryProgram(support) {
  const unpacked = unpackedProgram(support);
  return support.findSafeExecutable("docker-registry").file ?? (support.isBuilt(unpacked) ? unpacked : undefined);
}

const unpackedProgram = (support) => path.join(support.imagesDir(), "docker-registry", "usr", "bin", "docker-registry");

function whatIsMissing(support, decision, arch) {
  const folder = support.imagesDir();
  if (decision.mode === "undecided") return "not decided where they come from";
  if (decision.mode === "registry") return readDecision(folder)?.mode === "registry" ? undefined : decision.why;
  if (!decision.isNew && hasImages(decision, arch) && registryProgram(support) !== undefined) return undefined;
  return `${decision.why}; bootstrapped from Debian packages`;
}

function hasImages(decision, arch) {
  return (
    decision?.revision === revision &&
    catalogue.every(({ repository }) => decision.images[repository]?.[arch] !== undefined)
  );
}

async function makeImages(support, decision, arch, detail) {
  const folder = support.imagesDir();
  const program = registryProgram(support) ?? (await unpackRegistry(support, detail));
  const saved = path.join(folder, "certificates.tar.gz");
  const foreign = arch !== nativeArch && existsSync(saved);
  const { layers, release } = await bootstrap(support, arch, foreign ? saved : "", detail);
  if (arch === nativeArch) copyFileSync(layers.certificates.file, saved);
  const registry = await startRegistry(support, program, path.join(folder, "registry"));
  try {
    const known = decision.revision === revision ? decision.images : {};
    const made = { ...decision, revision, images: structuredClone(known) };
    for (const { repository, tags, layers: names, config } of catalogue) {
      detail(`storing ${repository.replace("library/", "")}`);
      const stack = names.map((name) => ({ name, ...layers[name] }));
      const platforms = (made.images[repository] ??= {});
      platforms[arch] = await pushImage(registry.address, repository, arch, stack, config);
      const manifests = Object.keys(platforms)
        .sort()
        .map((key) => platforms[key]);
      await pushIndex(registry.address, repository, tags, manifests);
    }
    writeDecision(folder, made);
  } finally {
    await registry.stop();
    release();
  }
}

/** The package is unpacked and not installed: installing it would start a registry for everyone on port 5000. */
async function unpackRegistry(support, detail) {
  const target = path.join(support.imagesDir(), "docker-registry");
  const temporary = support.temporaryFolder("registry");
  try {
    detail("apt-get download docker-registry");
    await run("apt-get", ["download", "docker-registry"], {
      cwd: temporary,
      next: "apt-get update && apt-get install docker-registry, then run this again",
    });
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    await run("sh", ["-c", 'dpkg-deb -x ./docker-registry_*.deb "$1"', "sh", target], { cwd: temporary });
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  const program = unpackedProgram(support);
  support.recordPrograms([program]);
  return program;
}

async function startRegistry(support, program, storage) {
  mkdirSync(storage, { recursive: true });
  const address = `127.0.0.1:${await freePort()}`;
  const folder = support.temporaryFolder("registry");
  const config = path.join(folder, "config.yml");
  writeFileSync(
    config,
    [
      "version: 0.1",
      "log: {level: error, accesslog: {disabled: true}}",
      `storage: {filesystem: {rootdirectory: ${JSON.stringify(storage)}}}`,
      `http: {addr: "${address}"}`,
      "",
    ].join("\n"),
  );
  const child = start(program, ["serve", config], { env: { PATH: process.env.PATH, OTEL_TRACES_EXPORTER: "none" } });
  const stop = async () => {
    await child.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await answers(address)) return { address, stop };
    await sleep(50);
  }
  await stop();
  throw new SetupError("the local image registry did not start", { why: child.tail() });
}

function answers(address) {
  return new Promise((resolve) => {
    const request = http.get(`http://${address}/v2/`, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once("error", () => resolve(false));
  });
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
