import type { MaskedStream } from "../../text/index.ts";
import { OutputBuffer } from "../solve/output-buffer.ts";
import type { Session } from "../session.ts";

const tailLines = 20;

/** Reports one run of a service as a step, which starts and ends with the run. */
export class ServiceLog {
  private readonly kept = { stdout: new OutputBuffer(), stderr: new OutputBuffer(), combined: new OutputBuffer() };
  private readonly session: Session;
  private readonly step: string;
  private readonly name: string;
  private readonly startedAt = performance.now();
  private readonly streams: Record<
    "stdout" | "stderr",
    { decoder: InstanceType<typeof TextDecoder>; masked: MaskedStream }
  >;

  constructor(session: Session, step: string, name: string) {
    this.session = session;
    this.step = step;
    this.name = name;
    const stream = () => ({ decoder: new TextDecoder(), masked: session.secrets.mask.stream() });
    this.streams = { stdout: stream(), stderr: stream() };
    session.emit({ kind: "step-started", step, name });
  }

  write(stream: "stdout" | "stderr", data: Uint8Array): void {
    const { decoder, masked } = this.streams[stream];
    this.print(stream, masked.push(decoder.decode(data, { stream: true })));
  }

  /** Returns the end of each stream. */
  output(): { stdout: string; stderr: string } {
    return { stdout: this.kept.stdout.tail(), stderr: this.kept.stderr.tail() };
  }

  /** Returns the last lines of both streams, in order of arrival. */
  tail(): string {
    return this.kept.combined.tail().trimEnd().split("\n").slice(-tailLines).join("\n");
  }

  end(error?: string): void {
    for (const stream of ["stdout", "stderr"] as const) this.print(stream, this.streams[stream].masked.end());
    const durationMs = Math.round(performance.now() - this.startedAt);
    this.session.emit({
      kind: "step-done",
      step: this.step,
      name: this.name,
      cached: false,
      durationMs,
      ...(error === undefined ? {} : { error }),
    });
  }

  private print(stream: "stdout" | "stderr", text: string): void {
    if (text === "") return;
    this.kept[stream].push(text);
    this.kept.combined.push(text);
    this.session.emit({ kind: "log", step: this.step, stream, text });
  }
}
