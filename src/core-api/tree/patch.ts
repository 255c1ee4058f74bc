import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmod, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { ApiError } from "../values/errors.ts";
import { kindOf, withTree } from "./read.ts";
import type { Call } from "../request/call.ts";
import type { ChangedPaths } from "./changes.ts";
import type { Changeset, Directory } from "../values/values.ts";

/** Returns changes as `git diff --binary` prints them. Requires git on the host. */
export async function patchText(call: Call, changeset: Changeset, changes: ChangedPaths): Promise<string> {
  return await withBothSides(call, changeset, changes, (folder) => gitDiff(folder, ["--binary", "--no-prefix"]));
}

export interface LineCount {
  added: number;
  removed: number;
  /** Previous name of a file that git detects as renamed. */
  oldPath?: string;
}

/** Counts added and removed lines by path. Binary files count as zero. */
export async function lineCounts(
  call: Call,
  changeset: Changeset,
  changes: ChangedPaths,
): Promise<Map<string, LineCount>> {
  const text = await withBothSides(call, changeset, changes, (folder) => gitDiff(folder, ["--numstat", "-z"]));
  const counts = new Map<string, LineCount>();
  // For two folders, git prints `added TAB removed TAB NUL old NUL new NUL`; a missing side is /dev/null.
  const fields = text.split("\0");
  for (let index = 0; index + 2 < fields.length; index += 3) {
    const [added = "0", removed = "0"] = fields[index]!.split("\t");
    const [old = "", current = ""] = [fields[index + 1], fields[index + 2]];
    const [oldPath, path] = [old.slice(2), (current === "/dev/null" ? old : current).slice(2)];
    const renamed = old !== "/dev/null" && oldPath !== path;
    counts.set(path, { added: Number(added) || 0, removed: Number(removed) || 0, ...(renamed ? { oldPath } : {}) });
  }
  return counts;
}

/**
 * Applies a patch, in the format of `git diff` or `diff -u`, to the files of a host folder. Throws an `ApiError` when
 * it does not apply.
 */
export async function applyPatch(folder: string, patch: string): Promise<void> {
  const file = `${folder}.patch`;
  await writeFile(file, patch);
  await git(folder, ["apply", "--allow-empty", "--whitespace=nowarn", file], [0]);
}

/** Writes the changed files of both sides to `a/` and `b/` of a temporary folder. */
async function withBothSides(
  call: Call,
  changeset: Changeset,
  changes: ChangedPaths,
  use: (folder: string) => Promise<string>,
): Promise<string> {
  const folder = path.join(await call.session.temporaryFolder(), randomUUID());
  const files = (names: readonly string[]): string[] => names.filter((name) => !name.endsWith("/"));
  try {
    await writeFiles(
      call,
      changeset.before,
      path.join(folder, "a"),
      files([...changes.modified, ...changes.allRemoved]),
    );
    await writeFiles(call, changeset.after, path.join(folder, "b"), files([...changes.modified, ...changes.added]));
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes the named files of a directory to a host folder, as far as they exist. */
export async function writeFiles(
  call: Call,
  directory: Directory,
  target: string,
  names: readonly string[],
): Promise<void> {
  await mkdir(target, { recursive: true });
  await withTree(call, directory.tree, async (reader) => {
    for (const name of names) {
      const source = path.posix.join(directory.path, name);
      const stat = await reader.stat(source, false);
      if (stat === undefined) continue;
      const file = path.join(target, name);
      await mkdir(path.dirname(file), { recursive: true });
      if (kindOf(stat) === "SYMLINK") {
        await symlink(stat.linkname, file);
      } else {
        await writeFile(file, await reader.read(source));
        await chmod(file, stat.mode & 0o777);
      }
    }
  });
}

function gitDiff(folder: string, flags: readonly string[]): Promise<string> {
  return git(folder, ["diff", ...flags, "--no-index", "a", "b"], [0, 1]);
}

/** Runs git in a folder of fastloop's own, without the user's configuration. Exit codes not in `passing` are errors. */
export function git(folder: string, args: readonly string[], passing: readonly number[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = {
      PATH: process.env["PATH"],
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CEILING_DIRECTORIES: path.dirname(folder),
      GIT_AUTHOR_NAME: "fastloop",
      GIT_AUTHOR_EMAIL: "fastloop@localhost",
      GIT_COMMITTER_NAME: "fastloop",
      GIT_COMMITTER_EMAIL: "fastloop@localhost",
      LC_ALL: "C",
    };
    // Files that git creates are accessible to everybody, as on a Dagger engine, whatever the daemon's umask is.
    execFile(
      "/bin/sh",
      ["-c", 'umask 0; exec git "$@"', "git", ...args],
      { cwd: folder, env, maxBuffer: 256 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code;
        if (typeof code === "number" && passing.includes(code)) resolve(stdout);
        else if (code === 127) reject(new ApiError("patches need git on the host of the embedded engine"));
        else reject(new ApiError(`git ${args[0]}: ${`${stdout}${stderr}`.trim()}`));
      },
    );
  });
}
