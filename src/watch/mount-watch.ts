import type { Clock } from "./clock.ts";
import type { WatchedFolder } from "./hints.ts";
import { MountPoller } from "./mount-poller.ts";
import { mounts, silentFolders, type Mount } from "./silent-mounts.ts";

/** What is mounted over a folder, or taken away, sends no event there: it is asked this often. */
const askMs = 2000;

export interface MountWatchOptions {
  /** The project. */
  root: string;
  clock: Clock;
  /** How often folders without events are looked at. */
  intervalMs: number;
  /** What is mounted; for tests. */
  mounts?: () => readonly Mount[];
  onHint(folder: string): void;
  /** Something was mounted below the project, or is not any more: no watch of a folder tells of that. */
  onMounted(): void;
  onNotice(text: string): void;
}

/** Mounts below the project: those that tell of nothing are looked at, and those that come and go are noticed. */
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

  /** The folders of the newest scan. */
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
        `${path} is a mount of its own (${type}), of which not every write is announced; it is looked at every ${intervalMs} ms`,
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
      .filter((mount) => mount.path === root || mount.path.startsWith(`${root}/`))
      .map(({ id, path, type }) => `${id} ${type} ${path}`)
      .join("\n");
  }
}
