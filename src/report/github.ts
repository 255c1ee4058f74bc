import type { FinishedNotice, LoopNotice, LoopSummary } from "../run/index.ts";
import { outputText } from "../text/index.ts";
import { duration, failedTestLines, movedText, testsText } from "./text.ts";

/** Reports by GitHub workflow commands, so that a failure is annotated at its place in the pull request. */
export function githubReporter(write: (line: string) => void): (notice: LoopNotice) => void {
  return (notice) => {
    if (notice.kind === "notice") write(`::notice::${escape(notice.text)}`);
    else if (notice.kind === "broken") write(`::error::${escape(notice.error.format())}`);
    else if (notice.kind === "finished") {
      const tests = testsText(notice);
      const label = `${notice.name} ${notice.outcome} in ${duration(notice.durationMs)}`;
      if (notice.outcome === "passed") return write(tests === undefined ? label : `${label}: ${tests}`);
      // A stale run gets no annotation: it says nothing about the function, and another run follows.
      if (notice.outcome === "stale") return write(`${label}: ${movedText(notice)}`);
      if (!isFailure(notice)) return write(label);
      const [, file, line, column] = /^(.+?):(\d+)(?::(\d+))?$/.exec(notice.error?.place ?? "") ?? [];
      const where =
        file === undefined
          ? ""
          : ` file=${escapeProperty(file)},line=${line}${column === undefined ? "" : `,col=${column}`},`;
      const text = [
        notice.error?.message,
        ...failedTestLines(notice.failedTests),
        notice.error?.detail,
        notice.error?.hint,
      ]
        .filter((part) => part !== undefined)
        .join("\n")
        .trimEnd();
      write(`::error${where}${where === "" ? " " : ""}title=${escapeProperty(label)}::${escape(text)}`);
    }
  };
}

function escape(text: string): string {
  return outputText(text).replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escape(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

/** Reports whether the function failed. A cancelled or stale run says nothing about the current files. */
function isFailure({ outcome }: Pick<FinishedNotice, "outcome">): boolean {
  return outcome === "failed" || outcome === "timed-out";
}

/** Returns JUnit XML of a run, with one test case for each function. */
export function junit(summary: LoopSummary, suite: string): string {
  // A function that is blocked at the end counts as blocked, whatever its own run ended with before.
  const ended = [...summary.results.values()].filter(({ name }) => !summary.blocked.includes(name));
  const cases = ended.map((result) => {
    const open = `  <testcase classname="${xml(suite)}" name="${xml(result.name)}" time="${(result.durationMs / 1000).toFixed(3)}"`;
    if (result.outcome === "passed") return `${open}/>`;
    if (!isFailure(result)) return `${open}><skipped message="${xml(result.outcome)}"/></testcase>`;
    const text = [result.error?.message, result.error?.detail]
      .filter((part) => part !== undefined)
      .join("\n")
      .trimEnd();
    return `${open}>\n    <failure message="${xml(result.outcome)}">${xml(text)}</failure>\n  </testcase>`;
  });
  for (const name of [...summary.blocked, ...summary.current]) {
    cases.push(`  <testcase classname="${xml(suite)}" name="${xml(name)}" time="0"><skipped/></testcase>`);
  }
  const failures = summary.failed.length + summary.timedOut.length;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="${xml(suite)}" tests="${cases.length}" failures="${failures}">\n${cases.join("\n")}\n</testsuite>\n`;
}

function xml(text: string): string {
  // XML allows no control characters, not even escaped ones.
  return text
    .replace(/[^\t\n\r\u0020-\uFFFD]/g, "\uFFFD")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
