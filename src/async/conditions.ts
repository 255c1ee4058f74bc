/** Waits for conditions that somebody else brings about, and says so by `check`. */
export class Conditions {
  private waiters: { holds: () => boolean; resolve: () => void }[] = [];

  /** Resolves as soon as it holds: at once, or at a later `check`. */
  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push({ holds, resolve }));
  }

  /** Something has changed: those whose condition holds go on, or all, where nobody should wait any longer. */
  check(all = false): void {
    const due = this.waiters.filter(({ holds }) => all || holds());
    this.waiters = this.waiters.filter((waiter) => !due.includes(waiter));
    for (const { resolve } of due) resolve();
  }
}
