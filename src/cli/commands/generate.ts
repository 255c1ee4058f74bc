/** `fastloop generate`: runs the module's `@generate` functions and applies their changes to the project. */
import { Option, type Command } from "commander";
import { parseCall, type MarkedFunction } from "../../call/index.ts";
import { loadConfig, type LoadedConfig } from "../../config/index.ts";
import { ExitCode, UserError } from "../../errors/index.ts";
import type { ModuleInfo, ReturnedValue } from "../../module/index.ts";
import { plural } from "../../report/index.ts";
import { printable } from "../../text/index.ts";
import { callSession } from "../call/call-session.ts";
import { CallView } from "../call/call-view.ts";
import { callWithCache } from "../call/call-with-cache.ts";
import { canAsk, confirm } from "../trust/confirm.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { namedGenerators, printMarked } from "../options/marked-functions.ts";
import { requireTrustOfCall } from "../trust/trust.ts";
import { readModule } from "../project-module.ts";

interface GenerateFlags {
  list?: boolean;
  yes?: boolean;
  check?: boolean;
  config?: string;
}

export function register(program: Command, context: CliContext): void {
  program
    .command("generate [name...]")
    .summary("run the module's generators, as `dagger generate` does")
    .description(
      "Run the module's @generate functions, or only the named ones, show which files they change, and apply the changes to the project after confirmation.",
    )
    .addOption(new Option("-l, --list", "list them, and run nothing"))
    .addOption(new Option("-y, --yes", "apply the changes without asking"))
    .addOption(new Option("--check", "apply nothing; exit with 1 if something would change"))
    .addOption(configFileOption())
    .addHelpText(
      "after",
      `
Examples:
  fastloop generate            all generators; asks before it writes anything
  fastloop generate docs -y    one of them, applied at once
  fastloop generate --check    for CI: check that generated files are up to date`,
    )
    .action((names: string[], flags: GenerateFlags) => generate(context, names, flags));
}

interface Generated {
  name: string;
  files: { change: "added" | "changed" | "removed"; path: string }[];
  applied: boolean;
}

async function generate(context: CliContext, names: string[], flags: GenerateFlags): Promise<void> {
  const config = await loadConfig({ cwd: context.cwd, file: flags.config });
  const module = await readModule(context, { config });
  const generators = namedGenerators(module, names);
  const none = "no function of the module is marked @generate";
  if (flags.list === true) return printMarked(context, generators, none);
  if (generators.length === 0) throw new UserError("usage", none, { hint: "mark one that returns a Changeset" });
  const done: Generated[] = [];
  for (const fn of generators) done.push(await one(context, fn, { module, config, flags }));
  const open = done.filter(({ files, applied }) => files.length > 0 && !applied);
  process.exitCode = open.length > 0 ? ExitCode.failed : ExitCode.passed;
  if (context.options.json) return context.printJson({ generators: done });
  if (done.every(({ files }) => files.length === 0)) context.print("everything is as it is generated\n");
}

interface Given {
  module: ModuleInfo;
  config: LoadedConfig;
  flags: GenerateFlags;
}

async function one(context: CliContext, { name, words }: MarkedFunction, given: Given): Promise<Generated> {
  const patch = await call(context, [...words, "as-patch", "contents"], given);
  const files = filesOfPatch(typeof patch === "string" ? patch : "");
  if (files.length === 0) return { name, files, applied: false };
  if (!context.options.json)
    for (const { change, path } of files) context.print(`${change.padEnd(7)}  ${printable(path)}\n`);
  const isAgreed =
    given.flags.check !== true &&
    (given.flags.yes === true ||
      (canAsk(context) && (await confirm(context, `Apply these ${plural(files.length, "change")} of ${name}?`))));
  // Exports to the working folder, as `dagger generate` does.
  if (isAgreed) await call(context, [...words, "export", "--path", context.cwd], given);
  else if (given.flags.check !== true) context.notice(`nothing of ${name} was applied: --yes applies it`);
  return { name, files, applied: isAgreed };
}

async function call(context: CliContext, words: string[], { module, config }: Given): Promise<ReturnedValue> {
  const parsed = parseCall(words, { module, cwd: context.cwd });
  parsed.verbose ||= context.options.verbose;
  parsed.silent ||= context.options.json;
  const trust = await requireTrustOfCall(parsed, config, module, context);
  const view = new CallView(context, parsed);
  return callWithCache(
    parsed,
    { module, config, trust },
    context,
    callSession(parsed, module, context, { config, trust }, view),
    view,
  );
}

/** Returns the files in a patch in git's format. */
export function filesOfPatch(patch: string): Generated["files"] {
  return patch
    .split(/^(?=diff --git )/m)
    .filter((part) => part.startsWith("diff --git "))
    .map((part) => {
      const path = /^diff --git a\/(.*) b\/\1$/m.exec(part)?.[1] ?? /^\+\+\+ b\/(.*)$/m.exec(part)?.[1] ?? "?";
      const change = /^new file mode /m.test(part)
        ? "added"
        : /^deleted file mode /m.test(part)
          ? "removed"
          : "changed";
      return { path, change };
    });
}
