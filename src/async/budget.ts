/** A limited amount of bytes or threads. Callers wait in order while too little is left. */
export class Budget {
  private left: number;
  private readonly capacity: number;
  private readonly waiting: { amount: number; go: () => void }[] = [];

  constructor(capacity: number) {
    this.capacity = capacity;
    this.left = capacity;
  }

  get isWhole(): boolean {
    return this.left === this.capacity;
  }

  /** Takes an amount, at most the whole capacity; resolves with the function that returns it. Throws when aborted. */
  async take(wanted: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const amount = Math.min(wanted, this.capacity);
    if (this.waiting.length > 0 || amount > this.left) await this.turn(amount, signal);
    else this.left -= amount;
    let isGiven = false;
    return () => {
      if (isGiven) return;
      isGiven = true;
      this.left += amount;
      this.next();
    };
  }

  private turn(amount: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.waiting.splice(this.waiting.indexOf(entry), 1);
        reject(signal.reason as Error);
        this.next();
      };
      const entry = {
        amount,
        go: () => {
          signal.removeEventListener("abort", onAbort);
          this.left -= amount;
          resolve();
        },
      };
      this.waiting.push(entry);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  private next(): void {
    for (let first = this.waiting[0]; first !== undefined && first.amount <= this.left; first = this.waiting[0]) {
      this.waiting.shift();
      first.go();
    }
  }
}
