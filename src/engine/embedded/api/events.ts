import type { EngineEvent } from "../../types.ts";
import type { StatusUpdate } from "../buildkit/types.ts";
import { internalStepPrefix } from "./compile.ts";
import { StreamScrubber, scrub } from "./scrub.ts";

/** What is kept of an exec's streams for its error, per stream; Dagger's limit. */
const keptOutputChars = 100 * 1024;

interface Step {
  name: string;
  state: "waiting" | "running" | "done";
  startedMs: number;
  scrubbers: Map<string, StreamScrubber>;
  decoders: Map<string, InstanceType<typeof TextDecoder>>;
  kept: { stdout: string; stderr: string };
  /** Resolved when BuildKit reports the end. */
  ended: Promise<void>;
  end: () => void;
}

export interface EventSink {
  emit(event: EngineEvent): void;
  /** Plaintexts that must not be seen in what this exec prints. */
  secretsOf(vertex: string): readonly string[];
}

/**
 * BuildKit's status stream as engine events. A step belongs to the calls whose definition holds its vertex; plumbing is
 * left out.
 */
export class StatusEvents {
  private readonly steps = new Map<string, Step>();
  /** vertex -> calls that wait for it. */
  private readonly waiting = new Map<string, Set<string>>();
  private readonly sink: EventSink;

  constructor(sink: EventSink) {
    this.sink = sink;
  }

  /** Attributes the vertices to a call until the returned function is called. */
  attribute(vertices: readonly string[], callId: string | undefined): () => void {
    if (callId === undefined) return () => {};
    for (const vertex of vertices) {
      let calls = this.waiting.get(vertex);
      if (calls === undefined) this.waiting.set(vertex, (calls = new Set<string>()));
      calls.add(callId);
    }
    return () => {
      for (const vertex of vertices) {
        const calls = this.waiting.get(vertex);
        calls?.delete(callId);
        if (calls?.size === 0) this.waiting.delete(vertex);
      }
    };
  }

  onStatus(update: StatusUpdate): void {
    for (const vertex of update.vertexes) {
      const step = this.step(vertex.digest);
      if (vertex.name !== "") step.name = vertex.name;
      if (vertex.startedMs !== undefined && step.state !== "running" && vertex.completedMs === undefined) this.start(vertex.digest, step, vertex.startedMs);
      if (vertex.completedMs !== undefined && step.state !== "done") {
        if (step.state === "waiting") this.start(vertex.digest, step, vertex.startedMs ?? vertex.completedMs);
        this.flush(vertex.digest, step);
        step.state = "done";
        const { completedMs, error } = vertex;
        this.emit(vertex.digest, step, {
          kind: "step-done",
          step: vertex.digest,
          name: step.name,
          cached: vertex.cached,
          durationMs: Math.max(0, completedMs - step.startedMs),
          ...(error === undefined || error === "" ? {} : { error: scrub(error, this.sink.secretsOf(vertex.digest)) }),
        });
        step.end();
      }
    }
    for (const log of update.logs) this.log(log);
  }

  /** What an exec printed as far as it is known, scrubbed; waits until BuildKit has reported its end. */
  async outputOf(vertex: string, timeoutMs: number): Promise<{ stdout: string; stderr: string }> {
    const step = this.step(vertex);
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      step.ended,
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs);
      }),
    ]);
    clearTimeout(timer);
    return { stdout: tail(step.kept.stdout), stderr: tail(step.kept.stderr) };
  }

  private start(digest: string, step: Step, startedMs: number): void {
    step.state = "running";
    step.startedMs = startedMs;
    step.kept = { stdout: "", stderr: "" };
    const { promise, resolve } = deferred();
    step.ended = promise;
    step.end = resolve;
    this.emit(digest, step, { kind: "step-started", step: digest, name: step.name });
  }

  private log(log: StatusUpdate["logs"][number]): void {
    const step = this.step(log.vertex);
    const secrets = this.sink.secretsOf(log.vertex);
    const decoder = upsert(step.decoders, log.stream, () => new TextDecoder());
    const scrubber = upsert(step.scrubbers, log.stream, () => new StreamScrubber(secrets));
    this.print(log.vertex, step, log.stream, scrubber.push(decoder.decode(log.data, { stream: true })));
  }

  private flush(digest: string, step: Step): void {
    for (const [stream, scrubber] of step.scrubbers) this.print(digest, step, stream as "stdout" | "stderr", scrubber.end());
    step.scrubbers.clear();
    step.decoders.clear();
  }

  private print(digest: string, step: Step, stream: "stdout" | "stderr", text: string): void {
    if (text === "") return;
    step.kept[stream] = (step.kept[stream] + text).slice(-2 * keptOutputChars);
    this.emit(digest, step, { kind: "log", step: digest, stream, text });
  }

  private emit(digest: string, step: Step, event: EngineEvent): void {
    if (step.name.startsWith(internalStepPrefix)) return;
    const calls = this.waiting.get(digest);
    if (calls === undefined) this.sink.emit(event);
    else for (const callId of calls) this.sink.emit({ ...event, callId } as EngineEvent);
  }

  private step(digest: string): Step {
    return upsert(this.steps, digest, () => {
      const { promise, resolve } = deferred();
      return {
        name: "",
        state: "waiting",
        startedMs: 0,
        scrubbers: new Map(),
        decoders: new Map(),
        kept: { stdout: "", stderr: "" },
        ended: promise,
        end: resolve,
      } satisfies Step;
    });
  }
}

function tail(text: string): string {
  if (text.length <= keptOutputChars) return text;
  return `[omitting ${text.length - keptOutputChars} bytes]...${text.slice(-keptOutputChars)}`;
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

function upsert<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
