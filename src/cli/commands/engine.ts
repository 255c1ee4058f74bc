/**
 * `fastloop engine`: manages the embedded engine's daemon. Commands start it by themselves; this is to inspect, start
 * and stop it.
 */
import { printableJson } from "../../text/index.ts";
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { durationAt } from "../../config/index.ts";
import { embeddedEngine, type DaemonStatus } from "../../engine/index.ts";
import { ExitCode, UserError } from "../../errors/index.ts";
import { duration } from "../../report/index.ts";
import type { CliContext } from "../context.ts";

const examples = `
Examples:
  fastloop engine start --idle 2h     start it, and stop after two idle hours
  fastloop engine status --json       one object; exit code 3 if it is not running
  fastloop engine logs --follow       output of the daemon and its buildkitd
  fastloop engine logs --json         one object per line: at, source, text
  fastloop engine stop --force        stop it, even with open sessions or if it does not respond

The embedded engine starts when a command needs it and stops after 30 minutes without use
(--idle, FASTLOOP_ENGINE_IDLE). There is one per user and BuildKit address.`;

export function register(program: Command, context: CliContext): void {
  const engine = program
    .command("engine")
    .summary("start, stop and inspect the embedded engine")
    .description("Start, stop and inspect the embedded engine, which serves the Dagger core API on BuildKit.")
    .addHelpText("after", examples);
  engine
    .command("start")
    .description("Start it, unless it is already running.")
    .option("--idle <duration>", "stop after this time without a session, e.g. 30s, 10m, 2h")
    .action(({ idle }: { idle?: string }) => start(context, idle));
  engine
    .command("stop")
    .description("Stop it. Refuses while sessions are open.")
    .option("--force", "also end open sessions, and a daemon that does not respond")
    .action(({ force }: { force?: boolean }) => stop(context, force === true));
  engine
    .command("status")
    .description("Show whether it is running, and what it is doing.")
    .action(() => status(context));
  engine
    .command("logs")
    .description("Print its log.")
    .option("-f, --follow", "follow the log until interrupted")
    .option("-n, --lines <number>", "only the last lines", "200")
    .action((flags: { follow?: boolean; lines: string }) => logs(context, flags.follow === true, flags.lines));
}

async function start(context: CliContext, idle: string | undefined): Promise<void> {
  const engine = await embeddedEngine(context.options.buildkitHost);
  const running = await engine.status(context.notice);
  if (idle !== undefined && running !== undefined && durationAt(idle, "--idle") !== running.idleTimeoutMs) {
    throw new UserError("usage", `it is already running, and stops after ${duration(running.idleTimeoutMs)}`, {
      place: "--idle",
      hint: "`fastloop engine stop` first",
    });
  }
  const now = running ?? (await engine.start({ idle, signal: context.signal, onNotice: context.notice }));
  if (context.options.json) return print(context, { running: true, ...now });
  if (running === undefined) context.notice(describe(now));
  else context.notice(`already running: ${describe(now)}`);
}

async function stop(context: CliContext, force: boolean): Promise<void> {
  const outcome = await (await embeddedEngine(context.options.buildkitHost)).stop(force, context.notice);
  if (outcome !== "absent" && !outcome.stopped) {
    const sessions = outcome.sessions === 1 ? "a session is" : `${outcome.sessions} sessions are`;
    throw new UserError("locked", `${sessions} open`, { hint: "end them, or use --force" });
  }
  if (context.options.json) return print(context, { stopped: outcome !== "absent" });
  context.notice(outcome === "absent" ? "the embedded engine is not running" : "the embedded engine is stopped");
}

async function status(context: CliContext): Promise<void> {
  const engine = await embeddedEngine(context.options.buildkitHost);
  const now = await engine.status(context.notice);
  if (now === undefined) process.exitCode = ExitCode.engineUnavailable;
  if (context.options.json) {
    return print(
      context,
      now === undefined ? { running: false, stateDir: engine.stateDir } : { running: true, ...now },
    );
  }
  context.print(now === undefined ? "the embedded engine is not running\n" : `${describe(now)}\n${details(now)}\n`);
}

function describe({ version, buildkit, pid }: DaemonStatus): string {
  return `fastloop ${version} on buildkit ${buildkit.version}, pid ${pid}`;
}

function details(now: DaemonStatus): string {
  const idle =
    now.sessions > 0 ? "in use" : `idle for ${duration(now.idleMs)}, stops after ${duration(now.idleTimeoutMs)}`;
  const rows = [
    ["sessions", `${now.sessions}, ${idle}`],
    [
      "buildkit",
      `${now.buildkit.address}${now.buildkit.restarting === true ? ", which ended and is being started again" : ""}`,
    ],
    ["platforms", now.buildkit.platforms.join(", ")],
    ["images", now.registry === undefined ? "from their registries" : `mirror ${now.registry.address}`],
    ["state", now.stateDir],
  ];
  return rows.map(([name, value]) => `  ${(name ?? "").padEnd(10)}${value}`).join("\n");
}

async function logs(context: CliContext, follow: boolean, lines: string): Promise<void> {
  const count = Number(lines);
  if (!Number.isInteger(count) || count < 0) {
    throw new UserError("usage", `${lines} is not a number of lines`, { place: "--lines" });
  }
  const { logFile } = await embeddedEngine(context.options.buildkitHost);
  if (!existsSync(logFile) && !follow) {
    throw new UserError("engine-unavailable", `there is no log yet: ${logFile}`, { hint: "fastloop engine start" });
  }
  const text = existsSync(logFile) ? readFileSync(logFile) : Buffer.alloc(0);
  const tail = text.toString("utf8").split("\n");
  if (tail.at(-1) === "") tail.pop();
  const last = count === 0 ? [] : tail.slice(-count);
  const show = context.options.json ? logLineAsJson : (line: string): string => line;
  if (last.length > 0) context.print(`${last.map(show).join("\n")}\n`);
  if (follow) await followFile(context, logFile, text.length, show);
}

const pollMs = 200;

/** Prints lines as they are appended; starts over after rotation. Returns when the signal aborts. */
async function followFile(
  context: CliContext,
  file: string,
  from: number,
  show: (line: string) => string,
): Promise<void> {
  let position = from;
  let begun = Buffer.alloc(0);
  const buffer = Buffer.alloc(64 * 1024);
  while (!context.signal.aborted) {
    const sizeBytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (sizeBytes < position) {
      position = 0;
      begun = Buffer.alloc(0);
    }
    if (sizeBytes > position) {
      const descriptor = openSync(file, "r");
      const read = readSync(descriptor, buffer, 0, buffer.length, position);
      closeSync(descriptor);
      position += read;
      // Prints only whole lines, so that no line and no character is split.
      const text = Buffer.concat([begun, buffer.subarray(0, read)]);
      const end = text.lastIndexOf(0x0a) + 1;
      begun = text.subarray(end);
      if (end > 0)
        context.print(
          `${text
            .toString("utf8", 0, end - 1)
            .split("\n")
            .map(show)
            .join("\n")}\n`,
        );
      continue;
    }
    await sleep(pollMs, undefined, { signal: context.signal }).catch(() => undefined);
  }
}

function print(context: CliContext, value: unknown): void {
  context.printJson(value);
}

/** Returns a line of the engine's log as JSON with time, source and text; a line in another format has only `text`. */
export function logLineAsJson(line: string): string {
  const [, at, source, text] = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) ([\w-]+): (.*)$/s.exec(line) ?? [];
  return printableJson(text === undefined ? { text: line } : { at, source, text });
}
