// What the engine needs on this machine. The order of engines is decided by src/engine/choose.ts, not here.
import { existsSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { nativeArch } from "./arch.mjs";
import { root } from "./checkout.mjs";
import { emulation } from "./emulation.mjs";
import { buildctl, buildkit, confine, shims } from "./engine.mjs";
import { images, registryProgram } from "./images.mjs";
import { systemPackages } from "./system-packages.mjs";
import { findProgram } from "./run.mjs";
import { SetupError } from "./errors.mjs";
import { noRights } from "./rights.mjs";
import { reachesRegistry, readDecision } from "./decision.mjs";

/** Steps in order: packages, then engine, helper and images at once. */
export async function planEngine(options) {
  const support = await loadSupport();
  const { only } = options;
  const steps = wantsBoundary(only) ? [confine(support)] : [];
  if (only?.every((part) => part === "boundary"))
    return withPackages(steps, neededPrograms(steps, undefined, nativeArch, false, support, options), support, options);
  if (only?.every((part) => part === "browser")) return withPackages([], ["chromium"], support, options);
  const arch = options.arch ?? nativeArch;
  const { choice } = await support.describeEngineChoice({ engine: only === undefined ? "auto" : "embedded" });
  if (choice.kind.startsWith("dagger"))
    return withPackages(
      [...steps, ready("engine", "engine", choice.reason)],
      neededPrograms(steps, undefined, nativeArch, false, support, options),
      support,
      options,
    );
  const wants = (part, byDefault) => (only === undefined ? byDefault : only.includes(part));
  const own = choice.kind === "buildkitd";
  if (own && process.platform !== "linux") throw noEngineHere();
  if (own && only === undefined && options.check !== true && process.getuid() !== 0) throw noRights("none answers");

  if (wants("engine", own)) {
    const isOurs = choice.command === undefined || path.dirname(choice.command) === support.toolsDir(root);
    steps.push(own && isOurs ? buildkit(support) : ready("engine", "engine", choice.reason));
  }
  if (wants("shim", true)) steps.push(shims(support, arch));
  if (wants("buildctl", false)) steps.push(buildctl(support));
  let decision;
  if (wants("images", own)) {
    decision = await chooseImages(support, options);
    steps.push(images(support, decision, arch));
  }
  if (arch !== nativeArch && wants("emulation", own)) steps.push(emulation(arch));

  return withPackages(steps, neededPrograms(steps, decision, arch, own, support, options), support, options);
}

function withPackages(steps, programs, support, options) {
  const packages = systemPackages(
    programs,
    path.join(support.cacheHome(), "packages.lock"),
    options["no-packages"] !== true,
  );
  return [...(packages === undefined ? [] : [packages]), ...steps];
}

/** Function bodies run on this machine whichever engine there is. */
function wantsBoundary(only) {
  return process.platform === "linux" && (only === undefined || only.includes("boundary"));
}

/** What was decided once stays so: images must not change their meaning with the network of the hour. */
async function chooseImages(support, options) {
  const known = readDecision(support.imagesDir());
  if (known !== undefined && !options.refresh) return known;
  if (options.check) return { mode: "undecided", images: {} };
  const reach = await reachesRegistry();
  return reach.ok
    ? { mode: "registry", why: reach.why, images: {} }
    : { mode: "local", why: reach.why, images: {}, isNew: true };
}

/** Programs that the missing steps call, and that a package brings. */
function neededPrograms(steps, decision, arch, own, support, options) {
  const missing = new Set(steps.filter((step) => step.missing !== undefined).map((step) => step.id));
  const programs = [];
  const ready = support.enginePackage(root) !== undefined;
  if (own && !ready && findProgram("buildkit-runc") === undefined) programs.push("runc");
  if (["engine", "shim", "boundary", "buildctl"].some((id) => missing.has(id)) && findProgram("go") === undefined)
    programs.push("pip");
  if (decision?.mode === "local" && missing.has("images")) programs.push("mmdebstrap", "debian-archive-keyring");
  if (decision?.mode === "local" && arch !== nativeArch && missing.has("images")) programs.push("arch-test");
  if (missing.has("emulation")) programs.push("qemu");
  if (decision?.mode === "local" && registryProgram(support) === undefined) programs.push("dpkg-deb");
  // Wanted, not needed: they come along with others, and no machine is refused or asked for them alone.
  const installs = options["no-packages"] !== true && (programs.length > 0 || process.env.CI !== undefined);
  if (own && installs && findProgram("apt-get") !== undefined) programs.push(...(ready ? [] : ["cni"]), "iptables");
  return programs;
}

async function loadSupport() {
  const file = path.join(root, "dist", "setup-support.js");
  if (!existsSync(file)) {
    throw new SetupError("dist/ is not built", { next: "node tools/setup.mjs (without --only) builds it" });
  }
  return import(file);
}

function ready(id, title, found) {
  return { id, stage: 1, title, missing: undefined, found };
}

function noEngineHere() {
  return new SetupError(`there is no engine for ${process.platform} yet`, {
    why: "the embedded engine runs containers with runc, which needs Linux",
    next: "start docker, podman or finch (fastloop then uses a Dagger engine), or name a BuildKit daemon with BUILDKIT_HOST",
  });
}
