/** `fastloop call`: calls a chain of functions, in the grammar of `dagger call`. */
import path from "node:path";
import process from "node:process";
import type { Command } from "commander";
import {
  configOption,
  flagName,
  moduleOption,
  parseCall,
  projectModuleFolder,
  valueOf,
  type ParsedCall,
} from "../../call/index.ts";
import { loadConfig, ownModule, type LoadedConfig } from "../../config/index.ts";
import type { ProjectSession } from "../../session/index.ts";
import type { ModuleInfo } from "../../module/index.ts";
import { findGitRoot } from "../../tree/index.ts";
import { runDaggerCall, type EngineChoice } from "../../engine/index.ts";
import { UserError } from "../../errors/index.ts";
import { PastScan, placeProject } from "../../plan/index.ts";
import { checkOutput } from "../call/check-output.ts";
import { callSession } from "../call/call-session.ts";
import { CallView } from "../call/call-view.ts";
import { callWithCache } from "../call/call-with-cache.ts";
import { examples, ownOptions, renderCallHelp } from "../call/render-help.ts";
import { renderResult } from "../call/render-result.ts";
import { writeOutput } from "../call/write-output.ts";
import type { CliContext } from "../context.ts";
import { requireTrustOfCall } from "../trust/trust.ts";
import { printable } from "../../text/index.ts";
import { readModule } from "../project-module.ts";

export function register(program: Command, context: CliContext): void {
  program
    .command("call")
    .summary("call a function of the module, as `dagger call` does")
    .description(
      "Call a function of the module and chain into its result, in the grammar of `dagger call`. `fastloop call --help` lists the module's functions, `fastloop call FUNCTION --help` the arguments of one and the fields of its result. The result is cached, and reused until something that determines it changes.",
    )
    // Help depends on the module and on the position in the chain.
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .passThroughOptions()
    .argument("[words...]", "functions and their arguments: FUNCTION --ARGUMENT VALUE FUNCTION ...")
    // Only the reference prints this; the help itself is generated from the module.
    .addHelpText("after", `\n${ownOptions()}\n\n${examples()}`)
    .action(async (words: string[]) => {
      await call(words, context);
    });
}

async function call(words: string[], context: CliContext): Promise<void> {
  const { options } = context;
  const wantsJson = options.json;
  // Set before parsing, so that parse errors are printed as JSON too.
  options.json ||= words.includes("--json") || words.includes("-j");
  const { state } = placeProject({ cwd: context.cwd, configFile: configOption(words) });
  const past = PastScan.ask(state, [context.cwd, options.module ?? "", ...words]);
  // All other words are parsed by the module's signatures.
  const module = await readModule(context, {
    moduleDir: options.module ?? moduleOption(words) ?? (await moduleOfHelp(words, context)),
    configFile: configOption(words),
    trust: words.includes("--trust") ? true : words.includes("--no-trust") ? false : undefined,
    isSilent: words.includes("--silent") || words.includes("-s"),
  });
  for (const warning of options.verbose ? module.warnings : []) context.notice(`warning: ${printable(warning)}`);
  const parsed = parseCall(words, { module, cwd: context.cwd });
  parsed.json ||= wantsJson;
  options.json = parsed.json;
  parsed.verbose ||= options.verbose;
  if (
    parsed.help ||
    (words.length === 0 && parsed.own.every((step) => step.kind === "function" && step.fn.name === ""))
  ) {
    context.print(renderCallHelp(parsed, parsed.toolchain?.module ?? module));
    return;
  }
  checkOutput(parsed, context.cwd);
  const config = await loadConfig({ cwd: context.cwd, file: parsed.config });
  if (!parsed.silent && (options.module ?? moduleOption(words)) !== undefined)
    noteOtherSources(parsed, module, config, context);
  const trust = await requireTrustOfCall(parsed, config, module, context);
  const view = new CallView(context, parsed);
  const session = callSession(parsed, module, context, { config, trust }, view);
  const foreground = await throughDagger(parsed, session, view);
  if (foreground !== undefined) {
    const { cwd, env, signal } = context;
    process.exitCode = await runDaggerCall(foreground, {
      moduleRoot: module.root,
      words: parsed.words,
      cwd,
      env,
      signal,
    });
    return;
  }
  const value = await callWithCache(parsed, { module, config, trust, isTyped: true }, context, session, view, past);
  const exported = writeOutput(parsed, value, parsed.toolchain?.module ?? module, context);
  if (exported !== undefined) {
    context.notice(`Saved to "${path.resolve(context.cwd, exported)}".`);
    return;
  }
  const text = renderResult(value, parsed.returns, parsed.json, parsed.toolchain?.module ?? module);
  // A program gets the value byte for byte; a terminal gets text with a final newline and no control sequences but
  // colors.
  if (context.stdout.isTTY) context.print(text === "" || text.endsWith("\n") ? text : `${text}\n`);
  else context.stdout.write(text);
  process.exitCode = 0;
}

/**
 * A module named with `-m` takes default paths from its own repository. This prints a note, as the user may have meant
 * the project here.
 */
function noteOtherSources({ own }: ParsedCall, module: ModuleInfo, config: LoadedConfig, context: CliContext): void {
  const project = config.path === undefined ? (findGitRoot(context.cwd) ?? context.cwd) : config.root;
  for (const step of own) {
    if (step.kind !== "function") continue;
    for (const argument of step.fn.arguments) {
      if (step.given.some((given) => given.argument === argument)) continue;
      const value = valueOf(argument, step.given, module);
      if (value?.kind !== "directory" || value.path === project) continue;
      const flag = flagName(argument);
      context.notice(
        `note: --${flag} is ${value.path}, not the project here; name it: --${flag} ${path.relative(context.cwd, project) || "."}`,
      );
    }
  }
}

/** Help works anywhere: outside of a project it shows fastloop's own module. */
async function moduleOfHelp(words: readonly string[], { cwd, notice }: CliContext): Promise<string | undefined> {
  const wantsHelp = words.some((word) => word === "--help" || word === "-h");
  if (!wantsHelp) return undefined;
  try {
    await projectModuleFolder({ cwd });
    return undefined;
  } catch {
    notice(
      "no module here or in a folder above; these are the functions that fastloop brings (`fastloop init` sets a project up)\n",
    );
    return ownModule;
  }
}

/**
 * Returns the engine when `dagger call` itself has to run the call: with `--via call`, or for `terminal` on a Dagger
 * engine. Throws when a terminal is needed and none is attached.
 */
async function throughDagger(
  parsed: ParsedCall,
  session: ProjectSession,
  { terminal }: CallView,
): Promise<EngineChoice | undefined> {
  const wantsTerminal = parsed.core.some((step) => step.fn.name === "terminal");
  if (parsed.via !== "call" && !wantsTerminal) return undefined;
  const choice = await session.choice();
  if (parsed.via === "call" || choice.kind.startsWith("dagger-")) return choice;
  if (terminal === undefined) {
    throw new UserError("usage", "no terminal is attached", {
      place: "terminal",
      hint: "run `fastloop call` in one, without --json",
    });
  }
  return undefined;
}
