/** Waits for conditions that other code brings about and announces with `check`. */
export class Conditions {
  private waiters: { holds: () => boolean; resolve: () => void }[] = [];

  /** Resolves as soon as `holds` returns true: at once, or at a later `check`. */
  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push({ holds, resolve }));
  }

  /** Resolves the waiters whose condition holds; all of them if `all` is set because waiting has become pointless. */
  check(all = false): void {
    const due = this.waiters.filter(({ holds }) => all || holds());
    this.waiters = this.waiters.filter((waiter) => !due.includes(waiter));
    for (const { resolve } of due) resolve();
  }
}
