/**
 * Temporary folders whose names identify their owner, so that the next command can remove those of killed ones:
 *
 *     fastloop-KIND-PID-MARK-PLACE-RANDOM
 *
 * MARK is a hash that distinguishes the process from every other one with its pid, PLACE one of the boot and the pid
 * namespace in which the pid is valid.
 */
import { createHash } from "node:crypto";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { textIfThere } from "../paths/index.ts";
import { isRunning, processMark } from "./process.ts";

export type TemporaryKind = "demo" | "gate" | "images" | "registry";

const shape = /^fastloop-(?:demo|gate|images|registry)-([1-9]\d{0,9})-([0-9a-f]{8})-([0-9a-f]{8})-[A-Za-z0-9]{6}$/;
/** Nobody here can tell whether a folder of another boot, container or host is in use; one of this age is not. */
const foreignMs = 7 * 24 * 60 * 60_000;

/**
 * Creates a folder for this process and returns its real path; first sweeps what killed processes of this user left.
 */
export function temporaryFolder(kind: TemporaryKind, parent = os.tmpdir()): string {
  sweepTemporary(parent);
  const owner = `${process.pid}-${markOf(process.pid)}-${placeOf()}`;
  return mkdtempSync(path.join(realpathSync(parent), `fastloop-${kind}-${owner}-`));
}

/** Deletes only folders that match the exact name, are accessible to this user alone, and contain no mounts. */
export function sweepTemporary(parent = os.tmpdir()): void {
  const place = placeOf();
  for (const name of namesIn(parent)) {
    const [, pid, mark, where] = shape.exec(name) ?? [];
    if (pid === undefined) continue;
    const folder = path.join(parent, name);
    try {
      const { uid, mode, mtimeMs, ...stats } = lstat(folder);
      if (!stats.isDirectory || uid !== (process.getuid?.() ?? uid) || (mode & 0o777) !== 0o700) continue;
      const isLeft =
        where === place ? !isRunning(Number(pid)) || markOf(Number(pid)) !== mark : Date.now() - mtimeMs > foreignMs;
      if (isLeft && !hasMounts(realpathSync(folder))) rmSync(folder, { recursive: true, force: true });
    } catch {
      // Another command may be sweeping too, or something cannot be deleted: that costs space, but fails no command.
    }
  }
}

function lstat(folder: string): { uid: number; mode: number; mtimeMs: number; isDirectory: boolean } {
  const stats = lstatSync(folder);
  return { uid: stats.uid, mode: stats.mode, mtimeMs: stats.mtimeMs, isDirectory: stats.isDirectory() };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The mount table escapes blanks and backslashes, which these names do not contain. */
function hasMounts(folder: string): boolean {
  if (process.platform !== "linux") return false;
  const inside = `/${path.basename(folder)}/`;
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .some((line) => `${line.split(" ")[4] ?? ""}/`.includes(inside));
}

const markOf = (pid: number): string => short(processMark(pid));

let place: string | undefined;
function placeOf(): string {
  return (place ??= short(
    `${linkOf("/proc/self/ns/pid")} ${textIfThere("/proc/sys/kernel/random/boot_id")} ${os.hostname()}`,
  ));
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return "";
  }
}

function short(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
