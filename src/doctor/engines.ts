/** Checks which engine answers, and what keeps each from working. */
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import type { Config } from "../config/index.ts";
import { describeEngineChoice, embeddedEngine } from "../engine/index.ts";
import { UserError } from "../errors/index.ts";
import { findExecutable, stateHome, textIfThere } from "../paths/index.ts";
import { ok, unknown, wrong, type CheckResult } from "./finding.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface EngineNames {
  engine: string;
  buildkitHost?: string;
}

/** Reports the engine that commands would use, and why. */
export async function checkEngine(named: EngineNames): Promise<CheckResult[]> {
  try {
    const { choice } = await describeEngineChoice(named);
    const chosen = ok("engine", `${choice.kind}: ${choice.reason}`);
    return choice.kind === "buildkitd" || choice.kind === "buildkit-host"
      ? [chosen, await checkDaemon(named)]
      : [chosen];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [
      wrong("problem", "engine", {
        found: [error.message, error.detail].filter(Boolean).join("\n"),
        expected: "an engine that answers",
        impact: "nothing can run",
        fix: error.hint ?? "use --engine embedded",
      }),
    ];
  }
}

async function checkDaemon({ buildkitHost }: EngineNames): Promise<CheckResult> {
  try {
    const engine = await embeddedEngine(buildkitHost);
    const status = await engine.status();
    if (status === undefined) return ok("engine-daemon", "does not run; it starts when it is needed");
    const { version, buildkit, sessions } = status;
    const found = `fastloop ${version} on buildkit ${buildkit.version}, ${sessions} open sessions`;
    return buildkit.restarting === true
      ? wrong("warning", "engine-daemon", {
          found: `${found}; its BuildKit ended and is being started again`,
          expected: "a BuildKit that stays up",
          impact: "runs begin anew",
          fix: "`fastloop engine logs` says why it ended",
        })
      : ok("engine-daemon", found);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return wrong("problem", "engine-daemon", {
      found: error.message,
      expected: "a daemon that answers",
      impact: "nothing can run on the embedded engine",
      fix: error.hint ?? "`fastloop engine stop --force`",
    });
  }
}

/** Checks for engines of other state folders and addresses; each takes memory and has a cache of its own. */
export async function checkOtherEngines(env: Environment): Promise<CheckResult> {
  const home = stateHome(env);
  const folders = existsSync(home) ? readdirSync(home).filter((name) => /^engine(?:-[0-9a-f]{8})?$/.test(name)) : [];
  const running = folders.filter((name) => existsSync(path.join(home, name, "daemon.pid")));
  if (running.length <= 1) return ok("other-engines", running.length === 0 ? "none runs" : "one runs");
  return wrong("warning", "other-engines", {
    found: `${running.length} run (${running.join(", ")})`,
    expected: "one",
    impact: "each takes memory, and has a cache of its own",
    fix: "`fastloop --buildkit-host ADDRESS engine stop` ends the one of that address",
  });
}

/** Checks whether this machine can run programs of each platform that images are built for. */
export function checkPlatforms({ images, publish }: Config, native: string): CheckResult[] {
  const wanted = new Set([...(images?.base?.platforms ?? []), ...(publish?.platforms ?? [])]);
  return [...wanted].map((platform): CheckResult => {
    const id = `platform ${platform}`;
    const [, architecture = ""] = platform.split("/");
    if (architecture === native) return ok(id, "this machine's own");
    const interpreter = {
      amd64: "x86_64",
      arm64: "aarch64",
      arm: "arm",
      riscv64: "riscv64",
      s390x: "s390x",
      ppc64le: "ppc64le",
    }[architecture];
    const isEmulated =
      interpreter !== undefined &&
      ["", "-static"].some((suffix) =>
        textIfThere(`/proc/sys/fs/binfmt_misc/qemu-${interpreter}${suffix}`).startsWith("enabled"),
      );
    if (isEmulated) return ok(id, "emulated by QEMU");
    return wrong("warning", id, {
      found: "no emulation is registered",
      expected: "QEMU in binfmt_misc",
      impact: "commands of this platform end with `exec format error`",
      fix: `${["amd64", "arm64"].includes(architecture) ? `\`fastloop setup --arch ${architecture}\` registers it` : "install qemu-user-static"}; CI may build each platform on its own machine`,
    });
  });
}

const leastDockerMemoryBytes = 3.5 * 1024 ** 3;

/** Checks the limits of a container runtime's virtual machine, a frequent cause of slow builds. */
export async function checkDocker(env: Environment): Promise<CheckResult> {
  const command = findExecutable("docker", env);
  if (command === undefined) return unknown("docker", "not installed; the embedded engine needs none");
  const text = await new Promise<string>((resolve) => {
    execFile(command, ["info", "--format", "{{.NCPU}} {{.MemTotal}}"], { timeout: 3000 }, (_error, stdout) =>
      resolve(stdout),
    );
  });
  const [cores = 0, memoryBytes = 0] = text.trim().split(" ").map(Number);
  if (!cores || !memoryBytes) return unknown("docker", "installed, and does not answer");
  const found = `${cores} CPUs, ${(memoryBytes / 1024 ** 3).toFixed(1)} GB`;
  if (cores >= 2 && memoryBytes >= leastDockerMemoryBytes) return ok("docker", found);
  return wrong("warning", "docker", {
    found,
    expected: "2 CPUs and 4 GB or more",
    impact: "builds in it are slower than they could be, or are ended for lack of memory",
    fix: "raise the limits in the settings of Docker Desktop, colima or podman machine",
  });
}
