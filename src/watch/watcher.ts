import { watch as watchFolder, type FSWatcher } from "node:fs";
import process from "node:process";
import type { ProjectState } from "../state/index.ts";
import { systemClock, type Clock } from "./clock.ts";
import { fileEventsArrive } from "./event-probe.ts";
import { folderSource } from "./folder-source.ts";
import { GitGuard } from "./git-guard.ts";
import type { HintListener, HintSource, HintSourceKind, WatchedFolder } from "./hints.ts";
import { MountWatch } from "./mount-watch.ts";
import type { Mount } from "./silent-mounts.ts";
import { PendingHints, type SettledHints } from "./pending-hints.ts";
import { networkMount } from "./network-mount.ts";
import { defaultPollIntervalMs, pollingSource } from "./polling-source.ts";
import { recursiveSource } from "./recursive-source.ts";
import { decide, defaultSettleRules, hinted, idle, type SettleRules, type SettleState } from "./settle.ts";

export interface WatcherOptions {
  /** Folder of the project, whose git repository is checked for activity. */
  root: string;
  /** State of the project. */
  state: ProjectState;
  /** First hint of a burst: until `onSettled`, what is known of the files may be outdated. */
  onUnsettled?(): void;
  onSettled(hints: SettledHints): void;
  /** Reports whether a path affects anything watched; others are scanned with the next change that does. */
  concerns?(path: string): boolean;
  /** A path that affects nothing watched. */
  onForeign?(path: string): void;
  onNotice(text: string): void;
  /** Digest of a `stat` scan, for polling. */
  fingerprint(): string;
  rules?: Partial<SettleRules>;
  /** `auto` depends on the platform, and falls back to polling. */
  source?: HintSourceKind | "auto";
  pollIntervalMs?: number;
  clock?: Clock;
  /** Returns the type of the project's network file system; replaced in tests. */
  networkMount?: (root: string) => string | undefined;
  /** Returns the mounts; replaced in tests. */
  mounts?: () => readonly Mount[];
  /** Opens a source; replaced in tests that inject failures. */
  openSource?: (kind: Exclude<HintSourceKind, "polling">, listener: HintListener) => HintSource;
}

/** Minimum interval of full scans without hints; they take at most a 300th of the time. */
const slowestTimerMs = 60_000;

/** Turns hints into settled moments to scan; holds them back while files keep changing and while git is busy. */
export class Watcher {
  private readonly options: WatcherOptions;
  private readonly clock: Clock;
  private readonly rules: SettleRules;
  private readonly git: GitGuard;
  private source: HintSource | undefined;
  private settle: SettleState = idle;
  private readonly pending = new PendingHints();
  private lastHintMs = Number.NEGATIVE_INFINITY;
  private revision: string;
  private readonly mounts: MountWatch;
  private gitWatcher: FSWatcher | undefined;
  private announcedHold: string | undefined;
  private cancelTimer: () => void = () => undefined;
  private cancelSlowTimer: () => void = () => undefined;
  private closed = false;

  constructor(options: WatcherOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.rules = { ...defaultSettleRules, ...options.rules };
    this.git = new GitGuard(options.root, () => this.clock.nowMs());
    this.revision = this.git.look().revision;
    this.mounts = new MountWatch({
      ...options,
      clock: this.clock,
      intervalMs: this.pollIntervalMs,
      onHint: (folder) => this.listener().onHint(folder),
      onMounted: () => this.requestFullScan("mounted"),
    });
    const wanted = options.source ?? "auto";
    const network = wanted === "auto" ? (options.networkMount ?? networkMount)(options.root) : undefined;
    const kind = wanted === "auto" ? (process.platform === "linux" ? "folders" : "recursive") : wanted;
    if (kind === "polling") this.poll();
    else if (network !== undefined)
      this.startPolling(`a network file system (${network}) tells of this machine's writes only`);
    else {
      this.source = this.open(kind);
      this.watchGit();
      void this.probe();
    }
    this.armSlowTimer(0);
  }

  get kind(): HintSourceKind {
    return this.source?.kind ?? "polling";
  }

  /** Whether hints are being collected or git is busy, so that what is known of the files may be outdated. */
  get isUnsettled(): boolean {
    return this.settle.phase !== "idle";
  }

  /** Returns the paths hinted since the last scan; undefined if hints may not cover everything that was touched. */
  unsettledPaths(): ReadonlySet<string> | undefined {
    return this.kind === "polling" ? undefined : this.pending.paths;
  }

  /** Reports whether a scan at this moment would see files at rest. */
  isCalm(): boolean {
    return !this.isUnsettled && this.git.look().busy === undefined;
  }

  /** Sets the folders of the newest scan. New ones are scanned once more, as earlier events in them were not seen. */
  watch(folders: readonly WatchedFolder[], { rescan = true } = {}): number {
    if (this.kind === "polling") this.mounts.close();
    else this.mounts.watch(folders);
    const registered = this.source?.watch(folders) ?? 0;
    if (registered > 0 && rescan) this.requestFullScan("new-folders");
    return registered;
  }

  /** Watches a folder that is about to be read, if the source can, so that nobody has to scan it twice. */
  readonly beforeRead = (folder: WatchedFolder): void => this.source?.add?.(folder);

  /** Requests a full scan, e.g. when the user presses a key. */
  requestFullScan(reason: NonNullable<SettledHints["everywhere"]>): void {
    this.pending.requestFullScan(reason);
    this.hint();
  }

  /** Reports how long a full scan takes, so that the slow timer stays cheap. */
  scanTook(durationMs: number): void {
    this.armSlowTimer(durationMs);
  }

  close(): void {
    this.closed = true;
    this.cancelTimer();
    this.cancelSlowTimer();
    this.gitWatcher?.close();
    this.mounts.close();
    this.source?.close();
  }

  private listener(): HintListener {
    return {
      onHint: (path) => {
        if (this.options.concerns?.(path) === false) {
          this.options.onForeign?.(path);
          if (this.pending.addForeign(path, this.clock.nowMs())) this.requestFullScan("burst");
          return;
        }
        this.pending.add(path);
        this.hint();
      },
      onFailure: (error) => this.fallBack(reasonFor(error)),
    };
  }

  private open(kind: "folders" | "recursive"): HintSource {
    const listener = this.listener();
    if (this.options.openSource !== undefined) return this.options.openSource(kind, listener);
    return kind === "folders" ? folderSource(listener) : recursiveSource(listener);
  }

  private hint(): void {
    if (this.closed) return;
    const wasIdle = this.settle.phase === "idle";
    this.lastHintMs = this.clock.nowMs();
    this.settle = hinted(this.settle, this.lastHintMs);
    // Later hints only move the end, which the running timer checks when it fires.
    if (!wasIdle) return;
    this.options.onUnsettled?.();
    this.look();
  }

  private look(): void {
    const git = this.git.look(this.lastHintMs);
    const decision = decide(this.settle, this.clock.nowMs(), this.rules, git.busy !== undefined);
    this.settle = decision.state;
    if (git.busy !== this.announcedHold) {
      this.announcedHold = git.busy;
      if (git.busy !== undefined) this.options.onNotice(`waiting: ${git.busy}`);
    }
    if (decision.take) this.take(git.revision);
    else if (decision.againInMs !== undefined)
      this.cancelTimer = this.clock.after(decision.againInMs, () => this.look());
  }

  private take(revision: string): void {
    if (revision !== this.revision) this.pending.requestFullScan("git");
    this.revision = revision;
    this.options.onSettled(this.pending.take());
  }

  private async probe(): Promise<void> {
    const arrive = await fileEventsArrive(this.options.state, this.clock).catch(() => true);
    if (!arrive && !this.closed) this.fallBack("this file system sends no file events");
  }

  private fallBack(reason: string): void {
    if (this.closed || this.source?.kind === "polling") return;
    this.source?.close();
    this.startPolling(reason);
    this.requestFullScan("source-changed");
  }

  private startPolling(reason: string): void {
    this.options.onNotice(`${reason}; polling every ${this.pollIntervalMs} ms instead`);
    this.poll();
  }

  /** A command that changes HEAD or the index causes a full scan, even if all of its other events are lost. */
  private watchGit(): void {
    const { directory } = this.git;
    if (directory === undefined) return;
    try {
      this.gitWatcher = watchFolder(directory, () => {
        if (!this.closed && this.git.look().revision !== this.revision) this.requestFullScan("git");
      });
      this.gitWatcher.on("error", () => this.gitWatcher?.close());
    } catch {
      // The folders' own watches will report the reason.
    }
  }

  private poll(): void {
    const { fingerprint, root } = this.options;
    this.source = pollingSource(this.listener(), {
      fingerprint,
      root,
      intervalMs: this.pollIntervalMs,
      clock: this.clock,
    });
  }

  private get pollIntervalMs(): number {
    return this.options.pollIntervalMs ?? defaultPollIntervalMs;
  }

  private armSlowTimer(scanMs: number): void {
    this.cancelSlowTimer();
    if (this.closed) return;
    this.cancelSlowTimer = this.clock.after(Math.max(slowestTimerMs, scanMs * 300), () => {
      this.requestFullScan("timer");
      this.armSlowTimer(scanMs);
    });
  }
}

function reasonFor(error: NodeJS.ErrnoException): string {
  if (error.code === "ENOSPC") {
    return "the kernel's watches are used up (ENOSPC; raise them with `sysctl fs.inotify.max_user_watches=524288`)";
  }
  if (error.code === "EMFILE" || error.code === "ENFILE")
    return `too many open files (${error.code}; see \`ulimit -n\`)`;
  return `file events failed (${error.message})`;
}
