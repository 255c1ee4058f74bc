// Running programs of another architecture: QEMU, registered with the kernel so that it works inside containers too (the
// flag F has the kernel open QEMU at registration).
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { SetupError } from "./errors.mjs";
import { run } from "./run.mjs";

const machineNames = { arm64: "aarch64", amd64: "x86_64" };
const kernel = "/proc/sys/fs/binfmt_misc";

export function emulation(arch) {
  const machine = machineNames[arch];
  return {
    id: "emulation",
    stage: 1.5,
    title: `${arch} by QEMU`,
    missing: isRegistered(machine) ? undefined : "registered with the kernel",
    found: "registered with the kernel",
    async run() {
      if (process.getuid() !== 0) throw refusal(arch, "registering an interpreter with the kernel needs root");
      if (!existsSync(`${kernel}/register`)) {
        await run("mount", ["-t", "binfmt_misc", "none", kernel], { next: advice(arch) });
      }
      // Installing the package may have registered it.
      if (isRegistered(machine)) return;
      const file = `/usr/lib/binfmt.d/qemu-${machine}.conf`;
      if (!existsSync(file)) throw refusal(arch, `${file} is missing; it comes with Debian's qemu-user-static`);
      const line = readFileSync(file, "utf8")
        .split("\n")
        .find((candidate) => candidate.startsWith(`:qemu-${machine}:`));
      // One write call: the kernel takes the registration as one message.
      writeFileSync(`${kernel}/register`, `${line}\n`);
      if (!isRegistered(machine)) throw refusal(arch, "the kernel did not take the registration");
    },
  };
}

function isRegistered(machine) {
  try {
    const text = readFileSync(`${kernel}/qemu-${machine}`, "utf8");
    return text.startsWith("enabled") && /^flags: \w*F/m.test(text);
  } catch {
    return false;
  }
}

function refusal(arch, why) {
  return new SetupError(`${arch} programs can't run here`, { why, next: advice(arch) });
}

function advice(arch) {
  return `as root: apt-get install qemu-user-static binfmt-support, or name a BuildKit daemon that runs ${arch} with BUILDKIT_HOST`;
}
