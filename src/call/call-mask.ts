/** What a call tells of itself while it runs and when it fails, without the secrets that it was given. */
import type { EngineEvent, EngineSession } from "../engine/index.ts";
import type { RuntimeLog } from "../module/index.ts";
import { isTooShortToMask, SecretMask, tooShortToMask, type MaskedStream } from "../text/index.ts";

/** Fields of errors that are no texts for people. */
const kept = new Set(["name", "code", "syscall", "errno", "cause", "exitCode"]);

/** One for each call. */
export class CallMask {
  private readonly mask = new SecretMask();
  private readonly streams = new Map<string, { masked: MaskedStream; tell: (text: string) => void }>();

  /** A secret of the call, from here on. The embedded engine tells by itself of one that is too short to mask. */
  add(plaintext: string, name: string, { engine }: EngineSession, onNotice: (text: string) => void): void {
    if (engine.kind === "dagger" && isTooShortToMask(plaintext) && plaintext.trim() !== "")
      onNotice(tooShortToMask(name));
    this.mask.add(plaintext);
  }

  /** Hands the event on, a log once it is known that it ends in no secret. */
  event(event: EngineEvent, tell: (event: EngineEvent) => void): void {
    if (event.kind === "log")
      return this.piece(`${event.step} ${event.stream}`, event.text, (text) => tell({ ...event, text }));
    if (event.kind === "step-done") this.end(`${event.step} `);
    tell(this.mask.fields(event, ["name", "error", "text"]));
  }

  /** Hands on what a body printed, in the same way. */
  log(log: RuntimeLog, tell: (log: RuntimeLog) => void): void {
    this.piece(`body ${log.stream}`, log.text, (text) => tell({ ...log, text }));
  }

  /** Hands on what was held back: of everything, or of streams whose name begins so. */
  end(prefix = ""): void {
    for (const [name, { masked, tell }] of this.streams) {
      if (!name.startsWith(prefix)) continue;
      this.streams.delete(name);
      tellSome(masked.end(), tell);
    }
  }

  value<T>(value: T): T {
    return this.mask.value(value);
  }

  /** Whether a secret is in it, as it is or encoded. */
  isIn(value: unknown): boolean {
    return this.mask.isIn(value);
  }

  /** The same error, as it may be told: what an engine or a body says of a failure may hold what it was given. */
  error(error: unknown): unknown {
    const seen = new Set<unknown>();
    for (let at = error; at instanceof Error && !seen.has(at); at = at.cause) {
      seen.add(at);
      for (const [name, own] of Object.entries(Object.getOwnPropertyDescriptors(at)))
        // False for what the error's class has made constant, such as zod's list of problems.
        if (!kept.has(name) && isPlain(own.value))
          Reflect.defineProperty(at, name, { ...own, value: this.mask.value(own.value as unknown) });
    }
    return typeof error === "string" ? this.mask.text(error) : error;
  }

  private piece(stream: string, text: string, tell: (text: string) => void): void {
    const masked = this.streams.get(stream)?.masked ?? this.mask.stream();
    this.streams.set(stream, { masked, tell });
    tellSome(masked.push(text), tell);
  }
}

function tellSome(text: string, tell: (text: string) => void): void {
  if (text !== "") tell(text);
}

function isPlain(value: unknown): boolean {
  if (typeof value === "string" || Array.isArray(value)) return true;
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
