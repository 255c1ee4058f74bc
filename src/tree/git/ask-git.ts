/**
 * Git asked about a repository whose configuration anybody may have written: an archive brings its `.git` along. Such a
 * configuration names programs (a file system monitor, filters, hooks, what fetches missing objects); none of them is run.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, realpathSync } from "node:fs";
import path from "node:path";
import { statIfThere, UnfitFile } from "../../paths/index.ts";
import { settingsInstead, type Setting } from "./foreign-settings.ts";
import { findGitRoot, gitDirectories, gitEnvironment } from "./git-folders.ts";

/** Git takes its own time to match what a `.gitignore` says. */
const gitTimeoutMs = 60_000;

/** Git can't be asked without running, or waiting for, what the repository names. */
export class UnfitGit extends Error {
  override readonly name = "UnfitGit";
}

export class AskedGit {
  private readonly folder: string;
  private readonly env: NodeJS.ProcessEnv;
  /** What is to be in the place of settings that are not the user's own. */
  private instead: Pairs | undefined;
  private ownTop: string | undefined;

  constructor(folder: string, env: NodeJS.ProcessEnv = process.env) {
    // Git looks for the repository from where it really runs.
    this.folder = realIfPresent(folder);
    this.env = gitEnvironment(env);
  }

  /** What git answers. Throws where it fails, is not there or does not end, and for a repository that it would wait for. */
  ask(...words: string[]): string {
    return this.run(this.folder, words);
  }

  /** The same for a question whose answer takes the content of files, submodules' among them. */
  compare(...words: string[]): string {
    if (this.instead === undefined) {
      this.refuseOldGit();
      this.instead = settingsInstead(this.repositories().flatMap((folder) => this.settingsOf(folder)));
    }
    return this.run(this.folder, words, this.instead);
  }

  /** The repository's top folder, which is the one that holds its `.git`: its configuration may name another, as `/`. */
  top(): string {
    return (this.ownTop ??= this.topOf(this.folder));
  }

  private topOf(folder: string): string {
    const top = this.run(folder, ["rev-parse", "--show-toplevel"]).replace(/\n$/, "");
    const holder = findGitRoot(folder);
    if (holder === undefined || !isSameFolder(top, holder))
      throw new UnfitGit(`the configuration of git says that the repository's files are in ${top}`);
    return top;
  }

  private run(folder: string, words: readonly string[], settings: Pairs = []): string {
    refuseUnfit(folder);
    return execFileSync("git", [...fixed.flatMap(([key, value]) => ["-c", `${key}=${value}`]), ...words], {
      cwd: folder,
      env: { ...this.env, ...safeEnvironment, ...asVariables([...fixed, ...settings], this.env) },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 256 * 1024 * 1024,
      timeout: gitTimeoutMs,
      killSignal: "SIGKILL",
    });
  }

  /** An older one takes no settings from the environment, and names of filters have shapes that `-c` does not take. */
  private refuseOldGit(): void {
    const version = this.run(this.folder, ["version"]).trim();
    const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(version) ?? []).map(Number);
    if (major < 2 || (major === 2 && minor < 31))
      throw new UnfitGit(`${version} can't be kept from running the repository's filters: 2.31 or later can`);
  }

  /** This one and what is checked out of its submodules, each once. */
  private repositories(): string[] {
    const found = [this.top()];
    // The list grows while it is gone through.
    for (const top of found) {
      const folders = new Set<string>();
      for (const line of this.run(top, ["ls-files", "--stage", "-z"]).split("\0")) {
        const name = line.slice(line.indexOf("\t") + 1);
        for (let above = path.dirname(name); !folders.has(above); above = path.dirname(above)) folders.add(above);
        const folder = path.join(top, name);
        if (!line.startsWith("160000 ") || statIfThere(path.join(folder, ".git")) === undefined) continue;
        if (!found.includes(folder)) found.push(this.topOf(folder));
      }
      for (const folder of folders) refuseUnfitFile(top, path.join(folder, ".gitattributes"));
    }
    return found;
  }

  private settingsOf(folder: string): Setting[] {
    let text = "";
    try {
      text = this.run(folder, ["config", "--show-scope", "-z", "--get-regexp", "^(filter|lfs|core)\\."]);
    } catch (error) {
      // Nothing is configured.
      if ((error as { status?: unknown }).status !== 1) throw error;
    }
    const parts = text.split("\0");
    const settings: Setting[] = [];
    for (let index = 0; index + 1 < parts.length; index += 2) {
      const [key = "", value = ""] = (parts[index + 1] ?? "").split(/\n(.*)/s);
      settings.push({ scope: parts[index] ?? "", key, value });
    }
    return settings;
  }
}

type Pairs = readonly (readonly [key: string, value: string])[];

const fixed: Pairs = [
  ["core.fsmonitor", "false"],
  ["core.hooksPath", "/dev/null"],
];

/** Objects that are not here are not fetched (from wherever, by whatever program), and nothing is written. */
const safeEnvironment = {
  GIT_NO_LAZY_FETCH: "1",
  GIT_ALLOW_PROTOCOL: "",
  GIT_TERMINAL_PROMPT: "0",
  GIT_OPTIONAL_LOCKS: "0",
};

/** Unlike `-c`, for names of every shape; submodules get them as well. After those that the user has set. */
function asVariables(settings: Pairs, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const given = Number(env["GIT_CONFIG_COUNT"] ?? 0) || 0;
  return Object.fromEntries([
    ["GIT_CONFIG_COUNT", String(given + settings.length)],
    ...settings.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${given + index}`, key],
      [`GIT_CONFIG_VALUE_${given + index}`, value],
    ]),
  ]) as NodeJS.ProcessEnv;
}

/** Git opens what it finds by its name, and waits for a pipe. */
function refuseUnfit(folder: string): void {
  const repository = findGitRoot(folder);
  if (repository === undefined) return;
  const { gitDir, commonDir } = gitDirectories(repository);
  for (const place of new Set([gitDir, commonDir].flatMap((each) => [each, path.join(each, "info")]))) {
    for (const name of namesIn(place)) refuseUnfitFile(repository, path.relative(repository, path.join(place, name)));
  }
}

function refuseUnfitFile(root: string, name: string): void {
  const stats = statIfThere(path.join(root, name));
  if (stats !== undefined && !stats.isFile() && !stats.isDirectory() && !stats.isSocket())
    throw new UnfitFile(`${name} is no file`);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isSameFolder(one: string, other: string): boolean {
  const [a, b] = [statIfThere(one), statIfThere(other)];
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}

function realIfPresent(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}
