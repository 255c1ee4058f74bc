/** Runs `dagger call` itself in the user's terminal. */
import { spawn } from "node:child_process";
import { UserError } from "../../errors/index.ts";
import type { EngineChoice } from "../choose.ts";
import { findExecutable } from "../../paths/index.ts";

export interface ForegroundOptions {
  /** Folder of dagger.json. */
  moduleRoot: string;
  /** The chain, in the grammar of `dagger call`. */
  words: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/** Within the two seconds after which nothing of the CLI may be left. */
const terminateGraceMs = 1500;

/** Runs the call to its end and returns its exit code. Throws the signal's reason if it was aborted. */
export async function runDaggerCall(choice: EngineChoice, options: ForegroundOptions): Promise<number> {
  const { cwd, env, signal } = options;
  signal.throwIfAborted();
  const args = ["call", "-m", options.moduleRoot, ...options.words];
  const child = spawn(daggerCommand(choice, env), args, {
    cwd,
    env: { ...env, DAGGER_NO_NAG: "1", DAGGER_NO_UPDATE_CHECK: "1" },
    stdio: "inherit",
  });
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    child.kill("SIGTERM");
    timer = setTimeout(() => child.kill("SIGKILL"), terminateGraceMs);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", resolve);
    });
    signal.throwIfAborted();
    return code ?? 1;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

function daggerCommand(choice: EngineChoice, env: NodeJS.ProcessEnv): string {
  if (choice.kind === "dagger-cli") return choice.command;
  const command = choice.kind.startsWith("dagger-")
    ? findExecutable(env["_EXPERIMENTAL_DAGGER_CLI_BIN"] || "dagger", env)
    : undefined;
  if (command !== undefined) return command;
  const missing = choice.kind.startsWith("dagger-")
    ? "the dagger CLI, and there is none on the PATH"
    : "a Dagger engine";
  throw new UserError("engine-unavailable", `this call runs through \`dagger call\`, which needs ${missing}`, {
    hint: `${choice.reason}; install dagger, or leave out --via call`,
  });
}
