/**
 * Git asked about a repository whose configuration anybody may have written: an archive brings its `.git` along. Such a
 * configuration names programs (a file system monitor, filters, hooks, what fetches missing objects); none of them is run.
 */
import { execFile, execFileSync } from "node:child_process";
import { readdirSync, realpathSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { statIfThere, UnfitFile } from "../../paths/index.ts";
import { settingsInstead, type Setting } from "./foreign-settings.ts";
import { findGitRoot, gitDirectories, gitEnvironment } from "./git-folders.ts";

/** Git takes its own time to match what a `.gitignore` says. */
const gitTimeoutMs = 60_000;

/** Git can't be asked without running, or waiting for, what the repository names. */
export class UnfitGit extends Error {
  override readonly name = "UnfitGit";
}

/** A file that git tracks, as its index has it. */
export interface IndexedFile {
  /** Relative to the repository's top. */
  name: string;
  isSubmodule: boolean;
  /** Git was told to take it for unchanged, or that it is not checked out. */
  isUnlookedAt: boolean;
}

const start = promisify(execFile);

export class AskedGit {
  private readonly folder: string;
  private readonly env: NodeJS.ProcessEnv;
  /** What is to be in the place of settings that are not the user's own. */
  private instead: Promise<Pairs> | undefined;
  private ownTop: Promise<string> | undefined;
  private readonly indices = new Map<string, Promise<IndexedFile[]>>();

  constructor(folder: string, env: NodeJS.ProcessEnv = process.env) {
    // Git looks for the repository from where it really runs.
    this.folder = realIfPresent(folder);
    this.env = gitEnvironment(env);
  }

  /** What git answers. Throws where it fails, is not there or does not end, and for a repository that it would wait for. */
  ask(...words: string[]): string {
    const { args, options } = this.question(this.folder, words);
    return execFileSync("git", args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  }

  /** The same without the thread waiting. */
  answer(...words: string[]): Promise<string> {
    return this.run(this.folder, words);
  }

  /** The same for a question whose answer takes the content of files, submodules' among them. */
  async compare(...words: string[]): Promise<string> {
    return this.run(this.folder, words, await this.readyToCompare());
  }

  /** What `compare` finds out first, of which the parts wait for nothing but git: to be begun beside other questions. */
  readyToCompare(): Promise<Pairs> {
    return (this.instead ??= Promise.all([this.refuseOldGit(), this.settings()]).then(([, settings]) => settings));
  }

  /** The repository's top folder, which is the one that holds its `.git`: its configuration may name another, as `/`. */
  top(): Promise<string> {
    return (this.ownTop ??= this.topOf(this.folder));
  }

  /** What the repository tracks, of the whole of it. */
  async indexed(): Promise<readonly IndexedFile[]> {
    return this.indexOf(findGitRoot(this.folder) ?? (await this.top()));
  }

  private async topOf(folder: string): Promise<string> {
    const top = (await this.run(folder, ["rev-parse", "--show-toplevel"])).replace(/\n$/, "");
    const holder = findGitRoot(folder);
    if (holder === undefined || !isSameFolder(top, holder))
      throw new UnfitGit(`the configuration of git says that the repository's files are in ${top}`);
    return top;
  }

  /** What git tracks there, by one process for a folder. */
  private indexOf(top: string): Promise<IndexedFile[]> {
    let index = this.indices.get(top);
    if (index === undefined) {
      index = this.run(top, ["ls-files", "--stage", "-v", "-z"]).then(filesOfIndex);
      this.indices.set(top, index);
    }
    return index;
  }

  private async run(folder: string, words: readonly string[], settings?: Pairs): Promise<string> {
    const { args, options } = this.question(folder, words, settings);
    const asked = start("git", args, options);
    asked.child.stdin?.end();
    return (await asked).stdout;
  }

  private question(folder: string, words: readonly string[], settings: Pairs = []) {
    refuseUnfit(folder);
    return {
      args: [...fixed.flatMap(([key, value]) => ["-c", `${key}=${value}`]), ...words],
      options: {
        cwd: folder,
        env: { ...this.env, ...safeEnvironment, ...asVariables([...fixed, ...settings], this.env) },
        encoding: "utf8",
        maxBuffer: 256 * 1024 * 1024,
        timeout: gitTimeoutMs,
        killSignal: "SIGKILL",
      } as const,
    };
  }

  /** An older one takes no settings from the environment, and names of filters have shapes that `-c` does not take. */
  private async refuseOldGit(): Promise<void> {
    const version = (await this.run(this.folder, ["version"])).trim();
    const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(version) ?? []).map(Number);
    if (major < 2 || (major === 2 && minor < 31))
      throw new UnfitGit(`${version} can't be kept from running the repository's filters: 2.31 or later can`);
  }

  private async settings(): Promise<Pairs> {
    // Without waiting for each other; what git answers counts only with a top folder that is the right one.
    const [top, submodules, own] = await Promise.all([
      this.top(),
      this.indexed().then((files) => this.checkedOut(files)),
      this.settingsOf(this.folder),
    ]);
    const all = [...own];
    const seen = new Set([top]);
    // The list grows while it is gone through.
    const waiting = submodules.map((name) => path.join(top, name));
    for (const folder of waiting) {
      const inner = await this.topOf(folder);
      if (seen.has(inner)) continue;
      seen.add(inner);
      all.push(...(await this.settingsOf(inner)));
      const files = await this.indexOf(inner);
      waiting.push(...this.checkedOut(files, inner).map((name) => path.join(inner, name)));
    }
    return settingsInstead(all);
  }

  /** Submodules that are there; refuses what git would wait for on the way to a file. */
  private checkedOut(files: readonly IndexedFile[], top = findGitRoot(this.folder) ?? this.folder): string[] {
    const folders = new Set<string>();
    for (const { name } of files)
      for (let above = path.dirname(name); !folders.has(above); above = path.dirname(above)) folders.add(above);
    for (const folder of folders) refuseUnfitFile(top, path.join(folder, ".gitattributes"));
    return files.flatMap(({ name, isSubmodule }) =>
      isSubmodule && statIfThere(path.join(top, name, ".git")) !== undefined ? [name] : [],
    );
  }

  private async settingsOf(folder: string): Promise<Setting[]> {
    let text = "";
    try {
      text = await this.run(folder, ["config", "--show-scope", "-z", "--get-regexp", "^(filter|lfs|core)\\."]);
    } catch (error) {
      // Nothing is configured.
      if ((error as { code?: unknown }).code !== 1) throw error;
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

/** Lines of `ls-files --stage -v -z`; a file in conflict has several. */
function filesOfIndex(text: string): IndexedFile[] {
  const files: IndexedFile[] = [];
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\0", at);
    const name = text.slice(text.indexOf("\t", at) + 1, end);
    if (files.at(-1)?.name !== name)
      files.push({
        name,
        isSubmodule: text.startsWith("160000 ", at + 2),
        isUnlookedAt: /[a-zS]/.test(text[at]!),
      });
    at = end + 1;
  }
  return files;
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
