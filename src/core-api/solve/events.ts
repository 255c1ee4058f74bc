import type { MaskedStream, SecretMask } from "../../text/index.ts";
import type { EngineEvent } from "../types.ts";
import type { StatusUpdate } from "../../buildkit/types.ts";
import { internalStepPrefix } from "./compile.ts";
import { OutputBuffer } from "./output-buffer.ts";

/** Name of the step in which BuildKit reads a shared cache; every solve has one. */
const cacheImportPrefix = "importing cache manifest from ";

interface Step {
  name: string;
  /** The solve that reports the step. Several solves of a request may share a step, and BuildKit reports it to each. */
  teller: symbol | undefined;
  state: "waiting" | "running" | "done";
  startedMs: number;
  masked: Map<string, MaskedStream>;
  decoders: Map<string, InstanceType<typeof TextDecoder>>;
  kept: { stdout: OutputBuffer; stderr: OutputBuffer };
}

export interface EventSink {
  emit(event: EngineEvent): void;
  /** Mask for secrets in logs. */
  readonly mask: SecretMask;
}

/** Number of calls whose steps are remembered. Steps of older calls may be reported again. */
const rememberedCalls = 256;

/**
 * Decides, for each call, which request reports a step. A function body reads parts of one result with separate
 * requests (`stdout` and `stderr`), and BuildKit reports everything to each.
 */
export class StepClaims {
  private readonly calls = new Map<string, Map<string, CallEvents>>();

  /**
   * Returns whether this request reports the step. The first request to ask does, until it ends before the step has.
   */
  claim(callId: string, step: string, request: CallEvents): boolean {
    const steps = upsert(this.calls, callId, () => new Map<string, CallEvents>());
    const [oldest] = this.calls.size > rememberedCalls ? this.calls.keys() : [];
    if (oldest !== undefined) this.calls.delete(oldest);
    return upsert(steps, step, () => request) === request;
  }

  /** Lets another request report the rest of the step. */
  release(callId: string, step: string, request: CallEvents): void {
    const steps = this.calls.get(callId);
    if (steps?.get(step) === request) steps.delete(step);
  }
}

/** Translates BuildKit's status of one request's solves into engine events. Internal steps are left out. */
export class CallEvents {
  private readonly steps = new Map<string, Step>();
  private ended = false;
  private readonly sink: EventSink;
  private readonly callId: string | undefined;
  private readonly stepClaims: StepClaims;

  constructor(sink: EventSink, callId: string | undefined, stepClaims = new StepClaims()) {
    this.sink = sink;
    this.callId = callId;
    this.stepClaims = stepClaims;
  }

  /** Returns the listener for the status of one solve. */
  solveListener(): (update: StatusUpdate) => void {
    const teller = Symbol("solve");
    return (update) => {
      for (const vertex of update.vertexes) if (this.claims(teller, vertex.digest)) this.vertex(vertex);
      for (const log of update.logs) if (this.claims(teller, log.vertex)) this.log(log);
    };
  }

  private claims(teller: symbol, digest: string): boolean {
    const step = this.step(digest);
    return (step.teller ??= teller) === teller;
  }

  /** Reports steps of a result that the session still holds, for which BuildKit was not asked. */
  reused(steps: readonly { digest: string; name: string }[]): void {
    for (const { digest, name } of steps) {
      if (this.steps.has(digest)) continue;
      this.steps.set(digest, { ...this.step(digest), name, state: "done" });
      this.emit(name, { kind: "step-started", step: digest, name });
      this.emit(name, { kind: "step-done", step: digest, name, cached: true, durationMs: 0 });
    }
  }

  /** Reports whether a step is running according to BuildKit's status so far. */
  isRunning(digest: string): boolean {
    return this.steps.get(digest)?.state === "running";
  }

  /**
   * Returns the masked end of an exec's output, without text that is held back because it could be the start of a
   * secret.
   */
  outputOf(vertex: string): { stdout: string; stderr: string } {
    const { kept } = this.step(vertex);
    return { stdout: kept.stdout.tail(), stderr: kept.stderr.tail() };
  }

  /** Appends a line of fastloop's own to a step's output. */
  logOf(vertex: string, line: string): void {
    const { name } = this.step(vertex);
    this.emit(name, { kind: "log", step: vertex, stream: "stderr", text: `${line}\n` });
  }

  /**
   * Reports the text that was held back because it could be the start of a secret. This must not happen when the step
   * completes, because its log may still get pieces, including the secret's end.
   */
  end(): void {
    this.ended = true;
    for (const [digest, step] of this.steps) {
      this.flush(digest, step);
      if (this.callId !== undefined && step.state !== "done") this.stepClaims.release(this.callId, digest, this);
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
    // The start of a secret may have been printed by `end`, so its rest must not follow.
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
    if (this.callId !== undefined && "step" in event && !this.stepClaims.claim(this.callId, event.step, this)) return;
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
      kept: { stdout: new OutputBuffer(), stderr: new OutputBuffer() },
    }));
  }
}

function upsert<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
