import path from "node:path";
import type { ErrorCode } from "../errors/index.ts";
import type { FinishedNotice, LoopNotice } from "../run/index.ts";
import { outputText, printableLines } from "../text/index.ts";
import {
  causes,
  duration,
  failedTestLines,
  movedText,
  painter,
  plural,
  shortDigest,
  shortName,
  testsText,
  timeOfDay,
} from "./text.ts";

export interface PlainOptions {
  write(line: string): void;
  colors: boolean;
  /** Whether to print steps and output as they happen; otherwise only those of a failure. */
  verbose: boolean;
  /** Folder that paths are shown relative to. */
  cwd: string;
  /** Prints the time of day before each line; set in a watch. */
  clock?: () => Date;
}

/** Writes a line for each event: for logs, pipes and terminals without a view. */
export function plainReporter(options: PlainOptions): (notice: LoopNotice) => void {
  const paint = painter(options.colors);
  const line = (label: string, style: Parameters<typeof paint>[0], text: string): void => {
    const time = options.clock === undefined ? "" : `${paint("dim", timeOfDay(options.clock()))} `;
    options.write(`${time}${paint(style, label.padEnd(9))} ${text}`.trimEnd());
  };

  return (notice) => {
    switch (notice.kind) {
      case "ready": {
        const what = `${plural(notice.targets.length, "function")}, ${plural(notice.files, "path")} in ${plural(notice.folders, "folder")}`;
        return line(
          "watching",
          "bold",
          `${what} (${notice.source === "polling" ? "polling" : "file events"}, ${duration(notice.tookMs)})`,
        );
      }
      case "engine":
        return options.verbose ? line("engine", "dim", `${notice.engine.version}: ${notice.engine.reason}`) : undefined;
      case "waiting":
        return notice.done || notice.waitedMs < toldWaitMs
          ? undefined
          : line("waiting", "dim", `${notice.what}, for ${duration(notice.waitedMs)}`);
      case "planned":
        return options.verbose ? line("planned", "dim", plannedText(notice)) : undefined;
      case "started":
        return line(
          "run",
          "cyan",
          `${notice.name}  ${paint("dim", shortDigest(notice.digest))}  ${causes(notice.reasons)}`,
        );
      case "step":
        if (options.verbose && notice.done) {
          line(
            "step",
            "dim",
            `${notice.name}  ${shortName(notice.step)}${notice.cached ? " (cached)" : ` ${duration(notice.durationMs ?? 0)}`}`,
          );
        }
        return;
      case "output":
        if (options.verbose)
          for (const text of outputText(notice.text).trimEnd().split("\n")) options.write(`  ${notice.name} | ${text}`);
        return;
      case "still-running":
        return line(
          "running",
          "dim",
          `${notice.name}  for ${duration(notice.runningMs)}${notice.step === undefined ? "" : `: ${shortName(notice.step)}`}`,
        );
      case "cancelling":
        return line(
          "cancel",
          "yellow",
          `${notice.name}  ${paint("dim", shortDigest(notice.digest))}  ${cancelCause[notice.why]}`,
        );
      case "finished":
        return finished(notice);
      case "retrying":
        return line(
          "retry",
          "yellow",
          `${notice.name}  attempt ${notice.attempt} of ${notice.of}: ${printableLines(notice.error)}`,
        );
      case "restored":
        return line(
          "current",
          "green",
          `${notice.name}  ${paint("dim", shortDigest(notice.digest))}  as it passed at ${timeOfDay(new Date(notice.endedAtMs))} in ${duration(notice.durationMs)}`,
        );
      case "blocked":
        return line("blocked", "yellow", `${notice.name}  ${notice.need} has not passed`);
      case "settled":
        if (notice.failed.length + notice.blocked.length > 0) {
          return line(
            "waiting",
            "yellow",
            `failed: ${notice.failed.join(", ")}${notice.blocked.length > 0 ? `; blocked: ${notice.blocked.join(", ")}` : ""}`,
          );
        }
        if (notice.parked.length > 0) return line("stale", "yellow", `${notice.parked.join(", ")}: waiting to be run`);
        return line("current", "green", notice.current.join(", "));
      case "notice":
        return line("note", "dim", printableLines(notice.text));
      case "broken":
        line(
          "broken",
          "red",
          brokenText[notice.error.code] ?? "the project cannot be read; waiting for it to be fixed",
        );
        return options.write(indent(notice.error.format()));
      case "recovered":
        return line("fixed", "green", "the project can be read again");
    }
  };

  function finished(notice: FinishedNotice): void {
    const { steps } = notice;
    const tests = testsText(notice);
    const text = [
      notice.name,
      paint("dim", shortDigest(notice.digest)),
      duration(notice.durationMs),
      ...(tests === undefined ? [] : [tests]),
      ...(steps.total > 0 ? [paint("dim", `${plural(steps.total, "step")}, ${steps.cached} cached`)] : []),
    ].join("  ");
    if (notice.outcome === "stale") return line("stale", "yellow", `${text}  ${movedText(notice)}`);
    if (notice.outcome === "passed") return line("passed", "green", text);
    if (notice.outcome === "cancelled") return line("cancelled", "yellow", text);
    line(
      notice.outcome === "timed-out" ? "timed out" : notice.error?.untrusted === true ? "refused" : "failed",
      "red",
      text,
    );
    const { error } = notice;
    if (error !== undefined) {
      const head = printableLines(error.place === undefined ? error.message : `${error.place}: ${error.message}`);
      options.write(
        indent(
          [
            head,
            ...failedTestLines(notice.failedTests),
            error.detail === undefined ? undefined : outputText(error.detail),
            error.hint === undefined ? undefined : `hint: ${error.hint}`,
          ]
            .filter((part) => part !== undefined && part !== "")
            .join("\n"),
        ),
      );
    }
    if (error?.untrusted !== true && notice.logFile !== undefined)
      options.write(indent(`log: ${path.relative(options.cwd, notice.logFile)}`));
  }
}

/** Shorter waits get no line in a log. */
const toldWaitMs = 5000;

const cancelCause = {
  stale: "a newer edit made it stale",
  gone: "it is no target any more",
  stop: "stopping",
  "fail-fast": "another function failed",
  asked: "as you asked",
} as const;

const brokenText: Partial<Record<ErrorCode, string>> = {
  "engine-unavailable": "no engine answers; the next change tries again",
  "engine-unsupported": "this engine cannot run it; the next change tries again",
};

function plannedText(notice: Extract<LoopNotice, { kind: "planned" }>): string {
  const affected =
    notice.affected.length === 0
      ? "nothing affected"
      : `affected: ${notice.affected.map((item) => item.name).join(", ")}`;
  return `${affected} (looked because of ${notice.look}, ${duration(notice.tookMs)})`;
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
}
