/** What set-up does when a step fails, when another set-up is at work, and what it says then. */
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { findSafeExecutable } from "../../../src/paths/index.ts";
import { isBuilt } from "../../../src/state/index.ts";
// @ts-expect-error plain JavaScript
import { bootstrapFailure } from "../../../tools/setup/bootstrap.mjs";
// @ts-expect-error plain JavaScript
import { images as catalogue, revision } from "../../../tools/setup/catalogue.mjs";
// @ts-expect-error plain JavaScript
import { images, registryProgram } from "../../../tools/setup/images.mjs";
// @ts-expect-error plain JavaScript
import { SetupError } from "../../../tools/setup/errors.mjs";
// @ts-expect-error plain JavaScript
import { withLock } from "../../../tools/setup/lock.mjs";

const tools = path.resolve(import.meta.dirname, "../../../tools/setup");
let folder = "";
beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), "fastloop-setup-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("a step that fails ends the others at once, and its cause is the one that is told", async () => {
  // In a process of its own: what is stopped stays stopped.
  const script = `
    import { runAll } from ${JSON.stringify(path.join(tools, "steps.mjs"))};
    import { run } from ${JSON.stringify(path.join(tools, "run.mjs"))};
    import { withLock } from ${JSON.stringify(path.join(tools, "lock.mjs"))};
    let begun;
    const hasBegun = new Promise((resolve) => (begun = resolve));
    const lock = ${JSON.stringify(path.join(folder, "held"))};
    const step = (title, stage, work) => ({ title, stage, missing: "yes", run: work });
    const told = [];
    const progress = { announce() {}, stop() {}, async run(title, work) { try { await work(() => {}); told.push(title + " done"); } catch (error) { told.push(title + " " + error.constructor.name); throw error; } } };
    const steps = [
      step("slow", 1, () => run("sh", ["-c", "echo begun; exec sleep 600"], { onLine: begun })),
      step("waiting", 1, () => withLock(lock, () => {}, async () => {})),
      step("broken", 1, async () => { await hasBegun; await run("sh", ["-c", "echo the real cause >&2; exit 3"]); }),
      step("later", 2, () => {}),
    ];
    await withLock(lock, () => {}, () => runAll(steps, progress)).catch((error) => console.log(JSON.stringify({ message: error.message, why: error.why, told })));`;
  const file = path.join(folder, "script.mjs");
  writeFileSync(file, script);
  const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 60_000 });
  const { told, ...cause } = JSON.parse(stdout) as { told: string[] };
  expect(cause).toEqual({
    message: "sh -c echo the real cause >&2; exit 3 ended with exit code 3",
    why: "the real cause",
  });
  expect(told.toSorted()).toEqual(["broken SetupError", "slow StepStopped", "waiting StepStopped"]);
}, 90_000);

const supportIn = (home: string) => ({ imagesDir: () => path.join(home, "images"), findSafeExecutable, isBuilt });

it("a registry program that the daemon would not run is none", () => {
  const cache = path.join(folder, "fastloop");
  const unpacked = path.join(cache, "images/docker-registry/usr/bin/docker-registry");
  const installed = path.join(folder, "bin/docker-registry");
  for (const file of [unpacked, installed]) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, "");
    chmodSync(file, 0o755);
  }
  vi.stubEnv("PATH", path.dirname(installed));
  // What lies elsewhere is not set-up's: npm has checked it.
  vi.stubEnv("XDG_CACHE_HOME", folder);
  const find = (): unknown => registryProgram(supportIn(cache)) as unknown;
  try {
    expect(find()).toBe(installed);
    chmodSync(path.dirname(installed), 0o777);
    expect(find()).toBe(unpacked);
    chmodSync(path.dirname(unpacked), 0o777);
    expect(find()).toBeUndefined();
  } finally {
    vi.unstubAllEnvs();
  }
});

it("images that another set-up made while this one waited are not made again", async () => {
  const support = { ...supportIn(folder), cacheHome: () => folder };
  const decision = { mode: "local", why: "no registry", images: {}, isNew: true };
  const step = images(support, decision, "amd64") as {
    run: (detail: (text: string) => void) => Promise<string | undefined>;
  };
  let waiting: () => void = () => {};
  const waits = new Promise<void>((resolve) => (waiting = resolve));
  let second: Promise<string | undefined> | undefined;
  await withLock(
    path.join(folder, "images.lock"),
    () => {},
    async () => {
      second = step.run(() => waiting());
      await waits;
      const program = path.join(folder, "images/docker-registry/usr/bin/docker-registry");
      mkdirSync(path.dirname(program), { recursive: true });
      writeFileSync(program, "");
      chmodSync(program, 0o755);
      const made = Object.fromEntries(
        (catalogue as { repository: string }[]).map(({ repository }) => [repository, { amd64: {} }]),
      );
      writeFileSync(
        path.join(folder, "images/decision.json"),
        JSON.stringify({ mode: "local", why: "made by the other", revision, images: made }),
      );
    },
  );
  expect(await second).toBe("made by the other");
});

describe("a bootstrap that fails is told by its cause:", () => {
  const failureOf = (why: string): { message: string; next: string } =>
    bootstrapFailure(
      new SetupError("mmdebstrap --variant=minbase ended with exit code 25", { why }),
      path.join(folder, "failure.json"),
    );

  it.each([
    [
      "I: running apt-get update...\nErr:1 http://deb.debian.org/debian bookworm InRelease\n  Temporary failure resolving 'deb.debian.org'\nE: Failed to fetch http://deb.debian.org/debian/dists/bookworm/InRelease\nE: apt-get update failed to run",
      "Failed to fetch http://deb.debian.org/debian/dists/bookworm/InRelease",
      "check that apt reaches its mirror",
    ],
    ["dpkg: error: No space left on device\nE: apt-get exited with code 1", "the disk is full", "free some space"],
    ["E: unable to chroot: Operation not permitted", "unable to chroot: Operation not permitted", "run this again"],
    ["nothing that we know", "mmdebstrap --variant=minbase ended with exit code 25", "run this again"],
  ])("%j", (why, cause, next) => {
    const failure = failureOf(why);
    expect(failure.message).toBe(`the base images could not be made: ${cause}`);
    expect(failure.next).toContain(next);
  });

  it("what our own hook says comes before all", () => {
    writeFileSync(
      path.join(folder, "failure.json"),
      JSON.stringify({ message: "tar could not pack a base image", why: "tar: x: Permission denied" }),
    );
    expect(failureOf("E: hook exited with 1")).toMatchObject({
      message: "the base images could not be made: tar could not pack a base image",
      why: "tar: x: Permission denied",
    });
  });
});
