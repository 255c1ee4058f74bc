/** Converts a failed function body to a user error with the body's own stack and the output of a failed exec. */
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import { failureAdvice, scriptOnOneLine, userScript } from "../../text/index.ts";
import type { RuntimeError } from "../runtime/protocol.ts";
import type { ModuleInfo } from "../types.ts";

/** Number of output lines shown of a failed command. */
const shownLines = 20;

/** A body threw, or a container that it started failed; the exit code is that of the failed command. */
export class FunctionError extends UserError {
  readonly frames: readonly string[];
  readonly exec: RuntimeError["exec"];

  constructor(
    error: RuntimeError,
    module: Pick<ModuleInfo, "root" | "sourceDir">,
    /** `place`: location of the function, used if no stack line is in the module (a promise returned, not awaited). */
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

/** Converts a failure of a dependency's function for the body that called it. */
export function runtimeErrorOf(error: unknown): RuntimeError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), frames: [] };
  const exec = error instanceof FunctionError ? error.exec : undefined;
  return { name: "Error", message: error.message, frames: [], ...(exec === undefined ? {} : { exec }) };
}

/** Replaces an engine's `exit code: 7` with one line that names the command; the command's output is shown below it. */
export function execMessage(command: readonly string[], message: string): string {
  const [, code] = /(?:^|did not complete successfully: )exit code: (\d+)\b/.exec(message) ?? [];
  if (code === undefined || command.length === 0) return message;
  const script = userScript(command);
  const line = script === undefined ? command.map(shownWord).join(" ") : scriptOnOneLine(script);
  return `${line.length > 200 ? `${line.slice(0, 200)}…` : line} failed with exit code ${code}`;
}

/** Shows a multi-line script on one line, without its layout. */
function shownWord(word: string): string {
  return /^[\w./:=@,+-]+$/.test(word) ? word : JSON.stringify(scriptOnOneLine(word));
}

/** Returns the last lines of a failed command's stderr, or of its stdout if stderr is empty. */
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

/** Error of a module whose top level threw while it was loaded. */
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
