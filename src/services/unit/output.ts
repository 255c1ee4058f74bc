/** Output of a service: writes whole lines to its log and to listeners, and keeps the last ones for error messages. */
import { failureOf } from "../../engine/index.ts";
import { UserError } from "../../errors/index.ts";
import type { UpListener } from "../types.ts";
import { LastLines } from "./last-lines.ts";
import { LineBuffer } from "./line-buffer.ts";
import { LogFile } from "./log-file.ts";

export class Output {
  readonly tail = new LastLines();
  private readonly name: string;
  private readonly emit: UpListener;
  private readonly log: LogFile | undefined;
  private readonly lines = new LineBuffer();

  constructor(name: string, logFile: string | undefined, emit: UpListener) {
    this.name = name;
    this.emit = emit;
    if (logFile !== undefined) this.log = new LogFile(logFile);
  }

  push(stream: "stdout" | "stderr", text: string): void {
    for (const line of this.lines.push(stream, text)) this.line(stream, line);
  }

  /** Reports an unfinished last line. */
  flush(): void {
    for (const { stream, text } of this.lines.rest()) this.line(stream as "stdout", text);
  }

  /** Returns why a service failed, for messages. Throws errors that are not a `UserError`. */
  reasonOf(error: unknown): string {
    const failure = failureOf(error);
    if (!(failure instanceof UserError)) throw failure;
    const { message, detail } = failure;
    return detail === undefined ? this.tail.below(message) : `${message}\n${detail}`;
  }

  close(): void {
    this.flush();
    this.log?.close();
  }

  private line(stream: "stdout" | "stderr", text: string): void {
    this.log?.write(text);
    this.tail.push(text);
    this.emit({ kind: "log", name: this.name, stream, text });
  }
}
