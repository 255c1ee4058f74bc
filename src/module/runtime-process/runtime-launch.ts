/** Starts the process of function bodies, behind the boundary if the host has one. */
import { spawn, type ChildProcess } from "node:child_process";
import type { Duplex } from "node:stream";
import {
  boundaryFailed,
  chooseBoundary,
  connectHelper,
  type BoundaryOptions,
  type Helper,
} from "../boundary/boundary.ts";
import { runtimeCommand } from "./runtime-command.ts";
import type { ModuleInfo } from "../types.ts";

export interface RuntimeProcess {
  child: ChildProcess;
  /** Resolves to a description of how the process ended. */
  exited: Promise<string>;
  /** Carries the JSON messages of runtime/protocol.ts. */
  channel: Duplex;
  /** Undefined without a boundary. */
  helper: Helper | undefined;
}

/**
 * Resolves when the process runs. Throws a `UserError` if the host has no boundary and the user has not allowed running
 * without one.
 */
export async function launchRuntime(
  module: ModuleInfo,
  options: BoundaryOptions,
  env: NodeJS.ProcessEnv,
): Promise<RuntimeProcess> {
  const started = spawnRuntime(module, env, await chooseBoundary(options, env));
  const problem = await started.helper?.started;
  if (problem === undefined) return started;
  boundaryFailed(problem, options, env);
  return spawnRuntime(module, env, undefined);
}

function spawnRuntime(module: ModuleInfo, env: NodeJS.ProcessEnv, confine: string | undefined): RuntimeProcess {
  const { command, args, environment } = runtimeCommand(module, env, confine);
  const child = spawn(command, args, {
    cwd: module.sourceDir,
    env: environment,
    stdio: ["ignore", "pipe", "pipe", "pipe", ...(confine === undefined ? [] : ["pipe" as const])],
  });
  const exited = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : signal));
  });
  const channel = child.stdio[3] as Duplex;
  // A write to a process that has just ended is reported by its exit.
  channel.on("error", () => undefined);
  return {
    child,
    exited,
    channel,
    helper: confine === undefined ? undefined : connectHelper(child.stdio[4] as Duplex, exited),
  };
}
