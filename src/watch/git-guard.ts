import { statSync } from "node:fs";
import path from "node:path";
import { findGitRoot, gitDirectories } from "../tree/index.ts";

/** A lock this old was left by a git that died; waiting for it would be waiting for ever. */
const staleLockMs = 60_000;

/** What git does to the work tree right now. */
export interface GitActivity {
  /** Why nothing should start: `git holds index.lock`, `a rebase is under way`. */
  busy: string | undefined;
  /** Moves when a command moved HEAD or the index: a checkout, a commit, a stash. */
  revision: string;
}

/** Looks at a repository's lock and state files; a few `stat` calls, no git process. */
export class GitGuard {
  private readonly root: string;
  private gitDir: string | undefined;

  constructor(root: string) {
    this.root = root;
    this.gitDir = this.find();
  }

  /** Where git keeps HEAD and the index of this work tree. */
  get directory(): string | undefined {
    return this.gitDir;
  }

  look(wallClockMs: number = Date.now()): GitActivity {
    // `git init` may come later than we do.
    this.gitDir ??= this.find();
    if (this.gitDir === undefined) return { busy: undefined, revision: "" };
    return { busy: this.busy(wallClockMs), revision: `${this.mark("HEAD")} ${this.mark("index")} ${this.mark("ORIG_HEAD")}` };
  }

  private find(): string | undefined {
    const repository = findGitRoot(this.root);
    return repository === undefined ? undefined : gitDirectories(repository).gitDir;
  }

  private busy(wallClockMs: number): string | undefined {
    const lock = this.stat("index.lock");
    if (lock !== undefined && wallClockMs - lock.mtimeMs < staleLockMs) return "git holds index.lock";
    if (this.stat("rebase-merge") !== undefined || this.stat("rebase-apply") !== undefined) return "a rebase is under way";
    return undefined;
  }

  private mark(name: string): string {
    const stats = this.stat(name);
    return stats === undefined ? "-" : `${stats.mtimeMs}:${stats.ino}:${stats.size}`;
  }

  private stat(name: string): { mtimeMs: number; ino: number; size: number } | undefined {
    return statSync(path.join(this.gitDir!, name), { throwIfNoEntry: false });
  }
}
