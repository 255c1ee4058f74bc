import type { LoopListener, LoopNotice } from "./events.ts";
import type { LoopState } from "./state.ts";

/** Those who listen to a loop: to what happens, and to its state. */
export class Audience {
  private readonly state: () => LoopState;
  private readonly listeners = new Set<LoopListener>();
  private readonly stateListeners = new Set<(state: LoopState) => void>();
  private readonly noticed = new Set<string>();

  constructor(state: () => LoopState) {
    this.state = state;
  }

  /** Returns the unsubscribe function. */
  on(listener: LoopListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  onState(listener: (state: LoopState) => void): () => void {
    this.stateListeners.add(listener);
    return () => this.stateListeners.delete(listener);
  }

  tell(notice: LoopNotice): void {
    for (const listener of this.listeners) listener(notice, this.state());
  }

  /** What holds for every look is said at the first one. */
  noticeOnce(text: string): void {
    if (this.noticed.has(text)) return;
    this.noticed.add(text);
    this.tell({ kind: "notice", text });
  }

  showState(): void {
    for (const listener of this.stateListeners) listener(this.state());
  }
}
