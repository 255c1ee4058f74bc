/** `fastloop validate`: is the configuration right, and do its calls exist? Needs no engine. */
import path from "node:path";
import { Option, type Command } from "commander";
import { checkConfigFile, findConfig, unreadable, type ConfigProblem } from "../../config/index.ts";
import { ExitCode, UserError } from "../../errors/index.ts";
import type { CliContext } from "../context.ts";
import type { CallProblem } from "../validate-calls.ts";
import { sayingWait } from "../waiting-line.ts";

const levels = ["syntax", "structure", "semantic"] as const;
type Level = (typeof levels)[number];

interface ValidateFlags {
  level: Level | "all";
  format: "text" | "json" | "github";
  config?: string;
}

/** A problem as it is printed: `place` is `file:line:column`, or the module's. */
interface Shown {
  level: Level;
  file?: string;
  line?: number;
  column?: number;
  place: string;
  message: string;
  hint?: string;
}

export function register(program: Command, context: CliContext): void {
  program
    .command("validate")
    .summary("check fastloop.yaml and its calls, without an engine")
    .description(
      "Check fastloop.yaml in three levels: syntax (YAML), structure (keys and values), semantic (references, and whether the module has the functions and arguments that the watched calls name). Needs no engine.",
    )
    .addOption(new Option("--level <level>", "how deep to look").choices([...levels, "all"]).default("all"))
    .addOption(new Option("--format <kind>", "how to tell").choices(["text", "json", "github"]).default("text"))
    .addOption(new Option("--config <file>", "configuration (default: the nearest fastloop.yaml upwards)"))
    .action((flags: ValidateFlags) => validate(context, flags));
}

async function validate(context: CliContext, flags: ValidateFlags): Promise<void> {
  const startedMs = performance.now();
  const wanted = levels.slice(0, flags.level === "all" ? levels.length : levels.indexOf(flags.level) + 1);
  const file = flags.config === undefined ? findConfig(context.cwd) : path.resolve(context.cwd, flags.config);
  if (file === undefined) {
    throw new UserError("config", "there is no fastloop.yaml here or in a folder above", {
      hint: "run `fastloop init` to write one",
    });
  }
  const check = await checkConfigFile(file).catch((cause: unknown) => {
    throw unreadable(path.relative(context.cwd, file) || file, cause);
  });
  const name = path.relative(context.cwd, file) || file;
  const shown = check.problems
    .filter((problem) => wanted.includes(problem.level))
    .map((problem) => inFile(problem, name));
  if (check.problems.length === 0 && wanted.includes("semantic"))
    shown.push(...(await callProblemsIn(context, file, name)));
  const advice = shown.length === 0 && wanted.includes("semantic") ? await adviceIn(context, file, name) : [];
  print(context, flags, name, shown, advice, performance.now() - startedMs);
  process.exitCode = shown.length > 0 ? ExitCode.usage : ExitCode.passed;
}

const inFile = ({ line, column, level, message, hint }: ConfigProblem, file: string): Shown => ({
  level,
  file,
  line,
  column,
  place: `${file}:${line}:${column}`,
  message,
  hint,
});

/** Every problem of every call, or what keeps the module from being read. */
async function callProblemsIn(context: CliContext, file: string, name: string): Promise<Shown[]> {
  const { callProblems } = await import("../validate-calls.ts");
  try {
    const problems = await sayingWait(context, "for the module to be read", callProblems(context, file));
    return problems.map((problem) => asShown(problem, name));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [{ level: "semantic", place: error.place ?? name, message: error.message, hint: error.hint }];
  }
}

/** Nothing of it makes the configuration invalid. */
async function adviceIn(context: CliContext, file: string, name: string): Promise<Shown[]> {
  const { callAdvice } = await import("../validate-calls.ts");
  return (await callAdvice(context, file)).map((advice) => asShown(advice, name));
}

function asShown({ line, column, place, message, hint }: CallProblem, name: string): Shown {
  if (line === undefined || column === undefined) return { level: "semantic", place, message, hint };
  return { level: "semantic", file: name, line, column, place: `${name}:${line}:${column}`, message, hint };
}

function print(
  context: CliContext,
  flags: ValidateFlags,
  file: string,
  problems: readonly Shown[],
  advice: readonly Shown[],
  tookMs: number,
): void {
  const write = (text: string): void => context.print(`${text}\n`);
  if (context.options.json || flags.format === "json") {
    return context.printJson({
      file,
      valid: problems.length === 0,
      problems,
      warnings: advice,
      tookMs: Math.round(tookMs),
    });
  }
  for (const problem of problems) {
    if (flags.format === "github") write(asAnnotation(problem));
    else
      write(
        [`${problem.place}: ${problem.message}`, problem.hint === undefined ? [] : `  hint: ${problem.hint}`]
          .flat()
          .join("\n"),
      );
  }
  for (const warning of advice)
    write(
      flags.format === "github" ? asAnnotation(warning, "warning") : `${warning.place}: warning: ${warning.message}`,
    );
  const verdict =
    problems.length === 0 ? "is valid" : `has ${problems.length} problem${problems.length === 1 ? "" : "s"}`;
  write(`${file} ${verdict} (${Math.round(tookMs)} ms)`);
}

/** A workflow command of GitHub: shown at the line of the pull request. */
function asAnnotation({ file, line, column, message, hint }: Shown, level: "error" | "warning" = "error"): string {
  const properties = [
    `file=${file ?? "fastloop.yaml"}`,
    line === undefined ? [] : `line=${line}`,
    column === undefined ? [] : `col=${column}`,
  ].flat();
  const text = hint === undefined ? message : `${message} (${hint})`;
  return `::${level} ${properties.join(",")}::${text.replaceAll("%", "%25").replaceAll("\n", "%0A")}`;
}
