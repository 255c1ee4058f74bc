/** Runs `up` in a background process without a terminal, and waits until its services are healthy. */
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import process from "node:process";
import { aborted } from "../../async/index.ts";
import { UserError } from "../../errors/index.ts";
import { blockersText, painter, upReporter } from "../../report/index.ts";
import { downUp, followUp, statusOfUp, type UpEvent, type UpPlace, type UpStatus } from "../../services/index.ts";
import { printableJson } from "../../text/index.ts";
import type { CliContext } from "../context.ts";

/** Interval of checks whether the process listens. */
const lookMs = 50;
const shownLines = 20;
/** Options that concern only this process. */
const ownSwitches = ["-d", "--detach", "--wait", "--json"];

/** Returns the arguments of the background process, from those of this command. */
export function backgroundWords(words: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (word === "--timeout") index++;
    else if (!ownSwitches.includes(word) && !word.startsWith("--timeout=")) kept.push(word);
  }
  return [...kept, "--in-background"];
}

/**
 * Resolves when all services are healthy. Throws with those that are not; what runs keeps running, unless this command
 * is interrupted.
 */
export async function upInBackground(
  place: UpPlace,
  context: CliContext,
  timeoutMs: number | undefined,
): Promise<void> {
  place.prepare();
  const log = openSync(place.ownLog, "w", 0o600);
  const child = spawn(process.execPath, [process.argv[1]!, ...backgroundWords(process.argv.slice(2))], {
    cwd: process.cwd(),
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  child.unref();
  const ended = new Promise<number>((resolve) => {
    child.once("exit", (code) => resolve(code ?? 1));
    child.once("error", () => resolve(1));
  });
  const late = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const interrupted = AbortSignal.any([context.signal, ...(late === undefined ? [] : [late])]);
  try {
    await listening(place, child.pid, ended, interrupted);
    const status = await settled(place, context, interrupted);
    if (status === undefined) throw endedEarly(place, await ended);
    if (context.options.json) context.printJson(status);
    if (status.healthy) return;
    throw new UserError("function-failed", blockersText(status.services), {
      hint: "`fastloop logs` shows what they printed",
    });
  } catch (error) {
    if (context.signal.aborted) {
      await downUp(place).catch(() => child.kill("SIGTERM"));
      throw context.signal.reason;
    }
    if (late?.aborted !== true) throw error;
    const services = (await statusOfUp(place).catch(() => undefined))?.services ?? [];
    throw new UserError("timed-out", services.length === 0 ? "nothing is up yet" : blockersText(services), {
      place: "--timeout",
    });
  }
}

async function listening(
  place: UpPlace,
  pid: number | undefined,
  ended: Promise<number>,
  signal: AbortSignal,
): Promise<void> {
  let code: number | undefined;
  void ended.then((known) => (code = known));
  for (;;) {
    signal.throwIfAborted();
    if (code !== undefined) throw endedEarly(place, code);
    if (place.running()?.pid === pid && (await statusOfUp(place)) !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

/** Reports events until every service has started or failed; resolves with undefined when the process exited before. */
async function settled(place: UpPlace, context: CliContext, signal: AbortSignal): Promise<UpStatus | undefined> {
  const enough = new AbortController();
  const paint = painter(context.colors("stderr"));
  const emit = upReporter({ write: context.notice, paint, logs: false, verbose: context.options.verbose });
  const following = followUp(
    place,
    (status) => {
      for (const service of status.services) if (!context.options.json) emit({ kind: "state", service });
      if (status.settled) enough.abort();
    },
    (event: UpEvent) => {
      if (!context.options.json) emit(event);
      if (event.kind === "settled") enough.abort();
    },
    AbortSignal.any([signal, enough.signal]),
  ).catch(() => undefined);
  await Promise.race([following, aborted(enough.signal), aborted(signal)]);
  signal.throwIfAborted();
  return statusOfUp(place);
}

function endedEarly(place: UpPlace, exitCode: number): UserError {
  const text = readFileSync(place.ownLog, "utf8").trimEnd();
  const lines = text.split("\n").slice(-shownLines);
  // If the process printed an error, that is the whole message.
  const error = lines.findLastIndex((line) => line.startsWith("error: "));
  if (error >= 0) {
    const [first = "", ...rest] = lines.slice(error);
    const hint = rest.findIndex((line) => line.startsWith("hint: "));
    const detail = rest.slice(0, hint < 0 ? undefined : hint).join("\n");
    return new UserError("function-failed", first.slice("error: ".length), {
      exitCode,
      ...(detail === "" ? {} : { detail }),
      ...(hint < 0 ? {} : { hint: rest[hint]!.slice("hint: ".length) }),
    });
  }
  return new UserError("function-failed", "the background process exited", {
    detail: lines.join("\n"),
    exitCode,
  });
}

/** Writes one JSON object per line, with `event` first. */
export function jsonUpReporter(write: (line: string) => void): (event: UpEvent) => void {
  return ({ kind, ...rest }) => write(printableJson({ event: kind, at: new Date().toISOString(), ...rest }));
}
