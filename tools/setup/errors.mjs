/** A failure that the user can do something about: what, why, and what next. */
export class SetupError extends Error {
  constructor(message, { why, next, cause } = {}) {
    super(message, { cause });
    this.why = why;
    this.next = next;
  }

  format() {
    return [
      `setup failed: ${this.message}`,
      this.why && this.why.trimEnd().replace(/^/gm, "    "),
      this.next && `  what to do: ${this.next}`,
    ]
      .filter(Boolean)
      .join("\n");
  }
}
