// One mmdebstrap run makes the layers of all base images for an architecture: at its end hook.mjs takes the minimal
// system as the first layer, installs more, and takes each time what is new.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { debian, node } from "./catalogue.mjs";
import { environmentFor } from "./environment.mjs";
import { SetupError } from "./errors.mjs";
import { findProgram, run } from "./run.mjs";

/** Files get at most this time, so that the same packages give the same layers: 2025-01-01. */
const sourceDateEpoch = "1735689600";

/** What Debian's own slim images leave out. What is written is not forced to the disk after each file, as in theirs. */
const slim = [
  "force-unsafe-io",
  "path-exclude=/usr/share/doc/*",
  "path-include=/usr/share/doc/*/copyright",
  "path-exclude=/usr/share/info/*",
  "path-exclude=/usr/share/linda/*",
  "path-exclude=/usr/share/lintian/*",
  "path-exclude=/usr/share/locale/*",
  "path-exclude=/usr/share/man/*",
];

/**
 * `certificatesLayer` is the layer of that name of this machine's own architecture when another one is made, else "".
 * Resolves with `{ base, certificates, node, python }`, each as oci.mjs takes layers; `release` removes their files.
 */
export async function bootstrap(support, arch, certificatesLayer, detail) {
  const folder = support.temporaryFolder("images");
  const release = () => rmSync(folder, { recursive: true, force: true });
  // Outlives a bootstrap that is killed, so that the next one fetches only what is missing.
  const fetched = path.join(support.imagesDir(), `packages-${arch}`);
  mkdirSync(fetched, { recursive: true });
  try {
    const packages = await npmPackages(arch, folder, detail);
    const [command, ...words] = withMounts(process.getuid() === 0);
    const args = await mmdebstrapArguments(arch, folder, fetched, [certificatesLayer, ...packages]);
    await run(command, [...words, ...args], {
      // unshare does not hear the others.
      stopSignal: "SIGKILL",
      env: {
        ...environmentFor("mmdebstrap"),
        // Users of other ids work in an ordinary user's root; they can't enter our folder.
        ...(process.getuid() === 0 ? { TMPDIR: folder } : {}),
        SOURCE_DATE_EPOCH: process.env.SOURCE_DATE_EPOCH ?? sourceDateEpoch,
        PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
      },
      onLine: (line) => detail(line.replace(/^I: /, "")),
    }).catch((error) => {
      throw bootstrapFailure(error, path.join(folder, "failure.json"));
    });
    const layers = JSON.parse(readFileSync(path.join(folder, "layers.json"), "utf8"));
    rmSync(fetched, { recursive: true, force: true });
    return { layers, release };
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * The words before mmdebstrap's arguments. As root it mounts file systems where it works: in namespaces of its own these are
 * gone with it, and it ends with set-up, even one that is killed. Its root lies in our folder, which the next set-up sweeps.
 */
export function withMounts(isRoot) {
  const own = ["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"];
  const has = (...programs) => programs.every((program) => findProgram(program) !== undefined);
  return isRoot && has("setpriv", "unshare") ? ["setpriv", "--pdeathsig=KILL", ...own, "mmdebstrap"] : ["mmdebstrap"];
}

/** The cause of a bootstrap that failed: what our hook says, or the first error of apt and mmdebstrap. */
export function bootstrapFailure(error, hookFailure) {
  if (!(error instanceof SetupError)) return error;
  if (existsSync(hookFailure)) {
    const { message, ...options } = JSON.parse(readFileSync(hookFailure, "utf8"));
    return new SetupError(`the base images could not be made: ${message}`, {
      next: "run this again",
      ...options,
      cause: error,
    });
  }
  const lines = (error.why ?? "").split("\n");
  const first =
    lines.find((line) => /^E: (?!.*(?:failed to (?:start|run)|exited with|apt-get))/.test(line.trim())) ??
    lines.find((line) => line.trim().startsWith("E: "));
  const cause = first?.trim().replace(/^E: /, "") ?? error.message;
  const isMirror =
    /(?:Failed to fetch|Could not resolve|Temporary failure resolving|Could not connect|Unable to connect|Connection (?:failed|timed out|refused)|Hash Sum mismatch|no longer has a Release file|does not have a Release file|Release file .* is not valid yet)/i.test(
      error.why ?? "",
    );
  const isFull = /No space left on device/i.test(error.why ?? "");
  return new SetupError(`the base images could not be made: ${isFull ? "the disk is full" : cause}`, {
    why: error.why,
    next: isFull
      ? `free some space where ${tmpdir()} lies, then run this again`
      : isMirror
        ? "check that apt reaches its mirror (apt-get update), then run this again"
        : "run this again; the lines above say what went wrong",
    cause: error,
  });
}

async function mmdebstrapArguments(arch, folder, fetched, inputs) {
  const hook = path.join(import.meta.dirname, "hook.mjs");
  const words = [process.execPath, hook, folder, fetched, debian.suite, ...inputs];
  const archives = '"$1"/var/cache/apt/archives';
  return [
    "--variant=minbase",
    `--mode=${process.getuid() === 0 ? "root" : "unshare"}`,
    `--architectures=${arch}`,
    "--format=null",
    ...slim.map((line) => `--dpkgopt=${line}`),
    // apt compares them with what its mirror says, as it does with what it has just fetched.
    `--setup-hook=mkdir -p ${archives} && find ${quote(fetched)} -name '*.deb' -exec cp -t ${archives} {} +`,
    `--extract-hook=find ${archives} -maxdepth 1 -name '*.deb' -exec cp -t ${quote(fetched)} {} +`,
    `--customize-hook=${words.map(quote).join(" ")} "$1"`,
    debian.suite,
    "-",
    ...(await sources()),
  ];
}

/** The host's own mirrors of Debian, as its apt is configured; the ordinary ones where the host is no Debian. */
async function sources() {
  const format = "$(ORIGIN)|$(LABEL)|$(CODENAME)|$(COMPONENT)|$(REPO_URI)";
  const listed =
    findProgram("apt-get") === undefined
      ? ""
      : await run("apt-get", ["indextargets", "--format", format, "Created-By: Packages"]).catch(() => "");
  const mirrors = {
    Debian: "http://deb.debian.org/debian",
    "Debian-Security": "http://deb.debian.org/debian-security",
  };
  for (const line of listed.split("\n")) {
    const [origin, label, , component, uri] = line.split("|");
    if (origin === "Debian" && component === "main" && label in mirrors) mirrors[label] = uri;
  }
  const signed = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]";
  const { suite } = debian;
  return [
    `deb ${signed} ${mirrors.Debian} ${suite} main`,
    `deb ${signed} ${mirrors.Debian} ${suite}-updates main`,
    `deb ${signed} ${mirrors["Debian-Security"]} ${suite}-security main`,
  ];
}

/** Fetches Node and npm through npm, and compares them with what is pinned. */
async function npmPackages(arch, folder, detail) {
  const names = [`${node.packages[arch]}@${node.version}`, `npm@${node.npm}`];
  const target = path.join(folder, "packages");
  mkdirSync(target);
  detail("fetching Node");
  await run("npm", ["pack", "--silent", "--pack-destination", target, ...names], {
    cwd: folder,
    next: "check that npm reaches its registry (npm ping), then run this again",
  });
  return names.map((name) => {
    const file = path.join(target, `${name.replace("@", "-")}.tgz`);
    if (!existsSync(file)) throw new SetupError(`npm pack ${name} left no file`);
    const integrity = `sha512-${createHash("sha512").update(readFileSync(file)).digest("base64")}`;
    if (integrity !== node.integrity[name]) {
      throw new SetupError(`${name} is not what it should be`, {
        why: `expected ${node.integrity[name]}\n     got ${integrity}`,
        next: "check which registry npm is configured for (npm config get registry)",
      });
    }
    return file;
  });
}

function quote(word) {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
