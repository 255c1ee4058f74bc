/** `fastloop trust`: shows what the repository asks of this machine, and stores the user's decision. */
import process from "node:process";
import { Option, type Command } from "commander";
import { ExitCode, UserError } from "../../errors/index.ts";
import { loadProject, projectHasher, placeProject, trustedFolder, type Project } from "../../plan/index.ts";
import { painter, plural } from "../../report/index.ts";
import { askKey, describeAsk, digestOfAsks, hostProcessAsk, TrustStore, type Ask } from "../../trust/index.ts";
import { printable } from "../../text/index.ts";
import { canAsk, confirm } from "../trust/confirm.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";

interface TrustFlags {
  list?: boolean;
  show?: boolean;
  remove?: boolean;
  hostProcess?: boolean;
  config?: string;
}

export function register(program: Command, context: CliContext): void {
  program
    .command("trust")
    .summary("allow what the repository requests of this machine")
    .description(
      "Allow what fastloop.yaml and the module request of this machine beyond the repository and containers: commands, variables, files and folders outside, sockets, services and ports of the host, another engine, shared caches, root capabilities. The permission covers exactly that, in this folder, until you remove it; later additions need a new one. Needs no engine.",
    )
    .addOption(
      new Option(
        "--show",
        "show what is requested, and what changed since it was allowed; exit code 2 if something is not allowed",
      ).conflicts(["list", "remove"]),
    )
    .addOption(new Option("--list", "list trusted projects").conflicts("remove"))
    .addOption(new Option("--remove", "take it back"))
    .addOption(
      new Option("--host-process", "also allow function bodies on this machine if the system has no boundary for them"),
    )
    .addOption(configFileOption())
    .addHelpText(
      "after",
      `
Examples:
  fastloop trust --show     what is requested, with its lines, and the digest for FASTLOOP_TRUST in CI
  fastloop trust            show it and allow it
  fastloop trust --remove   remove the permission
  fastloop run --trust      allow it for one command`,
    )
    .action(async (flags: TrustFlags) => {
      if (flags.list === true) return list(context);
      if (flags.remove === true) return remove(context, flags);
      await show(context, flags);
    });
}

function list(context: CliContext): void {
  const projects = new TrustStore(context.env).list();
  if (context.options.json) return context.printJson({ projects });
  for (const { project, asks, trustedAt } of projects) {
    context.print(`${project}  ${trustedAt.slice(0, 10)}\n${asks.map((ask) => `  ${describeAsk(ask)}\n`).join("")}`);
  }
  if (projects.length === 0) context.notice("no project is trusted with anything");
}

async function remove(context: CliContext, flags: TrustFlags): Promise<void> {
  const folder = await folderOf(context, flags);
  const removed = new TrustStore(context.env).remove(folder);
  if (context.options.json) return context.printJson({ project: folder, removed });
  context.notice(removed ? `${folder} is no longer trusted with anything` : `${folder} was not trusted with anything`);
}

/** Returns the project's folder, also when the configuration or the module can't be read. */
async function folderOf(context: CliContext, flags: TrustFlags): Promise<string> {
  try {
    const project = await read(context, flags);
    return trustedFolder(project.config, project.module);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return placeProject({ cwd: context.cwd, configFile: flags.config }).root;
  }
}

function read({ cwd, env, options }: CliContext, { config }: TrustFlags): Promise<Project> {
  const projectOptions = { cwd, moduleDir: options.module, configFile: config, environment: env };
  return loadProject(
    { ...projectOptions, trust: "stored", placesOfAsks: true },
    projectHasher(placeProject(projectOptions).state),
  );
}

async function show(context: CliContext, flags: TrustFlags): Promise<void> {
  const { trust, config, module } = await read(context, flags);
  const project = trustedFolder(config, module);
  const store = new TrustStore(context.env);
  const before = store.read(project)?.asks ?? [];
  const hostProcess = hostProcessAsk(module.name);
  const keepsHostProcess = flags.hostProcess === true || isIn(before, hostProcess);
  const asks = [...unique(trust.asks), ...(keepsHostProcess ? [hostProcess] : [])];
  const added = asks.filter((ask) => !isIn(before, ask));
  const removed = before.filter((ask) => !isIn(asks, ask));
  // A separate digest, as it depends on the machine, not on the repository, whether there is a boundary for bodies.
  const digest = [digestOfAsks(trust.asks), ...(keepsHostProcess ? [digestOfAsks([hostProcess])] : [])].join(",");
  if (!context.options.json) print(context, asks, { added, removed, digest });
  const isAllowed =
    flags.show !== true &&
    (asks.length === 0 || !canAsk(context) || (await confirm(context, `Trust ${project} with this?`)));
  if (isAllowed && asks.length > 0) store.write(project, asks);
  if (isAllowed && asks.length === 0) store.remove(project);
  const trusted = isAllowed || added.length === 0;
  process.exitCode = trusted ? ExitCode.passed : ExitCode.usage;
  if (context.options.json) context.printJson({ project, trusted, asks, added, removed, digest });
  else if (asks.length > 0)
    context.notice(
      trusted
        ? `${project} is trusted with ${plural(asks.length, "thing")}`
        : `${project} is not trusted with ${plural(added.length, "thing")} of it: \`fastloop trust\` allows what stands here`,
    );
}

/** Prints what is allowed already, what the decision would add (+), and what is no longer asked (-). */
function print(
  context: CliContext,
  asks: readonly Ask[],
  { added, removed, digest }: { added: readonly Ask[]; removed: readonly Ask[]; digest: string },
): void {
  const paint = painter(context.colors("stdout"));
  const line = (sign: string, ask: Ask): string =>
    `${sign} ${describeAsk(ask)}${ask.place === undefined ? "" : `  ${paint("dim", printable(ask.place))}`}\n`;
  if (asks.length === 0) context.print("nothing is asked of this machine beyond the repository\n");
  for (const ask of asks) context.print(added.includes(ask) ? paint("green", line("+", ask)) : line(" ", ask));
  for (const ask of removed) context.print(paint("red", line("-", ask)));
  if (asks.length > 0) context.print(paint("dim", `digest ${digest}\n`));
}

const isIn = (asks: readonly Ask[], ask: Ask): boolean => asks.some((other) => askKey(other) === askKey(ask));

/** Returns each distinct ask once, at its first place. */
function unique(asks: readonly Ask[]): Ask[] {
  return asks.filter((ask, index) => asks.findIndex((other) => askKey(other) === askKey(ask)) === index);
}
