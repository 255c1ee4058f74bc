/** `fastloop up`: runs the project's services, with what they need, until the user ends it. */
import { Option, type Command } from "commander";
import { UserError } from "../../errors/index.ts";
import { blockersText, openUpTerminal, painter, upReporter, type UpView } from "../../report/index.ts";
import type { PageUp } from "../../page/index.ts";
import type { UpEvent } from "../../services/index.ts";
import type { CliContext } from "../context.ts";
import { printNames } from "../options/name-table.ts";
import { explain } from "../up/explain.ts";
import { configFileOption, offlineOption, timeLimit } from "../loop-options.ts";
import { jsonUpReporter, upInBackground } from "../up/background.ts";
import { addPageOptions, CommandPage, type PageFlags } from "../page.ts";
import { openUpProject, type UpProject } from "../up/project.ts";
import { wordsBehind } from "../options/words-behind.ts";
import { wantedStandIns } from "../up/stand-ins.ts";
import { openUp, type RunningUp } from "../up/run.ts";

interface UpFlags extends PageFlags {
  services?: string;
  detach?: boolean;
  wait?: boolean;
  timeout?: string;
  view?: boolean;
  explain?: string;
  list?: boolean;
  config?: string;
  from?: string;
  local?: string[];
  offline?: boolean;
  inBackground?: boolean;
}

export function register(program: Command, context: CliContext): void {
  const command = program
    .command("up [service...]")
    .summary("start the project's services, and what they need")
    .description(
      "Start services: `services` of fastloop.yaml and the module's @up() functions, or only the named ones with all that they need. Their ports are on loopback. Ctrl-C stops them; their volumes stay.",
    )
    .addOption(new Option("-l, --list", "list them, and start nothing"))
    .addOption(new Option("--services <names>", "the same as naming them: a,b"))
    .addOption(new Option("-d, --detach", "run in the background; return when all are healthy or one has failed"))
    .addOption(new Option("--wait", "the same as --detach"))
    .addOption(new Option("--timeout <duration>", "with --detach: how long to wait, e.g. 2m; then exit with 4"))
    .addOption(new Option("--explain <service>", "show what an edit of each file does to it, and start nothing"))
    .addOption(new Option("--from <file>", "start the services of a compose file instead of those of fastloop.yaml"))
    .addOption(
      new Option(
        "--local <service=port>",
        "use a process of this machine as a service: `-- COMMAND`, or one that you start; repeatable",
      ).argParser((word: string, others: string[] | undefined) => [...(others ?? []), word]),
    )
    .addOption(offlineOption())
    .addOption(new Option("--no-view", "print plain lines, also on a terminal"))
    .addOption(configFileOption())
    .addOption(new Option("--in-background").hideHelp());
  const behind = wordsBehind(command);
  addPageOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  fastloop up                     all services; Ctrl-C stops them
  fastloop up api                 api and what it needs
  fastloop up --ui                with a web page; the key u opens it, too
  fastloop up -l                  their names, those of toolchains as tool:web
  fastloop up --explain api       what is synced, and what causes a rebuild
  fastloop up --local api=8080 -- npm run dev    api runs here; the key l switches between it and its container
  fastloop up -d && npm run e2e; fastloop down
  FASTLOOP_PORT_OFFSET=100 fastloop up    beside another checkout: 8080 is 8180

Exit codes: 0 all healthy (--detach), 1 one failed, 2 a port is taken or the configuration is invalid, 3 no engine,
4 not healthy in time, 130 interrupted.`,
    )
    .action(async (names: string[], flags: UpFlags) =>
      up(context, [...names, ...listed(flags.services)], flags, behind()),
    );
}

const listed = (names = ""): string[] =>
  names
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

async function up(
  context: CliContext,
  names: readonly string[],
  flags: UpFlags,
  command: readonly string[],
): Promise<void> {
  const local = wantedStandIns(flags.local ?? [], command);
  if (flags.explain !== undefined)
    return explain(context, await openUpProject(context, [flags.explain], flags.config, flags.from), flags.explain);
  if (flags.list === true) return list(context, await openUpProject(context, names, flags.config, flags.from));
  const project = await openUpProject(context, names, flags.config, flags.from, local);
  const timeoutMs = flags.timeout === undefined ? undefined : timeLimit("--timeout", flags.timeout);
  const isDetached = flags.detach === true || flags.wait === true;
  if (isDetached && (flags.ui === true || flags.uiSnapshot !== undefined))
    throw new UserError("usage", "the page needs a command on a terminal", {
      place: "--ui",
      hint: "leave out --detach",
    });
  if (isDetached && local.length > 0)
    throw new UserError("usage", "a process of this machine needs a terminal", {
      place: "--local",
      hint: "leave out --detach",
    });
  if (isDetached) return upInBackground(project.up, context, timeoutMs);
  if (timeoutMs !== undefined)
    throw new UserError("usage", "it limits how long --detach waits", { place: "--timeout", hint: "add --detach" });
  let view: UpView | undefined;
  const plain = linesOf(context);
  const offline = flags.offline === true;
  const running = await openUp(project, context, offline, (event) =>
    view === undefined ? plain(event) : view.note(event),
  );
  const page = await CommandPage.ofUp(context, flags, pageUp(running, project), project.name);
  let quit = (): void => undefined;
  const quitted = new Promise<void>((resolve) => (quit = resolve));
  try {
    const openPage = (): void => void page.open(view?.print).catch((error: unknown) => view?.print(String(error)));
    if (hasView(context, flags)) view = await viewOf(context, running, quit, openPage);
    await page.openIfAsked(view?.print);
    await live(running, context, quitted);
  } finally {
    await page.close();
    await running.close();
    view?.close();
  }
}

function list(context: CliContext, { services }: UpProject): void {
  const rows = services.map(({ name, fullName = name, summary: description = "", place }) => ({
    name: fullName,
    description,
    place,
  }));
  if (context.options.json) context.printJson(rows);
  else printNames(context, rows);
}

function linesOf({ options, print, colors }: CliContext): (event: UpEvent) => void {
  const write = (line: string): void => print(`${line}\n`);
  if (options.json) return jsonUpReporter(write);
  return upReporter({ write, paint: painter(colors("stdout")), logs: true, verbose: options.verbose });
}

const pageUp = ({ supervisor, subscribe }: RunningUp, { up }: UpProject): PageUp => ({
  statuses: () => supervisor.statuses,
  restart: (names) => supervisor.restart(names),
  switchTo: (place, names) => supervisor.switchTo(place, names),
  subscribe,
  logFile: (name) => up.logFile(name),
});

const hasView = ({ options, stdout, env }: CliContext, { view, inBackground }: UpFlags): boolean =>
  !options.json && stdout.isTTY && view !== false && inBackground !== true && env["TERM"] !== "dumb";

function viewOf(
  context: CliContext,
  { supervisor }: RunningUp,
  quit: () => void,
  openPage: () => void,
): Promise<UpView> {
  return openUpTerminal({
    output: context.stdout,
    input: context.stdin.isTTY ? context.stdin : undefined,
    colors: context.colors("stdout"),
    verbose: context.options.verbose,
    statuses: () => supervisor.statuses,
    restart: () => void supervisor.restart([]).catch(() => undefined),
    switchAll: () => void supervisor.switchTo(undefined, []).catch(() => undefined),
    quit,
    openPage,
  });
}

/**
 * Starts the services and resolves when the user or another command ends them. Throws when no service could be started.
 */
async function live({ supervisor, ended }: RunningUp, { signal }: CliContext, quitted: Promise<void>): Promise<void> {
  const interrupted = new Promise<never>((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  const over = Promise.race([interrupted, ended, quitted]);
  const reason = await Promise.race([over, supervisor.start().then(() => "started" as const)]);
  if (reason !== "started") return end(reason);
  const { statuses } = supervisor;
  if (statuses.every(({ phase }) => phase === "failed")) throw new UserError("function-failed", blockersText(statuses));
  end(await over);
}

function end(reason: UserError | void | undefined): void {
  if (reason !== undefined) throw reason;
}
