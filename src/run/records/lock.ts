import path from "node:path";
import process from "node:process";
import { UserError } from "../../errors/index.ts";
import { isAlive, startTicks, type HeldFolder, type ProjectState } from "../../state/index.ts";
import { holderIn, type Holder } from "./lock-holder.ts";
import { dayAndTime } from "../../text/index.ts";

const lockFile = "lock";
const attempts = 20;

/** Error codes that mean the folder cannot be written. */
const unwritable = new Set(["EROFS", "ENOSPC", "EDQUOT", "EACCES", "EPERM"]);

/** Held by the one process that runs functions of a project and writes its records. */
export class ProjectLock {
  private readonly state: ProjectState;
  private readonly isNew: boolean;
  private held: boolean;

  /** Removes the lock however the process ends, except by SIGKILL. */
  private readonly onExit = (): void => this.release();

  /** `isNew`: the folder was created for the lock. */
  private constructor(state: ProjectState, isNew: boolean, held: boolean) {
    this.state = state;
    this.isNew = isNew;
    this.held = held;
    if (held) process.once("exit", this.onExit);
  }

  /**
   * Takes the lock, or throws which process holds it. A dead process's lock is taken over. A folder that cannot be
   * written needs no guard: the returned lock is then not held, and a notice says that nothing will be recorded.
   */
  static take(state: ProjectState, command: string): ProjectLock {
    const isNew = !state.exists();
    const mine: Holder = {
      pid: process.pid,
      startTicks: startTicks(process.pid),
      command,
      since: new Date().toISOString(),
    };
    const text = JSON.stringify(mine);
    for (let attempt = 0; attempt < attempts; attempt++) {
      try {
        const holder = state.inOwnFolder((folder) => tryToTake(folder, text, state));
        if (holder === "taken") return new ProjectLock(state, isNew, true);
        if (holder !== undefined) throw heldBy(holder, state);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (!(error instanceof UserError) && unwritable.has(String(code))) {
          state.reportUnwritable(String(code));
          return new ProjectLock(state, false, false);
        }
        // Another process had created the folder and removed it again while it was empty.
        if (code !== "ENOENT" || !state.isInProject()) throw error;
      }
    }
    throw new UserError("locked", "the project's lock keeps changing hands", {
      place: path.join(state.path, lockFile),
    });
  }

  /** Returns the command of the process that runs functions here; undefined if there is none. */
  static holderOf(state: ProjectState): string | undefined {
    const holder = holderIn(state.readUnsealed(".", lockFile));
    return holder !== undefined && holds(holder) ? holder.command : undefined;
  }

  release(): void {
    if (!this.held) return;
    this.held = false;
    process.off("exit", this.onExit);
    this.state.sweep(".", /^lock$/, () => holderIn(this.state.readUnsealed(".", lockFile))?.pid === process.pid);
    // The folder is removed if it is still empty.
    if (this.isNew) this.state.removeIfEmpty();
  }
}

/**
 * Returns `taken`, the living process that holds the lock, or undefined when a dead process's lock was removed and
 * another attempt may succeed.
 */
function tryToTake(folder: HeldFolder, text: string, state: ProjectState): "taken" | Holder | undefined {
  // Mode 0644 lets others read who holds the lock.
  if (folder.make(lockFile, text, 0o644)) return "taken";
  const holder = holderIn(folder.read(lockFile, largestBytes));
  if (holder !== undefined && holds(holder)) return holder;
  if (folder.look(lockFile)?.isDirectory() === true) {
    if (folder.remove(lockFile)) return undefined;
    const place = path.join(state.path, lockFile);
    throw new UserError(
      "usage",
      "is a folder with something in it, and fastloop keeps its lock in a file of this name",
      { place, hint: `remove it: rm -r ${place}` },
    );
  }
  return moveAside(folder, `${lockFile}.${process.pid}.stale`);
}

/**
 * Moves a dead process's lock away. If a living process has replaced it meanwhile, puts that lock back and returns its
 * holder.
 */
function moveAside(folder: HeldFolder, aside: string): Holder | undefined {
  try {
    folder.rename(lockFile, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const content = folder.read(aside, largestBytes);
  const holder = holderIn(content);
  const lives = holder !== undefined && holds(holder);
  // If a third process has taken the lock meanwhile, `make` fails and that lock stays.
  if (lives && typeof content !== "string") folder.make(lockFile, content.toString("utf8"), 0o644);
  folder.remove(aside);
  return lives ? holder : undefined;
}

const largestBytes = 4096;

function holds({ pid, startTicks: since }: Holder): boolean {
  return isAlive(pid) && startTicks(pid) === since;
}

function heldBy(holder: Holder, state: ProjectState): UserError {
  return new UserError(
    "locked",
    `${holder.command} (process ${holder.pid}, since ${dayAndTime(holder.since)}) works on this project`,
    {
      place: state.root,
      hint: "end it first, or wait until it is done",
    },
  );
}
