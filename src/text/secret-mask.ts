/** Masks secrets in all texts: logs, names of steps, errors, records. */
import { Needles } from "./needles.ts";
import { encodedForms, isTooShortToMask, plainForms, shortestMasked } from "./secret-forms.ts";

const mask = "***";

/** Marks the place where a text was cut. */
const ellipsis = "…".charCodeAt(0);

/** Up to this many characters of secrets are masked in encodings too; for more, only the secrets and their lines. */
const encodedChars = 64 * 1024;

/** Masks the added secrets: whole, by lines of four characters or more, and in encodings. */
export class SecretMask {
  /**
   * Largest first, each more than twice as large as the next, so that adding a secret and searching for all are cheap.
   */
  private parts: readonly Needles[] = [];
  private readonly known = new Set<string>();
  private readonly short = new Set<string>();
  private encodedLeft = encodedChars;

  private chars = 0;

  constructor(secrets: Iterable<string> = []) {
    for (const secret of secrets) this.add(secret);
  }

  /** Total length of all secrets, in characters. */
  get size(): number {
    return this.chars;
  }

  add(secret: string): void {
    if (this.known.has(secret)) return;
    this.known.add(secret);
    this.chars += secret.length;
    if (isTooShortToMask(secret)) return void this.short.add(secret.trim());
    const withEncodings = secret.length <= this.encodedLeft;
    if (withEncodings) this.encodedLeft -= secret.length;
    let texts = [...plainForms(secret), ...(withEncodings ? encodedForms(secret) : [])];
    const parts = [...this.parts];
    for (;;) {
      const needles = new Needles(texts);
      const last = parts.at(-1);
      // Assigns a new array, so that open streams notice the change.
      if (last === undefined || last.size > 2 * needles.size) return void (this.parts = [...parts, needles]);
      parts.pop();
      texts = [...last.texts, ...texts];
    }
  }

  has(secret: string): boolean {
    return this.known.has(secret);
  }

  /** Masks every secret in a text, including one that was cut before a `…`. */
  text(text: string): string {
    const stream = new MaskedStream(() => this.parts, true);
    return stream.push(text) + stream.end();
  }

  /** Masks every string in a JSON value, including field names, and numbers that are secrets. */
  value<T>(value: T): T {
    if (typeof value === "string") return this.text(value) as T;
    if (typeof value === "number") return this.text(String(value)) === mask ? (mask as T) : value;
    if (Array.isArray(value)) return value.map((item: unknown) => this.value(item)) as T;
    if (typeof value !== "object" || value === null) return value;
    const fields = Object.entries(value).map(([name, field]) => [this.text(name), this.value(field as unknown)]);
    return Object.fromEntries(fields) as T;
  }

  /** Masks only these fields of an object. */
  fields<T extends object>(value: T, names: readonly string[]): T {
    const own = Object.entries(value).filter(([name]) => names.includes(name));
    return { ...value, ...Object.fromEntries(own.map(([name, field]) => [name, this.value(field as unknown)])) };
  }

  /**
   * Masks text that arrives in pieces. Secrets added while the stream is open are masked in the text it still holds.
   */
  stream(): MaskedStream {
    return new MaskedStream(() => this.parts);
  }

  /** Reports whether a JSON value contains a secret, even one that is too short to be masked. */
  isIn(value: unknown): boolean {
    const text = JSON.stringify(value) ?? "";
    if ([...this.short].some((secret) => secret !== "" && text.includes(JSON.stringify(secret).slice(1, -1))))
      return true;
    // Checks both: JSON text has more escapes than the value, and less of a secret split over fields.
    return this.text(text) !== text || (JSON.stringify(this.value(value)) ?? "") !== text;
  }
}

/**
 * Masks a stream piece by piece. An end that may be the beginning of a secret is held back until the next piece.
 * Overlapping secrets are masked as one.
 */
export class MaskedStream {
  private readonly known: () => readonly Needles[];
  private readonly mayBeCut: boolean;
  private parts: readonly Needles[] = [];
  /** State of each part: how far the text has progressed into one of its secrets. */
  private nodes: number[] = [];
  /** Text that is held back. */
  private pending = "";
  /** Secrets in the held-back text, in order. */
  private found: { from: number; to: number }[] = [];

  /**
   * `known` returns another list when there are more secrets. With `mayBeCut`, the beginning of a secret before a `…`
   * counts as one.
   */
  constructor(known: () => readonly Needles[], mayBeCut = false) {
    this.known = known;
    this.mayBeCut = mayBeCut;
  }

  /** Returns the text that can be passed on. */
  push(text: string): string {
    this.refresh();
    if (this.parts.length === 0 || text === "") return text;
    const read = this.pending.length;
    this.pending += text;
    let begun = 0;
    for (let end = read + 1; end <= this.pending.length; end++) begun = this.read(end);
    // Keeps what may become part of a longer secret.
    const isOver = (found: { to: number }): boolean => found.to <= begun;
    const over = this.found.filter(isOver);
    const open = this.found.filter((found) => !isOver(found));
    const safe = Math.min(begun, open[0]?.from ?? begun);
    const passed = masked(this.pending.slice(0, safe), over);
    this.pending = this.pending.slice(safe);
    this.found = open.map(({ from, to }) => ({ from: from - safe, to: to - safe }));
    return passed;
  }

  /** Returns the held-back text at the end of the stream. */
  end(): string {
    this.refresh();
    const rest = masked(this.pending, this.found);
    this.pending = "";
    this.found = [];
    this.nodes.fill(0);
    return rest;
  }

  /** Searches the held-back text for secrets that were added since. */
  private refresh(): void {
    if (this.parts === this.known()) return;
    this.parts = this.known();
    this.nodes = this.parts.map(() => 0);
    this.found = [];
    for (let end = 1; end <= this.pending.length; end++) this.read(end);
  }

  /** Reads the character before `end`; returns where a possible secret begins. */
  private read(end: number): number {
    const code = this.pending.charCodeAt(end - 1);
    if (this.mayBeCut && code === ellipsis) this.noteCut(end - 1);
    let begun = end;
    for (let index = 0; index < this.parts.length; index++) {
      const part = this.parts[index]!;
      const node = part.step(this.nodes[index]!, code);
      this.nodes[index] = node;
      if (node === 0) continue;
      begun = Math.min(begun, end - part.depth[node]!);
      const length = part.longest[node]!;
      if (length > 0) this.note(end - length, end);
    }
    return begun;
  }

  /** Marks text that may be the beginning of a secret whose end was cut off. */
  private noteCut(end: number): void {
    const length = Math.max(0, ...this.parts.map(({ depth }, index) => depth[this.nodes[index]!]!));
    if (length >= shortestMasked) this.note(end - length, end);
  }

  private note(start: number, to: number): void {
    let from = start;
    for (let last = this.found.at(-1); last !== undefined && last.to > from; last = this.found.at(-1)) {
      from = Math.min(from, last.from);
      this.found.pop();
    }
    this.found.push({ from, to });
  }
}

function masked(text: string, secrets: readonly { from: number; to: number }[]): string {
  let result = "";
  let end = 0;
  for (const { from, to } of secrets) {
    result += text.slice(end, from) + mask;
    end = to;
  }
  return result + text.slice(end);
}
