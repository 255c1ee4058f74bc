import { isWithin } from "../paths/index.ts";
import type { Clock } from "./clock.ts";
import type { WatchedFolder } from "./hints.ts";
import { MountPoller } from "./mount-poller.ts";
import { mounts, silentFolders, type Mount } from "./silent-mounts.ts";

/** Mounting or unmounting over a folder sends no event, so mounts are polled at this interval. */
const askMs = 2000;

export interface MountWatchOptions {
  /** Folder of the project. */
  root: string;
  clock: Clock;
  /** Interval at which folders without events are polled. */
  intervalMs: number;
  /** Returns the mounts; replaced in tests. */
  mounts?: () => readonly Mount[];
  onHint(folder: string): void;
  /** Something was mounted or unmounted below the project, which no folder watch reports. */
  onMounted(): void;
  onNotice(text: string): void;
}

/** Watches mounts below the project: polls those that send no events, and notices when one comes or goes. */
export class MountWatch {
  private readonly options: MountWatchOptions;
  private readonly poller: MountPoller;
  private readonly told = new Set<string>();
  private mark: string;
  private cancel: () => void = () => undefined;

  constructor(options: MountWatchOptions) {
    this.options = options;
    this.poller = new MountPoller(options.clock, options.intervalMs, options.onHint);
    this.mark = this.markNow();
    if (this.mounts().length > 0) this.ask();
  }

  /** Sets the folders of the newest scan. */
  watch(folders: readonly WatchedFolder[]): void {
    const { root, intervalMs, onNotice } = this.options;
    const silent = silentFolders(
      folders.flatMap((folder) => (folder.only === undefined ? [folder.path] : [])),
      root,
      this.mounts(),
    );
    for (const { path, type } of silent.keys()) {
      if (this.told.has(path)) continue;
      this.told.add(path);
      onNotice(
        `${path} is a separate mount (${type}), which may not report every write; it is polled every ${intervalMs} ms`,
      );
    }
    this.poller.watch([...silent.values()].flat());
  }

  close(): void {
    this.cancel();
    this.poller.close();
  }

  private ask(): void {
    this.cancel = this.options.clock.after(askMs, () => {
      const mark = this.markNow();
      if (mark !== this.mark) {
        this.mark = mark;
        this.options.onMounted();
      }
      this.ask();
    });
  }

  private mounts(): readonly Mount[] {
    return (this.options.mounts ?? mounts)();
  }

  private markNow(): string {
    const { root } = this.options;
    return this.mounts()
      .filter((mount) => isWithin(root, mount.path))
      .map(({ id, path, type }) => `${id} ${type} ${path}`)
      .join("\n");
  }
}
