// A folder that is filled under a name of its own and then put where it belongs, whoever else is at it.
import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import process from "node:process";

/** `dist.PID` in `root`; what builds that were killed left goes. */
export function newFolder(root) {
  for (const name of readdirSync(root)) {
    const pid = /^dist(?:\.old)?\.(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(path.join(root, name), { recursive: true, force: true });
  }
  const folder = path.join(root, `dist.${process.pid}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What was at `target` goes; where another build puts its own there at the same moment, the last one stays. */
export function putInPlace(folder, target) {
  const old = path.join(path.dirname(target), `dist.old.${process.pid}`);
  // One that an earlier process of this number left is taken for a running one's, and would be in the way for ever.
  rmSync(old, { recursive: true, force: true });
  for (;;) {
    try {
      renameSync(target, old);
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
    }
    try {
      renameSync(folder, target);
      break;
    } catch (error) {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    } finally {
      rmSync(old, { recursive: true, force: true });
    }
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
