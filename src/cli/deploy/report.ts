/** How the commands of `deploy:` end: a report on stdout, a summary for GitHub Actions, and the exit code. */
import { appendFileSync } from "node:fs";
import { UserError } from "../../errors/index.ts";
import { outputText } from "../../text/index.ts";
import type { CliContext } from "../context.ts";
import type { DeployReport } from "./call-function.ts";

/** Runs a command, prints its report, and writes the step summary of a GitHub job, also for a failure. */
export async function reporting(
  context: CliContext,
  title: string,
  run: () => Promise<DeployReport>,
): Promise<DeployReport> {
  try {
    const report = await run();
    printReport(context, report);
    writeSummary(context, `### ${title}: done`, report.text);
    return report;
  } catch (error) {
    if (error instanceof UserError)
      writeSummary(context, `### ${title}: failed (exit code ${error.exitCode})`, error.format().split("\n"));
    throw error;
  }
}

export function printReport(context: CliContext, { text, ...data }: DeployReport): void {
  if (context.options.json) return context.printJson(data);
  const published = data.published === undefined ? [] : [`published ${data.published}`];
  context.print([...published, ...text].map((line) => `${line}\n`).join(""));
}

/** Prints a notice when the summary can't be written; that does not fail the deploy. */
function writeSummary({ env, notice }: CliContext, head: string, lines: readonly string[]): void {
  const file = env["GITHUB_STEP_SUMMARY"];
  if (file === undefined || file === "") return;
  const body = outputText(lines.join("\n"));
  // The fence has more back-quotes than any run of them in the text.
  const longest = Math.max(2, ...[...body.matchAll(/`+/g)].map(([quotes]) => quotes.length));
  const fence = "`".repeat(longest + 1);
  try {
    appendFileSync(file, `${head}\n\n${fence}text\n${body}\n${fence}\n`);
  } catch (error) {
    notice(`the step summary can't be written: ${(error as Error).message}`);
  }
}
