import type { LoopListener, LoopNotice } from "./events.ts";
import type { LoopState } from "./machine/state.ts";

/** Those who listen to a loop: to what happens, and to its state. */
export class Audience {
  private readonly state: () => LoopState;
  private readonly listeners = new Set<LoopListener>();
  private readonly stateListeners = new Set<(state: LoopState) => void>();
  private readonly noticed = new Set<string>();
  /** Told before anybody listened. */
  private early: LoopNotice[] = [];

  constructor(state: () => LoopState) {
    this.state = state;
  }

  /** Returns the unsubscribe function. */
  on(listener: LoopListener): () => void {
    this.listeners.add(listener);
    for (const notice of this.early.splice(0)) listener(notice, this.state());
    return () => this.listeners.delete(listener);
  }

  onState(listener: (state: LoopState) => void): () => void {
    this.stateListeners.add(listener);
    return () => this.stateListeners.delete(listener);
  }

  tell(notice: LoopNotice): void {
    // What is wrong with the project's state is met before the first listener comes.
    if (this.listeners.size === 0 && notice.kind === "notice") this.early.push(notice);
    for (const listener of this.listeners) listener(notice, this.state());
  }

  /** What holds for every look is said at the first one; `what` tells texts apart that say the same in other numbers. */
  noticeOnce(text: string, what = text): void {
    if (this.noticed.has(what)) return;
    this.noticed.add(what);
    this.tell({ kind: "notice", text });
  }

  showState(): void {
    for (const listener of this.stateListeners) listener(this.state());
  }
}
