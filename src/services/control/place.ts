/**
 * Files of a project that is up: control socket, secret and logs. They are in the user's state folder, never in the
 * project.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { controlSocket, foreignFolder, socketDir } from "../../engine-daemon/index.ts";
import { UserError } from "../../errors/index.ts";
import { stateHome } from "../../paths/index.ts";
import { isRunning, processMark } from "../../state/index.ts";
import { writeFileAtomically } from "../../tree/index.ts";

/** Which process has a project up. */
export interface UpFile {
  root: string;
  project: string;
  pid: number;
  /** Distinguishes the process from a later one with the same pid. */
  mark: string;
}

const upHome = (env?: NodeJS.ProcessEnv): string => path.join(stateHome(env), "up");

/** State folder of a project's services: socket, secret, logs. `root` is the folder of fastloop.yaml. */
export class UpPlace {
  readonly folder: string;

  constructor(root: string, env: NodeJS.ProcessEnv) {
    const key = createHash("sha256").update(realpathSync(root)).digest("hex").slice(0, 16);
    this.folder = path.join(upHome(env), key);
  }

  get socket(): string {
    return controlSocket(this.folder);
  }

  logFile(name: string): string {
    return path.join(this.folder, "logs", `${name}.log`);
  }

  /** Log of the background process itself. */
  get ownLog(): string {
    return path.join(this.folder, "up.log");
  }

  prepare(): void {
    for (const folder of [this.folder, path.join(this.folder, "logs"), socketDir(this.folder)])
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const folder of [this.folder, socketDir(this.folder)]) {
      const problem = foreignFolder(folder);
      if (problem !== undefined)
        throw new UserError("usage", `services can't be kept there: ${problem}`, { place: folder });
    }
  }

  note(root: string, project: string): void {
    const content: UpFile = { root, project, pid: process.pid, mark: processMark(process.pid) };
    writeFileAtomically(path.join(this.folder, "up.json"), JSON.stringify(content), 0o600);
  }

  /** Returns the process that has the project up; undefined when there is none. */
  running(): UpFile | undefined {
    return readUp(this.folder);
  }
}

function readUp(folder: string): UpFile | undefined {
  try {
    const up = JSON.parse(readFileSync(path.join(folder, "up.json"), "utf8")) as UpFile;
    return isRunning(up.pid) && processMark(up.pid) === up.mark ? up : undefined;
  } catch {
    return undefined;
  }
}

/** Returns `NAME (ROOT)` of the project that a process of this user has up; undefined when there is none. */
export function projectOfProcess(pid: number): string | undefined {
  try {
    const folders = readdirSync(upHome()).map((name) => readUp(path.join(upHome(), name)));
    const found = folders.find((up) => up?.pid === pid);
    return found === undefined ? undefined : `${found.project} (${found.root})`;
  } catch {
    return undefined;
  }
}
