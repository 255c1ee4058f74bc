import { StreamScrubber } from "./scrub.ts";
import type { Session } from "./session.ts";

/** What is kept of each stream for the error of a service that ends; Dagger's limit. */
const keptChars = 100 * 1024;
const tailLines = 20;

/** Tells reporters of one run of a service: a step of its own that begins with its start and ends with it. */
export class ServiceLog {
  readonly kept = { stdout: "", stderr: "" };
  private combined = "";
  private readonly session: Session;
  private readonly step: string;
  private readonly name: string;
  private readonly startedAt = performance.now();
  private readonly streams: Record<"stdout" | "stderr", { decoder: InstanceType<typeof TextDecoder>; scrubber: StreamScrubber }>;

  /** `secrets`: plaintexts that must not be seen. */
  constructor(session: Session, step: string, name: string, secrets: readonly string[]) {
    this.session = session;
    this.step = step;
    this.name = name;
    const stream = () => ({ decoder: new TextDecoder(), scrubber: new StreamScrubber(secrets) });
    this.streams = { stdout: stream(), stderr: stream() };
    session.emit({ kind: "step-started", step, name });
  }

  write(stream: "stdout" | "stderr", data: Uint8Array): void {
    const { decoder, scrubber } = this.streams[stream];
    this.print(stream, scrubber.push(decoder.decode(data, { stream: true })));
  }

  /** The last lines of both streams in the order of their arrival. */
  tail(): string {
    return this.combined.trimEnd().split("\n").slice(-tailLines).join("\n");
  }

  end(error?: string): void {
    for (const stream of ["stdout", "stderr"] as const) this.print(stream, this.streams[stream].scrubber.end());
    const durationMs = Math.round(performance.now() - this.startedAt);
    this.session.emit({ kind: "step-done", step: this.step, name: this.name, cached: false, durationMs, ...(error === undefined ? {} : { error }) });
  }

  private print(stream: "stdout" | "stderr", text: string): void {
    if (text === "") return;
    this.kept[stream] = (this.kept[stream] + text).slice(-keptChars);
    this.combined = (this.combined + text).slice(-keptChars);
    this.session.emit({ kind: "log", step: this.step, stream, text });
  }
}
