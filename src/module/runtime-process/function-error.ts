/** What a failed function body becomes: a user error with the body's own stack, and a failed exec's output. */
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import { failureAdvice, scriptOnOneLine } from "../../text/index.ts";
import type { RuntimeError } from "../runtime/protocol.ts";
import type { ModuleInfo } from "../types.ts";

/** So many lines of a failed command's output are shown. */
const shownLines = 20;

/** A body threw, or a container it started failed; the exit code is that of the failed command. */
export class FunctionError extends UserError {
  readonly frames: readonly string[];
  readonly exec: RuntimeError["exec"];

  constructor(
    error: RuntimeError,
    module: Pick<ModuleInfo, "root" | "sourceDir">,
    /** `place`: the function's own, where no line of the stack is in the module (a promise returned, not awaited). */
    { place, output = "" }: { place?: string; output?: string } = {},
  ) {
    const frames = error.frames.map((frame) => relativeFrame(frame, module));
    super(
      "function-failed",
      error.exec === undefined ? error.message : execMessage(error.exec.command, error.message),
      {
        place:
          error.place === undefined
            ? (frames[0]?.slice(-1000).match(/\(?([^\s()]+:\d+:\d+)\)?$/)?.[1] ?? place)
            : error.place || undefined,
        detail: detailOf(error, frames, output),
        hint: error.exec === undefined ? undefined : failureAdvice(`${error.exec.stdout}\n${error.exec.stderr}`),
        exitCode: exitCodeOf(error),
      },
    );
    this.frames = frames;
    this.exec = error.exec;
  }

  override toJSON(): Record<string, unknown> {
    return { ...super.toJSON(), frames: this.frames, exec: this.exec };
  }
}

/** A failure of a dependency's function, as the body that called it is told. */
export function runtimeErrorOf(error: unknown): RuntimeError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), frames: [] };
  const exec = error instanceof FunctionError ? error.exec : undefined;
  return { name: "Error", message: error.message, frames: [], ...(exec === undefined ? {} : { exec }) };
}

/** An engine's `exit code: 7` with the command that it was, on one line; what the command wrote is shown below it. */
export function execMessage(command: readonly string[], message: string): string {
  const [, code] = /(?:^|did not complete successfully: )exit code: (\d+)\b/.exec(message) ?? [];
  if (code === undefined || command.length === 0) return message;
  const line = command.map(shownWord).join(" ");
  return `${line.length > 200 ? `${line.slice(0, 200)}…` : line} failed with exit code ${code}`;
}

/** A script of many lines is told by its text, without how it was laid out. */
function shownWord(word: string): string {
  return /^[\w./:=@,+-]+$/.test(word) ? word : JSON.stringify(scriptOnOneLine(word));
}

/** The last lines of what a failed command wrote: its stderr, or its stdout where that is empty. */
export function execOutput({ stdout, stderr }: { stdout: string; stderr: string }): string {
  return lastLines(stderr.trim() === "" ? stdout : stderr);
}

function lastLines(text: string): string {
  return text
    .replace(/^(?:[ \t]*\n)+/, "")
    .trimEnd()
    .split("\n")
    .slice(-shownLines)
    .join("\n");
}

/** The module's top level threw while it was loaded. */
export function moduleBroken(
  error: RuntimeError,
  module: Pick<ModuleInfo, "root" | "sourceDir">,
  output = "",
): UserError {
  const frames = error.frames.map((frame) => relativeFrame(frame, module));
  return new UserError("module", error.message, {
    place: frames[0]?.slice(-1000).match(/\(?([^\s()]+:\d+:\d+)\)?$/)?.[1],
    detail: [output.trim(), ...frames].filter((line) => line !== "").join("\n"),
  });
}

function relativeFrame(frame: string, module: Pick<ModuleInfo, "root" | "sourceDir">): string {
  const prefix = path.relative(module.root, module.sourceDir);
  return prefix === "" ? frame : frame.replace(/(^|[\s(])(src\/)/, `$1${prefix}/$2`);
}

function detailOf(error: RuntimeError, frames: string[], output: string): string {
  const text = error.exec === undefined ? lastLines(output) : execOutput(error.exec);
  return [...(text === "" ? [] : [text]), ...frames].join("\n");
}

function exitCodeOf({ exec }: RuntimeError): number | undefined {
  return exec !== undefined && exec.exitCode > 0 && exec.exitCode < 256 ? exec.exitCode : undefined;
}
