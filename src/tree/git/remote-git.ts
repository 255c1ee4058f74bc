/** Runs git against remotes: without prompts, with a time limit, and without leaving processes behind. */
import { spawn } from "node:child_process";
import { signalGroup } from "../../async/index.ts";

export interface RemoteGitOptions {
  cwd?: string;
  env: NodeJS.ProcessEnv;
  /** Limit of the whole command; git itself waits for a silent remote for ever. */
  timeoutMs: number;
  /** Limit of git's output. */
  maxBytes: number;
  signal?: AbortSignal;
}

/** Git did not answer: it is not installed, took too long, printed too much, or failed. */
export class GitFailure extends Error {
  readonly kind: "missing" | "late" | "too-long" | "failed";
  /** The end of git's standard error. */
  readonly stderr: string;

  constructor(kind: GitFailure["kind"], message: string, stderr = "") {
    super(message);
    this.kind = kind;
    this.stderr = stderr;
  }
}

/** Ends of the git processes that run; none outlives this process. */
const running = new Set<() => void>();
process.on("exit", () => running.forEach((end) => end()));

/** How many characters of standard error are kept. */
const keptStderr = 64 * 1024;

/**
 * Runs git and returns its output. Git gets its own session: without a terminal nothing can prompt on one, and `ssh` and
 * transport helpers, which outlive a killed git, are killed with the group. Throws a `GitFailure`, or the signal's reason.
 */
export async function runRemoteGit(
  words: readonly string[],
  { cwd, env, timeoutMs, maxBytes, signal }: RemoteGitOptions,
): Promise<string> {
  signal?.throwIfAborted();
  const quiet = { ...env, GIT_TERMINAL_PROMPT: "0", GIT_ASKPASS: "", SSH_ASKPASS: "", SSH_ASKPASS_REQUIRE: "never" };
  const child = spawn("git", words, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...quiet, GCM_INTERACTIVE: "never", LC_ALL: "C" },
    stdio: ["ignore", "pipe", "pipe"],
    detached: process.platform !== "win32",
  });
  const end = (): void => void signalGroup(child, "SIGKILL");
  let failure: Error | undefined;
  const fail = (error: Error): void => {
    failure ??= error;
    end();
    // A process that has left the group may hold them open.
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const onAbort = (): void => fail(signal?.reason as Error);
  const late = setTimeout(() => fail(new GitFailure("late", `git took more than ${timeText(timeoutMs)}`)), timeoutMs);
  signal?.addEventListener("abort", onAbort);
  running.add(end);
  try {
    const pieces: Buffer[] = [];
    let bytes = 0;
    let stderr = "";
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", (error: NodeJS.ErrnoException) =>
        reject(error.code === "ENOENT" ? new GitFailure("missing", "git is not installed") : error),
      );
      child.once("close", resolve);
      child.stdout.on("data", (piece: Buffer) => {
        bytes += piece.length;
        if (bytes > maxBytes)
          fail(new GitFailure("too-long", `git's answer has more than ${maxBytes / 1024 ** 2} MiB`));
        else pieces.push(piece);
      });
      child.stderr.setEncoding("utf8").on("data", (piece: string) => {
        stderr = (stderr + piece).slice(-keptStderr);
      });
    });
    if (failure !== undefined) throw failure;
    if (code !== 0) throw new GitFailure("failed", `git ended with ${code ?? "a signal"}`, stderr);
    return Buffer.concat(pieces).toString("utf8");
  } finally {
    clearTimeout(late);
    signal?.removeEventListener("abort", onAbort);
    running.delete(end);
  }
}

const timeText = (timeMs: number): string => (timeMs < 120_000 ? `${timeMs / 1000} s` : `${timeMs / 60_000} minutes`);

/**
 * Returns variables that keep OpenSSH from prompting; other programs have other options. `configured` is git's
 * `core.sshCommand`, empty if unset.
 */
export function quietSsh(env: NodeJS.ProcessEnv, configured: string): { GIT_SSH_COMMAND?: string } {
  const ssh = env["GIT_SSH_COMMAND"] ?? (env["GIT_SSH"] === undefined ? configured.trim() || "ssh" : "");
  return /^(?:\S*\/)?ssh(?:\s|$)/.test(ssh) ? { GIT_SSH_COMMAND: `${ssh} -o BatchMode=yes` } : {};
}
