/** `fastloop validate`: checks the configuration, and whether its calls exist. Needs no engine. */
import path from "node:path";
import { Option, type Command } from "commander";
import { findConfig } from "../../config/index.ts";
import { ExitCode, UserError } from "../../errors/index.ts";
import { plural } from "../../report/index.ts";
import {
  annotation,
  catalogue,
  findingText,
  levels,
  validate,
  type Level,
  type Validation,
} from "../../validate/index.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { sayingWait } from "../waiting-line.ts";

interface ValidateFlags {
  level: Level | "all";
  format: "text" | "json" | "github";
  strict?: boolean;
  codes?: boolean;
  config?: string;
}

export function register(program: Command, context: CliContext): void {
  program
    .command("validate")
    .summary("check fastloop.yaml and its calls, without an engine")
    .description(
      "Check fastloop.yaml in three levels: syntax (YAML), structure (keys and values), semantic (references, functions and arguments of watched calls, and likely mistakes). Needs no engine. Every finding has a code; docs/validate.md has an example of each.",
    )
    .addOption(new Option("--level <level>", "levels to check").choices([...levels, "all"]).default("all"))
    .addOption(new Option("--format <kind>", "output format").choices(["text", "json", "github"]).default("text"))
    .addOption(new Option("--strict", "warnings count as errors"))
    .addOption(new Option("--codes", "list the codes and what they mean"))
    .addOption(configFileOption())
    .action((flags: ValidateFlags) => (flags.codes === true ? listCodes(context) : check(context, flags)));
}

async function check(context: CliContext, flags: ValidateFlags): Promise<void> {
  const file = flags.config === undefined ? findConfig(context.cwd) : path.resolve(context.cwd, flags.config);
  if (file === undefined) {
    throw new UserError("config", "there is no fastloop.yaml here or in a folder above", {
      hint: "run `fastloop init` to write one",
    });
  }
  const validation = await sayingWait(
    context,
    "for the module to load",
    validate({
      cwd: context.cwd,
      file,
      moduleDir: context.options.module,
      environment: context.env,
      level: flags.level === "all" ? "semantic" : flags.level,
      onNotice: (text) => context.notice(text),
    }),
  );
  const isBad = validation.findings.some(({ severity }) => severity === "error" || flags.strict === true);
  print(context, flags, validation);
  process.exitCode = isBad ? ExitCode.usage : ExitCode.passed;
}

function print(context: CliContext, { format }: ValidateFlags, { file, findings, tookMs }: Validation): void {
  const errors = findings.filter(({ severity }) => severity === "error");
  const warnings = findings.filter(({ severity }) => severity === "warning");
  const times = Object.fromEntries(Object.entries(tookMs).map(([level, ms]) => [level, Math.round(ms)]));
  const totalMs = Math.round(Object.values(tookMs).reduce((sum, ms) => sum + ms, 0));
  if (context.options.json || format === "json") {
    return context.printJson({
      file,
      valid: errors.length === 0,
      problems: errors,
      warnings,
      levels: times,
      tookMs: totalMs,
    });
  }
  for (const finding of findings)
    context.print(`${format === "github" ? annotation(finding) : findingText(finding)}\n`);
  const result = errors.length === 0 ? "is valid" : `has ${plural(errors.length, "problem")}`;
  const warned = warnings.length === 0 ? "" : `, ${plural(warnings.length, "warning")}`;
  const each = Object.entries(times).map(([level, ms]) => `${level} ${ms}`);
  context.print(`${file} ${result}${warned} (${each.join(", ")} ms)\n`);
}

function listCodes(context: CliContext): void {
  const rows = Object.entries(catalogue);
  if (context.options.json)
    return context.printJson(
      rows.map(([code, { level, severity, title, why }]) => ({ code, level, severity, title, why })),
    );
  const width = Math.max(...rows.map(([code]) => code.length));
  context.print(
    rows.map(([code, { severity, title }]) => `${code.padEnd(width)}  ${severity.padEnd(7)}  ${title}\n`).join(""),
  );
}
