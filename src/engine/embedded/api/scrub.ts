const mask = "***";

/** Replaces every secret in a text, the longest first, as Dagger does: as it is and trimmed. */
export function scrub(text: string, secrets: readonly string[]): string {
  let result = text;
  for (const needle of needles(secrets)) result = result.replaceAll(needle, mask);
  return result;
}

/** Scrubs a stream piece by piece: an end that could be the beginning of a secret waits for the next piece. */
export class StreamScrubber {
  private readonly wanted: readonly string[];
  private pending = "";

  constructor(secrets: readonly string[]) {
    this.wanted = needles(secrets);
  }

  push(text: string): string {
    if (this.wanted.length === 0) return text;
    let rest = this.pending + text;
    let passed = "";
    for (let found = this.first(rest); found !== undefined; found = this.first(rest)) {
      const { start, needle } = found;
      if (this.mayBecomeLonger(rest.slice(start))) {
        this.pending = rest.slice(start);
        return passed + rest.slice(0, start);
      }
      passed += rest.slice(0, start) + mask;
      rest = rest.slice(start + needle.length);
    }
    const held = this.heldLength(rest);
    this.pending = rest.slice(rest.length - held);
    return passed + rest.slice(0, rest.length - held);
  }

  /** What was held back, at the end of the stream. */
  end(): string {
    const rest = this.pending;
    this.pending = "";
    return scrub(rest, this.wanted);
  }

  /** The earliest secret, the longest of those that start there. */
  private first(text: string): { start: number; needle: string } | undefined {
    let found: { start: number; needle: string } | undefined;
    for (const needle of this.wanted) {
      const start = text.indexOf(needle);
      if (start >= 0 && (found === undefined || start < found.start)) found = { start, needle };
    }
    return found;
  }

  /** Whether the text may be the beginning of a longer secret than the one that it starts with. */
  private mayBecomeLonger(text: string): boolean {
    return this.wanted.some((other) => other.length > text.length && other.startsWith(text));
  }

  /** Length of the longest end that begins a secret without completing it. */
  private heldLength(text: string): number {
    let held = 0;
    for (const needle of this.wanted) {
      for (let length = Math.min(needle.length - 1, text.length); length > held; length--) {
        if (text.endsWith(needle.slice(0, length))) held = length;
      }
    }
    return held;
  }
}

function needles(secrets: readonly string[]): string[] {
  const texts = new Set(secrets.flatMap((secret) => [secret, secret.trim()]));
  texts.delete("");
  return [...texts].toSorted((a, b) => b.length - a.length);
}
