/** The one way by which secrets are kept out of texts: logs, names of steps, errors, records. */
import { Needles } from "./needles.ts";
import { encodedForms, isTooShortToMask, plainForms, shortestMasked } from "./secret-forms.ts";

const mask = "***";

/** Stands where a text was cut. */
const ellipsis = "…".charCodeAt(0);

/** Characters of secrets whose encodings are masked too; of more, only they themselves and their lines. */
const encodedChars = 64 * 1024;

/** Masks the secrets that were added: as they are, their lines of four characters or more, and their encodings. */
export class SecretMask {
  /** The larger ones first, each at least twice as large as the next: adding one is cheap, and so is looking for all. */
  private parts: readonly Needles[] = [];
  private readonly known = new Set<string>();
  private readonly short = new Set<string>();
  private encodedLeft = encodedChars;

  private chars = 0;

  constructor(secrets: Iterable<string> = []) {
    for (const secret of secrets) this.add(secret);
  }

  /** Characters of all secrets. */
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
      // A new list: streams that are open see that there is one.
      if (last === undefined || last.size > 2 * needles.size) return void (this.parts = [...parts, needles]);
      parts.pop();
      texts = [...last.texts, ...texts];
    }
  }

  has(secret: string): boolean {
    return this.known.has(secret);
  }

  /** The text with every secret masked, also one that was cut before a `…`. */
  text(text: string): string {
    const stream = new MaskedStream(() => this.parts, true);
    return stream.push(text) + stream.end();
  }

  /** A value of JSON with every text in it masked, names of fields and numbers that are a secret too. */
  value<T>(value: T): T {
    if (typeof value === "string") return this.text(value) as T;
    if (typeof value === "number") return this.text(String(value)) === mask ? (mask as T) : value;
    if (Array.isArray(value)) return value.map((item: unknown) => this.value(item)) as T;
    if (typeof value !== "object" || value === null) return value;
    const fields = Object.entries(value).map(([name, field]) => [this.text(name), this.value(field as unknown)]);
    return Object.fromEntries(fields) as T;
  }

  /** An object with these of its fields masked. */
  fields<T extends object>(value: T, names: readonly string[]): T {
    const own = Object.entries(value).filter(([name]) => names.includes(name));
    return { ...value, ...Object.fromEntries(own.map(([name, field]) => [name, this.value(field as unknown)])) };
  }

  /** For a text that comes in pieces. In what it has not passed on yet it also masks what is added while it is open. */
  stream(): MaskedStream {
    return new MaskedStream(() => this.parts);
  }

  /** Whether there is a secret in a value of JSON, also one that is too short to be masked. */
  isIn(value: unknown): boolean {
    const text = JSON.stringify(value) ?? "";
    if ([...this.short].some((secret) => secret !== "" && text.includes(JSON.stringify(secret).slice(1, -1))))
      return true;
    // Both: a text of JSON has more escapes than the value, and less of what is split over its fields.
    return this.text(text) !== text || (JSON.stringify(this.value(value)) ?? "") !== text;
  }
}

/**
 * Masks a stream piece by piece: an end that could be the beginning of a secret waits for the next piece. Secrets that
 * overlap are masked as one.
 */
export class MaskedStream {
  private readonly known: () => readonly Needles[];
  private readonly mayBeCut: boolean;
  private parts: readonly Needles[] = [];
  /** How far each of the parts has come into one of its texts. */
  private nodes: number[] = [];
  /** What was not passed on yet. */
  private pending = "";
  /** What of it are secrets, in their order. */
  private found: { from: number; to: number }[] = [];

  /**
   * The list of what is `known` is another one when there is more. Of a text that `mayBeCut`, the beginning of a secret
   * before a `…` is one.
   */
  constructor(known: () => readonly Needles[], mayBeCut = false) {
    this.known = known;
    this.mayBeCut = mayBeCut;
  }

  /** What can be passed on. */
  push(text: string): string {
    this.refresh();
    if (this.parts.length === 0 || text === "") return text;
    const read = this.pending.length;
    this.pending += text;
    let begun = 0;
    for (let end = read + 1; end <= this.pending.length; end++) begun = this.read(end);
    // What a longer secret may still become a part of stays.
    const isOver = (found: { to: number }): boolean => found.to <= begun;
    const over = this.found.filter(isOver);
    const open = this.found.filter((found) => !isOver(found));
    const safe = Math.min(begun, open[0]?.from ?? begun);
    const passed = masked(this.pending.slice(0, safe), over);
    this.pending = this.pending.slice(safe);
    this.found = open.map(({ from, to }) => ({ from: from - safe, to: to - safe }));
    return passed;
  }

  /** What was held back, at the end of the stream. */
  end(): string {
    this.refresh();
    const rest = masked(this.pending, this.found);
    this.pending = "";
    this.found = [];
    this.nodes.fill(0);
    return rest;
  }

  /** Looks in what was held back for the secrets that were added since. */
  private refresh(): void {
    if (this.parts === this.known()) return;
    this.parts = this.known();
    this.nodes = this.parts.map(() => 0);
    this.found = [];
    for (let end = 1; end <= this.pending.length; end++) this.read(end);
  }

  /** Takes the character before `end`; returns where what may become a secret begins. */
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

  /** What was read last may be the beginning of a secret whose end was cut off. */
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
