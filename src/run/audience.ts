import type { LoopListener, LoopNotice } from "./events.ts";
import type { LoopState } from "./machine/state.ts";

/** Listeners of a loop: to its notices, and to its state. */
export class Audience {
  private readonly state: () => LoopState;
  private readonly listeners = new Set<LoopListener>();
  private readonly stateListeners = new Set<(state: LoopState) => void>();
  private readonly noticed = new Set<string>();
  /** Notices sent before the first listener subscribed; the first listener receives them. */
  private early: LoopNotice[] = [];

  constructor(state: () => LoopState) {
    this.state = state;
  }

  /** Subscribes to notices; returns the function that unsubscribes. */
  on(listener: LoopListener): () => void {
    this.listeners.add(listener);
    for (const notice of this.early.splice(0)) listener(notice, this.state());
    return () => this.listeners.delete(listener);
  }

  onState(listener: (state: LoopState) => void): () => void {
    this.stateListeners.add(listener);
    return () => this.stateListeners.delete(listener);
  }

  emit(notice: LoopNotice): void {
    // Problems with the project's state are found before the first listener subscribes.
    if (this.listeners.size === 0 && notice.kind === "notice") this.early.push(notice);
    for (const listener of this.listeners) listener(notice, this.state());
  }

  /**
   * Sends a notice only once per loop, though every scan finds its cause. `what` identifies notices whose texts differ
   * only in numbers.
   */
  noticeOnce(text: string, what = text): void {
    if (this.noticed.has(what)) return;
    this.noticed.add(what);
    this.emit({ kind: "notice", text });
  }

  showState(): void {
    for (const listener of this.stateListeners) listener(this.state());
  }
}
