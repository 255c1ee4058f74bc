/**
 * Chooses the engine. The order of `--engine auto`:
 *
 *   1. a Dagger session or engine named by the environment   (DAGGER_SESSION_PORT, _EXPERIMENTAL_DAGGER_RUNNER_HOST)
 *   2. a `dagger` CLI with a container runtime
 *   3. a container runtime alone                             (the SDK's own provisioning)
 *   4. BUILDKIT_HOST                                         ┐
 *   5. `buildkitd` on the PATH                               ├ the embedded engine
 *   6. `buildkitd` that set-up built, or builds now          ┘
 *
 * An engine that the environment names is used, or it is an error; it is never silently passed over.
 */
import { UserError } from "../errors/index.ts";
import type { OpenSessionOptions } from "./types.ts";

export type EngineChoice = { reason: string } & (
  | { kind: "dagger-session"; port: number; token: string }
  | { kind: "dagger-cli"; command: string }
  | { kind: "dagger-sdk" }
  | { kind: "buildkit-host"; address: string }
  /** `command` is undefined if set-up has yet to build it. */
  | { kind: "buildkitd"; command: string | undefined; passedOver?: readonly string[] }
);

/** One possibility, in the order in which they were tried. */
export interface Considered {
  name: string;
  available: boolean;
  /** What was found, or what is missing. */
  why: string;
}

export interface EngineDecision {
  choice: EngineChoice;
  considered: Considered[];
}

/** Facts about the host that the choice depends on; the real ones are in choose-machine.ts. */
export interface Machine {
  env: Readonly<Record<string, string | undefined>>;
  findExecutable(name: string): string | undefined;
  /** Finds a program that only root and this user can have installed, and says why others before it are passed over. */
  findSafeExecutable(name: string): { file: string | undefined; passedOver: string[] };
  /** Returns a container runtime that answers, or why there is none. */
  containerRuntime(): Promise<{ name: string } | { missing: string }>;
  /** Returns why no Dagger engine answers at the address; undefined if one does, as far as that can be determined. */
  runnerHostProblem(address: string): Promise<string | undefined>;
  /** Returns the `buildkitd` that set-up built, if any. */
  builtBuildkitd(): string | undefined;
}

type Options = Pick<OpenSessionOptions, "engine" | "buildkitHost">;

/** Returns the engine to use and what was considered. Throws a `UserError` if the requested engine is not available. */
export async function chooseEngine(options: Options, machine: Machine): Promise<EngineDecision> {
  const { engine } = options;
  if (engine !== "auto" && engine !== "embedded" && engine !== "dagger") {
    throw new UserError("usage", `unknown engine ${engine}`, { place: "--engine", hint: "auto, embedded or dagger" });
  }
  const considered: Considered[] = [];
  const note = (name: string, available: boolean, why: string): void => void considered.push({ name, available, why });
  const named = engine !== "dagger" && options.buildkitHost !== undefined;
  const dagger = engine === "embedded" || named ? undefined : await chooseDagger(machine, note);
  if (dagger !== undefined) return { choice: dagger, considered };
  if (engine === "dagger") {
    throw new UserError("engine-unavailable", "no Dagger engine can be reached", {
      detail: considered.map(({ name, why }) => `  ${name}: ${why}`).join("\n"),
      hint: "start docker or podman, set _EXPERIMENTAL_DAGGER_RUNNER_HOST, or use --engine embedded",
    });
  }
  return { choice: chooseEmbedded(options, machine, note), considered };
}

type Note = (name: string, available: boolean, why: string) => void;

async function chooseDagger(machine: Machine, note: Note): Promise<EngineChoice | undefined> {
  const { env } = machine;
  const port = env["DAGGER_SESSION_PORT"];
  if (port !== undefined && port !== "") return sessionOfEnvironment(port, env["DAGGER_SESSION_TOKEN"], note);
  note("Dagger session of the environment", false, "DAGGER_SESSION_PORT is not set");

  const command = machine.findExecutable(env["_EXPERIMENTAL_DAGGER_CLI_BIN"] || "dagger");
  const runnerHost = env["_EXPERIMENTAL_DAGGER_RUNNER_HOST"];
  if (runnerHost !== undefined && runnerHost !== "") {
    const problem = await machine.runnerHostProblem(runnerHost);
    if (problem !== undefined) {
      throw new UserError("engine-unavailable", `no Dagger engine answers at ${runnerHost}: ${problem}`, {
        place: "_EXPERIMENTAL_DAGGER_RUNNER_HOST",
        hint: "start that engine, unset the variable, or use --engine embedded",
      });
    }
    const reason = `_EXPERIMENTAL_DAGGER_RUNNER_HOST names the Dagger engine ${runnerHost}`;
    note("Dagger engine of the environment", true, reason);
    return command === undefined ? { kind: "dagger-sdk", reason } : { kind: "dagger-cli", command, reason };
  }
  note("Dagger engine of the environment", false, "_EXPERIMENTAL_DAGGER_RUNNER_HOST is not set");

  const runtime = await machine.containerRuntime();
  if ("missing" in runtime) {
    note("dagger CLI with a container runtime", false, runtime.missing);
    return undefined;
  }
  if (command !== undefined) {
    const reason = `${command} is installed and ${runtime.name} answers`;
    note("dagger CLI with a container runtime", true, reason);
    return { kind: "dagger-cli", command, reason };
  }
  note("dagger CLI with a container runtime", false, "there is no dagger CLI on the PATH");
  const reason = `${runtime.name} answers, and the Dagger SDK brings a CLI and an engine of its own`;
  note("container runtime alone", true, reason);
  return { kind: "dagger-sdk", reason };
}

function sessionOfEnvironment(port: string, token: string | undefined, note: Note): EngineChoice {
  if (token === undefined || token === "" || !/^\d+$/.test(port)) {
    throw new UserError("usage", "DAGGER_SESSION_PORT needs a port number and DAGGER_SESSION_TOKEN beside it", {
      place: "DAGGER_SESSION_PORT",
      hint: "unset both to let fastloop choose an engine",
    });
  }
  const reason = `DAGGER_SESSION_PORT names an open session on port ${port}`;
  note("Dagger session of the environment", true, reason);
  return { kind: "dagger-session", port: Number(port), token, reason };
}

function chooseEmbedded(options: Options, machine: Machine, note: Note): EngineChoice {
  const address = options.buildkitHost ?? machine.env["BUILDKIT_HOST"];
  if (address !== undefined && address !== "") {
    const reason = `${options.buildkitHost === undefined ? "BUILDKIT_HOST" : "--buildkit-host"} names ${address}`;
    note("BUILDKIT_HOST", true, reason);
    return { kind: "buildkit-host", address, reason };
  }
  note("BUILDKIT_HOST", false, "it is not set");
  const { file: installed, passedOver } = machine.findSafeExecutable("buildkitd");
  for (const why of passedOver) note("buildkitd on the PATH", false, `passed over, as it would run as root: ${why}`);
  if (installed !== undefined) {
    const reason = `buildkitd is on the PATH (${installed})`;
    note("buildkitd on the PATH", true, reason);
    return { kind: "buildkitd", command: installed, reason, passedOver };
  }
  if (passedOver.length === 0) note("buildkitd on the PATH", false, "there is none");
  const built = machine.builtBuildkitd();
  const reason = built === undefined ? "nothing else is here; set-up builds buildkitd" : "buildkitd as set-up built it";
  note("buildkitd built by set-up", built !== undefined, built ?? "not built yet");
  return { kind: "buildkitd", command: built, reason, passedOver };
}
