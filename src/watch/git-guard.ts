import path from "node:path";
import { statIfThere } from "../paths/index.ts";
import { findGitRoot, gitDirectories } from "../tree/index.ts";

/** A lock of this age was left by a git that died; nobody will remove it. */
const staleLockMs = 60_000;
/** So was a lock while nothing else is written for this long. */
const strayLockMs = 10_000;
/** A rebase whose state rests this long has stopped for the user, or its git was killed; it blocks nothing. */
const rebaseRestMs = 1000;
/** Files that change with each commit that a rebase picks. */
const rebaseState = ["rebase-merge", "rebase-merge/done", "rebase-merge/msgnum", "rebase-apply", "rebase-apply/next"];

/** What git is doing to the work tree. */
export interface GitActivity {
  /** Why nothing should start: `git holds index.lock`, `a rebase is under way`. */
  busy: string | undefined;
  /** Changes when a command changed HEAD or the index: a checkout, a commit, a stash. */
  revision: string;
}

/** Checks a repository's lock and state files with a few `stat` calls, without running git. */
export class GitGuard {
  private readonly root: string;
  private readonly nowMs: () => number;
  private gitDir: string | undefined;
  private lock = { mark: "", sinceMs: 0 };
  private rebase = { mark: "", sinceMs: 0 };

  /** `nowMs` is monotonic. */
  constructor(root: string, nowMs: () => number) {
    this.root = root;
    this.nowMs = nowMs;
    this.gitDir = this.find();
  }

  /** Folder where git keeps HEAD and the index of this work tree. */
  get directory(): string | undefined {
    return this.gitDir;
  }

  /** `lastHintMs` is the time of the last known write in the work tree. */
  look(lastHintMs = Number.NEGATIVE_INFINITY, wallClockMs: number = Date.now()): GitActivity {
    // `git init` may run after the watch has started.
    this.gitDir ??= this.find();
    if (this.gitDir === undefined) return { busy: undefined, revision: "" };
    return {
      busy: this.busy(lastHintMs, wallClockMs),
      revision: `${this.mark("HEAD")} ${this.mark("index")} ${this.mark("ORIG_HEAD")}`,
    };
  }

  private find(): string | undefined {
    const repository = findGitRoot(this.root);
    return repository === undefined ? undefined : gitDirectories(repository).gitDir;
  }

  private busy(lastHintMs: number, wallClockMs: number): string | undefined {
    return this.isLocked(lastHintMs, wallClockMs)
      ? "git holds index.lock"
      : this.isRebasing(wallClockMs)
        ? "a rebase is under way"
        : undefined;
  }

  private isLocked(lastHintMs: number, wallClockMs: number): boolean {
    const stats = this.stat("index.lock");
    if (stats === undefined || wallClockMs - stats.mtimeMs >= staleLockMs) return false;
    const nowMs = this.nowMs();
    const mark = this.mark("index.lock");
    if (mark !== this.lock.mark) this.lock = { mark, sinceMs: nowMs };
    // A checkout of a large tree keeps writing all the time.
    return nowMs - Math.max(this.lock.sinceMs, lastHintMs) < strayLockMs;
  }

  private isRebasing(wallClockMs: number): boolean {
    if (this.stat("rebase-merge") === undefined && this.stat("rebase-apply") === undefined) return false;
    const nowMs = this.nowMs();
    const names = ["HEAD", "index", ...rebaseState];
    const mark = names.map((name) => this.mark(name)).join(" ");
    if (mark !== this.rebase.mark) {
      const newestMs = Math.max(...names.map((name) => this.stat(name)?.mtimeMs ?? 0));
      // Estimates the age of state that is older than the watch; a clock that was set back makes it zero.
      this.rebase = { mark, sinceMs: nowMs - Math.max(0, wallClockMs - newestMs) };
    }
    return nowMs - this.rebase.sinceMs < rebaseRestMs;
  }

  private mark(name: string): string {
    const stats = this.stat(name);
    return stats === undefined ? "-" : `${stats.mtimeMs}:${stats.ino}:${stats.size}`;
  }

  private stat(name: string): { mtimeMs: number; ino: number; size: number } | undefined {
    return statIfThere(path.join(this.gitDir!, name));
  }
}
