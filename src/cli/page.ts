/** Web page of a long-running command: opened by `--ui` or a key, saved by `--ui-snapshot`. */
import { existsSync } from "node:fs";
import path from "node:path";
import { Option, type Command } from "commander";
import { loadConfig } from "../config/index.ts";
import { UserError } from "../errors/index.ts";
import type { LoopPageOptions, Page, PageLoop, PageUp } from "../page/index.ts";
import { placeProject } from "../plan/index.ts";
import type { CliContext } from "./context.ts";

declare const __FASTLOOP_VERSION__: string;

export interface PageFlags {
  ui?: boolean;
  uiSnapshot?: string;
}

interface LoopPageFlags extends PageFlags {
  config?: string;
}

export function addPageOptions(command: Command): Command {
  return command
    .addOption(new Option("--ui", "serve a web page with graph, logs and charts on loopback while this runs"))
    .addOption(snapshotOption());
}

export function snapshotOption(): Option {
  return new Option("--ui-snapshot <file>", "write the page to one HTML file at the end");
}

/** The page's code is loaded only when the page is wanted, so other runs do not pay for it. */
export class CommandPage {
  private readonly context: CliContext;
  private readonly flags: PageFlags;
  private readonly make: () => Promise<Page>;
  private page: Promise<Page> | undefined;

  private constructor(context: CliContext, flags: PageFlags, make: () => Promise<Page>) {
    this.context = context;
    this.flags = flags;
    this.make = make;
    // A page that will be saved has to collect data from the start.
    if (flags.uiSnapshot !== undefined || flags.ui === true) this.page = make();
  }

  static async ofLoop(
    context: CliContext,
    flags: LoopPageFlags,
    loop: PageLoop,
    command: string,
  ): Promise<CommandPage> {
    requireFolder(context, flags);
    return await new CommandPage(context, flags, async () => {
      const { pageOfLoop } = await import("../page/index.ts");
      const { restartUp, statusOfUp, UpPlace } = await import("../services/index.ts");
      const place = new UpPlace(placeProject({ cwd: context.cwd, configFile: flags.config }).root, context.env);
      const services = {
        statuses: async () => (await statusOfUp(place))?.services ?? [],
        restart: (names: readonly string[]) => restartUp(place, names),
      };
      return pageOfLoop(loop, { ...options(command, await projectName(context, flags.config)), services });
    }).ready();
  }

  static async ofUp(context: CliContext, flags: PageFlags, up: PageUp, project: string): Promise<CommandPage> {
    requireFolder(context, flags);
    return await new CommandPage(context, flags, async () => {
      const { pageOfUp } = await import("../page/index.ts");
      return pageOfUp(up, options("fastloop up", project));
    }).ready();
  }

  private async ready(): Promise<this> {
    await this.page;
    return this;
  }

  /** Opens the page if `--ui` was given. `print` writes a line where the command's view has its lines. */
  async openIfAsked(print?: (line: string) => void): Promise<void> {
    if (this.flags.ui === true) await this.open(print);
  }

  /**
   * Opens the page and prints its address. The address holds the token: whoever reads it may do what this command can.
   */
  async open(print?: (line: string) => void): Promise<void> {
    const { context } = this;
    const page = await (this.page ??= this.make());
    const url = await page.open({ env: context.env, browser: context.stdout.isTTY });
    if (context.options.json) context.printJson({ event: "page", at: new Date().toISOString(), url });
    else (print ?? ((line) => context.print(`${line}\n`)))(`page: ${url}`);
  }

  /** Saves the page if `--ui-snapshot` was given, and stops its server. */
  async close(): Promise<void> {
    const page = await this.page;
    this.page = undefined;
    if (page === undefined) return;
    try {
      if (this.flags.uiSnapshot !== undefined) this.save(page, this.flags.uiSnapshot);
    } finally {
      page.close();
    }
  }

  private save(page: Page, name: string): void {
    const file = path.resolve(this.context.cwd, name);
    try {
      page.save(file);
      this.context.notice(`the page as it was is in ${file}`);
    } catch (error) {
      this.context.notice(`the page could not be saved: ${String(error)}`);
    }
  }
}

const options = (command: string, project: string): LoopPageOptions => ({
  command,
  project,
  version: __FASTLOOP_VERSION__,
});

/** A watch waits for a broken configuration to be fixed; its page then has the folder's name. */
async function projectName({ cwd }: CliContext, file: string | undefined): Promise<string> {
  const loaded = await loadConfig({ cwd, file }).catch(() => undefined);
  return loaded?.config.name ?? path.basename(placeProject({ cwd, configFile: file }).root);
}

/** Throws before anything runs when the folder of `--ui-snapshot` does not exist. */
function requireFolder({ cwd }: CliContext, { uiSnapshot }: PageFlags): void {
  if (uiSnapshot === undefined || existsSync(path.dirname(path.resolve(cwd, uiSnapshot)))) return;
  throw new UserError("usage", "its folder does not exist", { place: `--ui-snapshot ${uiSnapshot}` });
}
