import { existsSync, linkSync, readFileSync, renameSync, rmSync, rmdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { UserError } from "../errors/index.ts";
import { makeFolder } from "../tree/index.ts";
import { isAlive } from "./is-alive.ts";

interface Holder {
  pid: number;
  /** Start time of the process in kernel ticks: the same pid later is another process. */
  startTicks: string;
  command: string;
  since: string;
}

/** Held by the one process that runs functions of a project and writes its records. */
export class ProjectLock {
  private readonly file: string;
  private readonly isNew: boolean;
  private held = true;

  /** However the process ends short of SIGKILL, it leaves no lock. */
  private readonly onExit = (): void => this.release();

  /** `isNew`: the folder was made for the lock. */
  private constructor(file: string, isNew: boolean) {
    this.file = file;
    this.isNew = isNew;
    process.once("exit", this.onExit);
  }

  /** Takes the lock, or says who has it. What a dead process left is taken over. */
  static take(stateDir: string, command: string): ProjectLock {
    const isNew = !existsSync(stateDir);
    makeFolder(stateDir);
    const file = path.join(stateDir, "lock");
    const mine: Holder = { pid: process.pid, startTicks: startTicks(process.pid), command, since: new Date().toISOString() };
    const temporary = `${file}.${process.pid}`;
    const text = JSON.stringify(mine);
    try {
      writeFileSync(temporary, text);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      // Another process that had made the folder took it away again, empty.
      makeFolder(stateDir);
      writeFileSync(temporary, text);
    }
    try {
      for (let attempt = 0; attempt < 5; attempt++) {
        try {
          // A link is made or not, with its content: no moment in which the lock exists and says nothing.
          linkSync(temporary, file);
          return new ProjectLock(file, isNew);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        }
        const holder = read(file);
        if (holder !== undefined && holds(holder)) throw heldBy(holder, stateDir);
        const moved = moveAside(file, `${temporary}.stale`);
        if (moved !== undefined) throw heldBy(moved, stateDir);
      }
      throw new UserError("locked", "the project's lock changes hands all the time", { place: file });
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  release(): void {
    if (!this.held) return;
    this.held = false;
    process.off("exit", this.onExit);
    if (read(this.file)?.pid === process.pid) rmSync(this.file, { force: true });
    if (!this.isNew) return;
    try {
      // Nothing came of it: no empty folder is left.
      rmdirSync(path.dirname(this.file));
    } catch {
      // There is something in it, as there should be.
    }
  }
}

/** Takes a dead process's lock away. One that a living process has put there meanwhile is put back, and returned. */
function moveAside(file: string, aside: string): Holder | undefined {
  try {
    renameSync(file, aside);
  } catch {
    return undefined;
  }
  const holder = read(aside);
  const lives = holder !== undefined && holds(holder);
  try {
    if (lives) linkSync(aside, file);
  } catch {
    // A third one was quicker.
  }
  rmSync(aside, { force: true });
  return lives ? holder : undefined;
}

function read(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}

function holds({ pid, startTicks: since }: Holder): boolean {
  return isAlive(pid) && startTicks(pid) === since;
}

/** Field 22 of /proc/PID/stat; empty where there is no /proc, so that only the pid counts. */
function startTicks(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

function heldBy(holder: Holder, stateDir: string): UserError {
  return new UserError("locked", `${holder.command} (process ${holder.pid}, since ${holder.since}) works on this project`, {
    place: path.dirname(stateDir),
    hint: "end it first, or wait until it is done",
  });
}
