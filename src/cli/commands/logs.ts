/** `fastloop logs`: shows what services printed. */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { Option, type Command } from "commander";
import { UserError } from "../../errors/index.ts";
import { painter } from "../../report/index.ts";
import { LogReader, type UpPlace } from "../../services/index.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { upPlace } from "../up/project.ts";

interface LogsFlags {
  follow?: boolean;
  grep?: string;
  lines?: string;
  config?: string;
}

interface LogLine {
  at: string;
  service: string;
  text: string;
}

const followMs = 100;

export function register(program: Command, context: CliContext): void {
  program
    .command("logs [service...]")
    .summary("show the output of services")
    .description("Show the output of services, running or stopped. Needs no engine.")
    .addOption(new Option("-f, --follow", "keep printing new output"))
    .addOption(new Option("--grep <pattern>", "only lines that match the regular expression"))
    .addOption(new Option("-n, --lines <number>", "only the last lines of each service"))
    .addOption(configFileOption())
    .addHelpText(
      "after",
      `
Examples:
  fastloop logs                     all services, in order of time
  fastloop logs api -f
  fastloop logs --grep 'error|warn' -n 50`,
    )
    .action((names: string[], flags: LogsFlags) => logs(context, names, flags));
}

async function logs(context: CliContext, names: readonly string[], flags: LogsFlags): Promise<void> {
  const files = filesOf(upPlace(context, flags.config), names);
  const matches = matcher(flags.grep);
  const last = flags.lines === undefined ? undefined : wholeNumber(flags.lines);
  const print = printer(context, Math.max(...[...files.keys()].map((name) => name.length)));
  const readers = [...files].map(([service, file]) => ({ service, reader: new LogReader(file) }));
  const matching = (service: string, lines: readonly string[]): LogLine[] =>
    lines.map((line) => parsed(service, line)).filter(({ text }) => matches(text));
  const all = readers.flatMap(({ service, reader }) => {
    const lines = matching(service, [...reader.older(), ...reader.read()]);
    return last === undefined ? lines : last === 0 ? [] : lines.slice(-last);
  });
  for (const line of all.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))) print(line);
  while (flags.follow === true) {
    for (const { service, reader } of readers) matching(service, reader.read()).forEach(print);
    await setTimeout(followMs, undefined, { signal: context.signal });
  }
  for (const { reader } of readers) reader.close();
}

function filesOf(place: UpPlace, names: readonly string[]): Map<string, string> {
  const folder = path.dirname(place.logFile("x"));
  const known = existsSync(folder)
    ? readdirSync(folder).flatMap((file) => (file.endsWith(".log") ? [file.slice(0, -".log".length)] : []))
    : [];
  if (known.length === 0)
    throw new UserError("usage", "no service of this project has printed anything", {
      hint: "start them with `fastloop up`",
    });
  const missing = names.find((name) => !known.includes(name));
  if (missing !== undefined)
    throw new UserError("usage", `there are no logs of \`${missing}\``, {
      place: missing,
      hint: `of: ${known.join(", ")}`,
    });
  return new Map((names.length > 0 ? names : known).map((name) => [name, place.logFile(name)]));
}

function matcher(pattern: string | undefined): (text: string) => boolean {
  if (pattern === undefined) return () => true;
  try {
    const expression = new RegExp(pattern);
    return (text) => expression.test(text);
  } catch (cause) {
    throw new UserError("usage", `not a regular expression: ${pattern}`, { place: "--grep", cause });
  }
}

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new UserError("usage", `not a number of lines: ${text}`, { place: "--lines" });
}

function parsed(service: string, line: string): LogLine {
  const end = line.indexOf(" ");
  return { at: line.slice(0, end), service, text: line.slice(end + 1) };
}

function printer(context: CliContext, width: number): (line: LogLine) => void {
  const paint = painter(context.colors("stdout"));
  return ({ at, service, text }) => {
    if (context.options.json) context.printJson({ at, service, text });
    else context.print(`${paint("dim", `${service.padEnd(width)} |`)} ${text}\n`);
  };
}
