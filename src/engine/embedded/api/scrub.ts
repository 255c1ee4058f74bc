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
    const whole = this.pending + text;
    const held = this.heldLength(whole);
    this.pending = whole.slice(whole.length - held);
    return scrub(whole.slice(0, whole.length - held), this.wanted);
  }

  /** What was held back, at the end of the stream. */
  end(): string {
    const rest = this.pending;
    this.pending = "";
    return scrub(rest, this.wanted);
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
