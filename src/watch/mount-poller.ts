import { lstatSync, readdirSync } from "node:fs";
import type { Clock } from "./clock.ts";

/** A poll may take at most a tenth of the time. */
const restTimes = 9;

/** Polls single folders that send no events; a change in one is a hint for it. */
export class MountPoller {
  private folders: readonly string[] = [];
  private seen = new Map<string, string>();
  private cancel: (() => void) | undefined;
  private readonly clock: Clock;
  private readonly intervalMs: number;
  private readonly onHint: (folder: string) => void;

  constructor(clock: Clock, intervalMs: number, onHint: (folder: string) => void) {
    this.clock = clock;
    this.intervalMs = intervalMs;
    this.onHint = onHint;
  }

  /** Sets the folders to poll; the caller has just scanned the new ones. */
  watch(folders: readonly string[]): void {
    const before = this.seen;
    this.folders = folders;
    this.seen = new Map(folders.map((folder) => [folder, before.get(folder) ?? stateOf(folder)]));
    if (folders.length === 0) this.close();
    else this.cancel ??= this.clock.after(this.intervalMs, () => this.look());
  }

  close(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  private look(): void {
    const startedMs = this.clock.nowMs();
    for (const folder of this.folders) {
      const now = stateOf(folder);
      if (now === this.seen.get(folder)) continue;
      this.seen.set(folder, now);
      this.onHint(folder);
    }
    this.cancel = this.clock.after(Math.max(this.intervalMs, restTimes * (this.clock.nowMs() - startedMs)), () =>
      this.look(),
    );
  }
}

/** Returns a text that changes with any entry of the folder. */
function stateOf(folder: string): string {
  try {
    return readdirSync(folder)
      .map((name) => {
        const stats = lstatSync(`${folder}/${name}`, { throwIfNoEntry: false });
        return stats === undefined
          ? ""
          : `${name}\0${stats.mode} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs} ${stats.ino}`;
      })
      .join("\n");
  } catch {
    return "";
  }
}
