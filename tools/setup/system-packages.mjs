// System packages, only those whose program is missing. Asks once on a terminal; as root without one, or with CI set, it
// goes ahead where the user started set-up; otherwise it names the command. A command that finds something missing, such as
// the first run of a repository, changes no system.
import { existsSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline/promises";
import { SetupError } from "./errors.mjs";
import { withLock } from "./lock.mjs";
import { findProgram, run } from "./run.mjs";

const waiting = ["-o", "DPkg::Lock::Timeout=300"];

/** Any of them can show the page to its tests. */
const browserNames = ["chromium", "chromium-browser", "google-chrome"];

/** Program -> Debian package, and how its presence shows. */
const packages = {
  runc: { name: "runc", present: () => findProgram("runc") !== undefined },
  // A network for each container, so that two services may use one port; without it containers share the host's.
  cni: {
    name: "containernetworking-plugins",
    present: () =>
      ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"].some((folder) => existsSync(`${folder}/bridge`)),
  },
  iptables: {
    name: "iptables",
    present: () => ["/usr/sbin/iptables", "/sbin/iptables"].some((file) => existsSync(file)),
  },
  pip: { name: "python3-pip", present: () => findProgram("pip3") !== undefined || findProgram("pip") !== undefined },
  mmdebstrap: { name: "mmdebstrap", present: () => findProgram("mmdebstrap") !== undefined },
  "arch-test": { name: "arch-test", present: () => findProgram("arch-test") !== undefined },
  "dpkg-deb": { name: "dpkg", present: () => findProgram("dpkg-deb") !== undefined },
  "debian-archive-keyring": {
    name: "debian-archive-keyring",
    present: () => existsSync("/usr/share/keyrings/debian-archive-keyring.gpg"),
  },
  chromium: { name: "chromium", present: () => browserNames.some((name) => findProgram(name) !== undefined) },
  qemu: {
    name: "qemu-user-static",
    present: () => findProgram("qemu-aarch64-static") !== undefined || findProgram("qemu-aarch64") !== undefined,
  },
};

/** Undefined when nothing is missing. Set-ups that hold `lock` in turn install what is still missing then. */
export function systemPackages(programs, lock, mayInstall) {
  const missing = programs.map((program) => packages[program]).filter((entry) => !entry.present());
  if (missing.length === 0) return undefined;
  const names = missing.map((entry) => entry.name);
  const command = `apt-get update && apt-get install -y --no-install-recommends ${names.join(" ")}`;
  return {
    id: "packages",
    stage: 1,
    title: "system packages",
    missing: names.join(", "),
    async run(detail, pause) {
      if (findProgram("apt-get") === undefined)
        throw manual(names, "this is no Debian or Ubuntu, so set-up does not know how");
      const prefix = await permission(command, pause, mayInstall ? undefined : names);
      await withLock(lock, detail, async () => {
        const left = missing.filter((entry) => !entry.present()).map((entry) => entry.name);
        if (left.length === 0) return;
        const apt = async (...args) => {
          const [program, ...rest] = [...prefix, "apt-get", ...args];
          await run(program, rest, {
            env: { DEBIAN_FRONTEND: "noninteractive" },
            onLine: detail,
            next: `install them by hand: ${command}`,
          });
        };
        // Another program may be installing something: apt then waits for it.
        await apt("update", "-q", ...waiting);
        await apt("install", "-y", "-q", "--no-install-recommends", ...waiting, ...left);
      });
    },
  };
}

/** The words before `apt-get`: none for root, sudo otherwise. `refused`: what is not installed unless somebody says so. */
async function permission(command, pause, refused) {
  const isRoot = process.getuid() === 0;
  const sudo = isRoot ? [] : ["sudo"];
  if (process.stdin.isTTY && process.stdout.isTTY && !process.env.CI) {
    const resume = pause();
    const prompt = createInterface({ input: process.stdin, output: process.stdout });
    const answer = await prompt.question(`Run \`${[...sudo, command].join(" ")}\`? [Y/n] `);
    prompt.close();
    resume();
    if (/^n/i.test(answer.trim())) throw manual([], "you declined", command);
    return sudo;
  }
  if (refused !== undefined) {
    throw new SetupError(`system packages are missing: ${refused.join(", ")}`, {
      next: "`fastloop setup` installs them",
    });
  }
  if (isRoot) return [];
  if (process.env.CI && findProgram("sudo") !== undefined) return ["sudo", "-n"];
  throw manual([], "this is not root, and there is no terminal to ask on", command);
}

function manual(names, why, command) {
  return new SetupError("system packages are missing", {
    why,
    next:
      command === undefined
        ? `install ${names.join(", ")} with your package manager, or name a BuildKit daemon with BUILDKIT_HOST`
        : `sudo sh -c '${command}'`,
  });
}
