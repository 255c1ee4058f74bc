import type { MaskedStream, SecretMask } from "../../text/index.ts";
import type { EngineEvent } from "../types.ts";
import type { StatusUpdate } from "../../buildkit/types.ts";
import { internalStepPrefix } from "./compile.ts";
import { KeptOutput } from "./kept-output.ts";

/** BuildKit's step in which it reads a shared cache, once for every solve. */
const cacheImportPrefix = "importing cache manifest from ";

interface Step {
  name: string;
  /** The solve that tells about the step: several solves of a request may share it, each is told everything. */
  teller: symbol | undefined;
  state: "waiting" | "running" | "done";
  startedMs: number;
  masked: Map<string, MaskedStream>;
  decoders: Map<string, InstanceType<typeof TextDecoder>>;
  kept: { stdout: KeptOutput; stderr: KeptOutput };
}

export interface EventSink {
  emit(event: EngineEvent): void;
  /** What must not be seen in logs. */
  readonly mask: SecretMask;
}

/** Calls whose steps are remembered; of an older one a step may be told again. */
const rememberedCalls = 256;

/**
 * Which request tells of a step, for each call: the body of one function asks for a result's parts in requests of their own
 * (`stdout` and `stderr`), and BuildKit tells each of them everything.
 */
export class CallTellers {
  private readonly calls = new Map<string, Map<string, CallEvents>>();

  /** Whether this request is the one; who asks first is, until it has ended and the step has not. */
  tells(callId: string, step: string, request: CallEvents): boolean {
    const steps = upsert(this.calls, callId, () => new Map<string, CallEvents>());
    const [oldest] = this.calls.size > rememberedCalls ? this.calls.keys() : [];
    if (oldest !== undefined) this.calls.delete(oldest);
    return upsert(steps, step, () => request) === request;
  }

  /** The step goes on in another request. */
  release(callId: string, step: string, request: CallEvents): void {
    const steps = this.calls.get(callId);
    if (steps?.get(step) === request) steps.delete(step);
  }
}

/** BuildKit's account of the solves of one request as engine events. Plumbing is left out. */
export class CallEvents {
  private readonly steps = new Map<string, Step>();
  private ended = false;
  private readonly sink: EventSink;
  private readonly callId: string | undefined;
  private readonly tellers: CallTellers;

  constructor(sink: EventSink, callId: string | undefined, tellers = new CallTellers()) {
    this.sink = sink;
    this.callId = callId;
    this.tellers = tellers;
  }

  /** What one solve of the request reports to. */
  solveListener(): (update: StatusUpdate) => void {
    const teller = Symbol("solve");
    return (update) => {
      for (const vertex of update.vertexes) if (this.tells(teller, vertex.digest)) this.vertex(vertex);
      for (const log of update.logs) if (this.tells(teller, log.vertex)) this.log(log);
    };
  }

  private tells(teller: symbol, digest: string): boolean {
    const step = this.step(digest);
    return (step.teller ??= teller) === teller;
  }

  /** Steps of a result that the session still holds: nobody asked BuildKit. */
  reused(steps: readonly { digest: string; name: string }[]): void {
    for (const { digest, name } of steps) {
      if (this.steps.has(digest)) continue;
      this.steps.set(digest, { ...this.step(digest), name, state: "done" });
      this.emit(name, { kind: "step-started", step: digest, name });
      this.emit(name, { kind: "step-done", step: digest, name, cached: true, durationMs: 0 });
    }
  }

  /** Whether a step has begun and not ended, as far as BuildKit has told. */
  isRunning(digest: string): boolean {
    return this.steps.get(digest)?.state === "running";
  }

  /** The end of what an exec printed, masked; without what is held back, of which more may come. */
  outputOf(vertex: string): { stdout: string; stderr: string } {
    const { kept } = this.step(vertex);
    return { stdout: kept.stdout.tail(), stderr: kept.stderr.tail() };
  }

  /** A line of ours behind what a step printed. */
  tellOf(vertex: string, line: string): void {
    const { name } = this.step(vertex);
    this.emit(name, { kind: "log", step: vertex, stream: "stderr", text: `${line}\n` });
  }

  /**
   * Tells what was held back because it could be the beginning of a secret. Not when its step is done: pieces of the log
   * may come later, and the secret's end with them.
   */
  end(): void {
    this.ended = true;
    for (const [digest, step] of this.steps) {
      this.flush(digest, step);
      if (this.callId !== undefined && step.state !== "done") this.tellers.release(this.callId, digest, this);
    }
  }

  private vertex(vertex: StatusUpdate["vertexes"][number]): void {
    const { digest, startedMs, completedMs, error } = vertex;
    const step = this.step(digest);
    if (vertex.name !== "") step.name = vertex.name;
    if (step.state === "waiting" && (startedMs ?? completedMs) !== undefined) {
      step.state = "running";
      step.startedMs = startedMs ?? completedMs ?? 0;
      this.emit(step.name, { kind: "step-started", step: digest, name: step.name });
    }
    if (completedMs === undefined || step.state === "done") return;
    // Sources complete more than once: first when their key is known, then when they were fetched.
    step.state = "done";
    this.emit(step.name, {
      kind: "step-done",
      step: digest,
      name: step.name,
      cached: vertex.cached,
      durationMs: Math.max(0, Math.round(completedMs - step.startedMs)),
      ...(error === undefined || error === "" ? {} : { error }),
    });
  }

  private log({ vertex, stream, data }: StatusUpdate["logs"][number]): void {
    // The beginning of a secret may have been told by now: its end must not follow.
    if (this.ended) return;
    const step = this.step(vertex);
    const decoder = upsert(step.decoders, stream, () => new TextDecoder());
    const masked = upsert(step.masked, stream, () => this.sink.mask.stream());
    this.print(vertex, step, stream, masked.push(decoder.decode(data, { stream: true })));
  }

  private flush(digest: string, step: Step): void {
    for (const [stream, masked] of step.masked) this.print(digest, step, stream as "stdout" | "stderr", masked.end());
    step.masked.clear();
    step.decoders.clear();
  }

  private print(digest: string, step: Step, stream: "stdout" | "stderr", text: string): void {
    if (text === "") return;
    step.kept[stream].push(text);
    this.emit(step.name, { kind: "log", step: digest, stream, text });
  }

  private emit(name: string, event: EngineEvent): void {
    if (name.startsWith(internalStepPrefix) || name.startsWith(cacheImportPrefix)) return;
    if (this.callId !== undefined && "step" in event && !this.tellers.tells(this.callId, event.step, this)) return;
    this.sink.emit(this.callId === undefined ? event : ({ ...event, callId: this.callId } as EngineEvent));
  }

  private step(digest: string): Step {
    return upsert(this.steps, digest, () => ({
      name: "",
      teller: undefined,
      state: "waiting",
      startedMs: 0,
      masked: new Map<string, MaskedStream>(),
      decoders: new Map<string, InstanceType<typeof TextDecoder>>(),
      kept: { stdout: new KeptOutput(), stderr: new KeptOutput() },
    }));
  }
}

function upsert<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
