/** Masks the secrets given to a call in everything that it reports, while it runs and when it fails. */
import type { EngineEvent, EngineSession } from "../engine/index.ts";
import type { RuntimeLog } from "../module/index.ts";
import { isTooShortToMask, SecretMask, tooShortToMask, type MaskedStream } from "../text/index.ts";

/** Fields of errors that are not shown as text. */
const kept = new Set(["name", "code", "syscall", "errno", "cause", "exitCode"]);

/** Mask of one call. */
export class CallMask {
  private readonly mask = new SecretMask();
  private readonly streams = new Map<string, { masked: MaskedStream; tell: (text: string) => void }>();

  /** Adds a secret of the call. The embedded engine itself reports one that is too short to mask. */
  add(plaintext: string, name: string, { engine }: EngineSession, onNotice: (text: string) => void): void {
    if (engine.kind === "dagger" && isTooShortToMask(plaintext) && plaintext.trim() !== "")
      onNotice(tooShortToMask(name));
    this.mask.add(plaintext);
  }

  /** Passes an event on with masked texts; log text is held back while it may be the beginning of a secret. */
  event(event: EngineEvent, tell: (event: EngineEvent) => void): void {
    if (event.kind === "log")
      return this.piece(`${event.step} ${event.stream}`, event.text, (text) => tell({ ...event, text }));
    if (event.kind === "step-done") this.end(`${event.step} `);
    tell(this.mask.fields(event, ["name", "error", "text"]));
  }

  /** Passes on what a body printed, masked in the same way. */
  log(log: RuntimeLog, tell: (log: RuntimeLog) => void): void {
    this.piece(`body ${log.stream}`, log.text, (text) => tell({ ...log, text }));
  }

  /** Passes on text that was held back: of all streams, or of those whose name starts with `prefix`. */
  end(prefix = ""): void {
    for (const [name, { masked, tell }] of this.streams) {
      if (!name.startsWith(prefix)) continue;
      this.streams.delete(name);
      emitText(masked.end(), tell);
    }
  }

  value<T>(value: T): T {
    return this.mask.value(value);
  }

  /** Reports whether a secret is in a value, plain or encoded. */
  isIn(value: unknown): boolean {
    return this.mask.isIn(value);
  }

  /** Masks an error in place: the message of an engine or a body may contain what it was given. */
  error(error: unknown): unknown {
    const seen = new Set<unknown>();
    for (let at = error; at instanceof Error && !seen.has(at); at = at.cause) {
      seen.add(at);
      for (const [name, own] of Object.entries(Object.getOwnPropertyDescriptors(at)))
        // `defineProperty` returns false for fields that the error's class has made constant, such as zod's list of
        // problems.
        if (!kept.has(name) && isPlain(own.value))
          Reflect.defineProperty(at, name, { ...own, value: this.mask.value(own.value as unknown) });
    }
    return typeof error === "string" ? this.mask.text(error) : error;
  }

  private piece(stream: string, text: string, tell: (text: string) => void): void {
    const masked = this.streams.get(stream)?.masked ?? this.mask.stream();
    this.streams.set(stream, { masked, tell });
    emitText(masked.push(text), tell);
  }
}

function emitText(text: string, tell: (text: string) => void): void {
  if (text !== "") tell(text);
}

function isPlain(value: unknown): boolean {
  if (typeof value === "string" || Array.isArray(value)) return true;
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
