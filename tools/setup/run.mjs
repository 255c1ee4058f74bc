// Child processes: their last lines are the reason when they fail, and the detail of the progress while they run.
import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { environmentFor } from "./environment.mjs";
import { SetupError } from "./errors.mjs";

const tailLines = 15;
/** A child that was told to end is waited for so long before it is ended. */
const killAfterMs = 5000;
const children = new Set();
const stopping = new AbortController();

/** Ends everything that runs, and lets nothing new begin: another step has failed, and the user waits for that. */
export function stopAll() {
  stopping.abort();
  for (const child of children) {
    endChild(child);
    setTimeout(() => child.kill("SIGKILL"), killAfterMs).unref();
  }
}

const stopSignals = new WeakMap();
const endChild = (child) => child.kill(stopSignals.get(child) ?? "SIGTERM");

/** Aborted once a step has failed; throws for those who would begin something. */
export const stopped = stopping.signal;

/** Thrown in steps that another's failure has ended; never the cause of anything. */
export class StepStopped extends Error {}

export function throwIfStopped() {
  if (stopped.aborted) throw new StepStopped("another step failed");
}

// What set-up started ends with it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    for (const child of children) endChild(child);
    process.stdout.write(process.stdout.isTTY ? "\r\u001b[K" : "");
    process.exit(130);
  });
}

/**
 * Resolves with stdout; rejects with a SetupError that carries the last lines. `onLine` gets each line of output;
 * `stopSignal` ends the child where SIGTERM does not.
 */
export async function run(command, args, { cwd, env, onLine, next, input, stdio, stopSignal = "SIGTERM" } = {}) {
  throwIfStopped();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...environmentFor(command), ...env },
      stdio: stdio ?? [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    children.add(child);
    stopSignals.set(child, stopSignal);
    const tail = [];
    const stdout = [];
    const keep = (chunk) => {
      for (const line of chunk.toString("utf8").split(/[\r\n]+/)) {
        if (line.trim() === "") continue;
        tail.push(line);
        if (tail.length > tailLines) tail.shift();
        onLine?.(line);
      }
    };
    child.stdout?.on("data", (chunk) => {
      stdout.push(chunk);
      keep(chunk);
    });
    child.stderr?.on("data", keep);
    if (input !== undefined) child.stdin.end(input);
    child.once("error", (cause) => {
      children.delete(child);
      reject(new SetupError(`${command} could not be started: ${cause.message}`, { next, cause }));
    });
    child.once("close", (code, signal) => {
      children.delete(child);
      if (code === 0) resolve(Buffer.concat(stdout).toString("utf8"));
      else if (stopped.aborted) reject(new StepStopped(`${command} was ended`));
      else {
        const how = signal === null ? `exit code ${code}` : signal;
        reject(
          new SetupError(`${command} ${args.slice(0, 3).join(" ")} ended with ${how}`, { why: tail.join("\n"), next }),
        );
      }
    });
  });
}

/** A process that runs until it is stopped. */
export function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], ...options });
  children.add(child);
  let tail = "";
  child.stderr.on("data", (chunk) => (tail = (tail + chunk.toString("utf8")).slice(-4000)));
  const ended = new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  return {
    ended,
    tail: () => tail,
    async stop() {
      child.kill("SIGTERM");
      await ended;
      children.delete(child);
    },
  };
}

/** Absolute path of a program, or undefined. Looks into the sbin folders too, which a user's PATH often lacks. */
export function findProgram(name) {
  const folders = [...(process.env.PATH ?? "").split(path.delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  return folders
    .filter(Boolean)
    .map((folder) => path.join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return statSync(file).isFile();
      } catch {
        return false;
      }
    });
}
