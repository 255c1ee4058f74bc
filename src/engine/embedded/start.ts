/** Starts the engine daemon. Any number of commands may do so at once; only one daemon results. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statfsSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../errors/index.ts";
import { daemonStatus } from "./control.ts";
import { startNotice, noticeAfterMs } from "./silence.ts";
import { daemonEnvironment, packageRoot, textIfThere } from "../../paths/index.ts";
import { DaemonExit, failureFile, type DaemonStatus, type StartFailure } from "../../engine-daemon/index.ts";

export interface DaemonStart {
  state: string;
  source: { address: string } | { buildkitd: string };
  idleTimeoutMs: number;
  signal?: AbortSignal;
  onNotice?: ((text: string) => void) | undefined;
}

/** A daemon that was killed with a large cache takes a while to clean up and load. */
const startTimeoutMs = 90_000;
const pollMs = 15;

/** Resolves when a daemon answers for the state folder: this one, or one that another command has started meanwhile. */
export async function startDaemon(start: DaemonStart): Promise<DaemonStatus> {
  const { state, signal, onNotice } = start;
  const startedMs = performance.now();
  const deadline = startedMs + startTimeoutMs;
  let isTold = false;
  let ended: { exitCode: number | null } | undefined = spawnDaemon(start);
  while (performance.now() < deadline) {
    signal?.throwIfAborted();
    const status = await daemonStatus(state, { signal, onNotice });
    if (status !== undefined) return status;
    // Another daemon holds the lock while it starts or stops: it will answer, or release the lock.
    if (ended.exitCode === DaemonExit.lockHeld) {
      await sleep(100);
      if ((await daemonStatus(state, { signal, onNotice })) === undefined) ended = spawnDaemon(start);
    } else if (ended.exitCode !== null) {
      throw startFailure(state, `the engine daemon ended with code ${ended.exitCode}`);
    }
    if (!isTold && performance.now() - startedMs >= noticeAfterMs) {
      isTold = true;
      onNotice?.(startNotice(state));
    }
    await sleep(pollMs);
  }
  throw startFailure(state, `the engine daemon did not answer within ${startTimeoutMs / 1000} s`);
}

function spawnDaemon({ state, source, idleTimeoutMs }: DaemonStart): { exitCode: number | null } {
  const program = path.join(packageRoot(), "dist", "engine.js");
  if (!existsSync(program)) {
    throw new UserError("engine-unavailable", `${program} is missing`, { hint: "build it: npm run build" });
  }
  mkdirSync(state, { recursive: true, mode: 0o700 });
  requireSpace(state);
  const log = openSync(path.join(state, "engine.log"), "a", 0o600);
  const child = spawn(
    process.execPath,
    [
      program,
      "--state",
      state,
      "--idle-ms",
      String(idleTimeoutMs),
      ...("address" in source ? ["--buildkit-host", source.address] : ["--buildkitd", source.buildkitd]),
    ],
    // Runs in a session of its own, detached from the terminal and folder, with none of this process's files open.
    { detached: true, cwd: "/", stdio: ["ignore", log, log], env: { ...daemonEnvironment(), ...mallocSettings } },
  );
  closeSync(log);
  child.unref();
  const ended: { exitCode: number | null } = { exitCode: null };
  child.once("error", () => (ended.exitCode = 1));
  child.once("exit", (code) => (ended.exitCode = code ?? 1));
  return ended;
}

/**
 * Settings for glibc, ignored by other C libraries: they let an idle daemon return its memory
 * (`src/engine-daemon/rest.ts`). Few arenas, because memory freed in one is of no use to threads of another. Stream
 * buffers (64 KiB) and larger blocks are mapped separately, so that freeing them returns them; among small blocks they
 * would leave holes that stay. Without an explicit threshold glibc raises its own to as much as 32 MiB.
 */
const mallocSettings = {
  MALLOC_ARENA_MAX: "2",
  MALLOC_MMAP_THRESHOLD_: String(32 * 1024),
  MALLOC_TRIM_THRESHOLD_: String(128 * 1024),
};

/**
 * Returns the reason that the daemon itself recorded for its end; undefined if it ended well or could not write any
 * more.
 */
export function lastFailure(state: string): StartFailure | undefined {
  try {
    return parseFailure(JSON.parse(readFileSync(path.join(state, failureFile), "utf8")));
  } catch {
    return undefined;
  }
}

/** Returns undefined for content that no daemon wrote. */
function parseFailure(value: unknown): StartFailure | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { message, detail, hint } = value as Record<string, unknown>;
  if (typeof message !== "string") return undefined;
  return { message, ...(typeof detail === "string" ? { detail } : {}), ...(typeof hint === "string" ? { hint } : {}) };
}

/** BuildKit's databases alone take this much; with less it neither starts nor says why. */
const leastFreeBytes = 8 * 1024 * 1024;

function requireSpace(state: string): void {
  const { bavail, bsize } = statfsSync(state);
  if (bavail * bsize >= leastFreeBytes) return;
  throw new UserError(
    "engine-unavailable",
    `the embedded engine can't start: its disk is full (${Math.floor((bavail * bsize) / 1024)} KiB are free)`,
    {
      place: state,
      hint: "free some space there, or set XDG_STATE_HOME to another folder",
    },
  );
}

function startFailure(state: string, fallback: string): UserError {
  // A full disk is the reason, whatever error it caused.
  requireSpace(state);
  // If the daemon died before it could record the reason, the end of its log has to do.
  const failure: StartFailure = lastFailure(state) ?? { message: fallback };
  return new UserError("engine-unavailable", `the embedded engine can't start: ${failure.message}`, {
    detail: failure.detail ?? logTail(state, 12),
    hint: failure.hint ?? `the whole log is ${path.join(state, "engine.log")}`,
  });
}

/** Returns the last lines of the daemon's log. */
export function logTail(state: string, lines: number): string {
  return textIfThere(path.join(state, "engine.log")).trimEnd().split("\n").slice(-lines).join("\n");
}
