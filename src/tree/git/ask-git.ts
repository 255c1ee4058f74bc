/**
 * Runs git on a repository whose configuration anybody may have written, as an archive brings its `.git` along. Such a
 * configuration names programs (a file system monitor, filters, hooks, fetchers of missing objects); none of them is
 * run.
 */
import { execFile, execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { realPathIfThere, statIfThere, UnfitFile } from "../../paths/index.ts";
import { settingsInstead, type Setting } from "./foreign-settings.ts";
import { findGitRoot, gitDirectories, gitEnvironment } from "./git-folders.ts";

/** Git takes its time to match the rules of a `.gitignore`. */
const gitTimeoutMs = 60_000;

/** Git cannot be run without running, or waiting for, something that the repository names. */
export class UnfitGit extends Error {
  override readonly name = "UnfitGit";
}

/** A file that git tracks, according to its index. */
export interface IndexedFile {
  /** Path relative to the repository's top. */
  name: string;
  isSubmodule: boolean;
  /** Git was told to assume it unchanged, or that it is not checked out. */
  isUnlookedAt: boolean;
}

const start = promisify(execFile);

export class AskedGit {
  private readonly folder: string;
  private readonly env: NodeJS.ProcessEnv;
  /** Replacements for settings that are not the user's own. */
  private instead: Promise<Pairs> | undefined;
  private ownTop: Promise<string> | undefined;
  private readonly indices = new Map<string, Promise<IndexedFile[]>>();

  constructor(folder: string, env: NodeJS.ProcessEnv = process.env) {
    // Git searches for the repository from its real working directory.
    this.folder = realPathIfThere(folder);
    this.env = gitEnvironment(env);
  }

  /**
   * Returns git's output. Throws if git fails, is missing or does not end, and for a repository that would make it
   * wait.
   */
  ask(...words: string[]): string {
    const { args, options } = this.question(this.folder, words);
    return execFileSync("git", args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  }

  /** Does the same without blocking the thread. */
  answer(...words: string[]): Promise<string> {
    return this.run(this.folder, words);
  }

  /** Does the same for queries that read the content of files, including those of submodules. */
  async compare(...words: string[]): Promise<string> {
    return this.run(this.folder, words, await this.readyToCompare());
  }

  /** Prepares `compare`. It depends on no other answer, so it can run beside other queries. */
  readyToCompare(): Promise<Pairs> {
    return (this.instead ??= Promise.all([this.refuseOldGit(), this.settings()]).then(([, settings]) => settings));
  }

  /**
   * Returns the repository's top folder, the one that contains `.git`. Throws an `UnfitGit` if its configuration names
   * another one, such as `/`.
   */
  top(): Promise<string> {
    return (this.ownTop ??= this.topOf(this.folder));
  }

  /** Returns everything that the repository tracks. */
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

  /** Returns what git tracks in a folder, running one process for each folder. */
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

  /**
   * Older versions read no settings from the environment, and names of filters have forms that `-c` does not accept.
   */
  private async refuseOldGit(): Promise<void> {
    const version = (await this.run(this.folder, ["version"])).trim();
    const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(version) ?? []).map(Number);
    if (major < 2 || (major === 2 && minor < 31))
      throw new UnfitGit(`${version} can't be kept from running the repository's filters: 2.31 or later can`);
  }

  private async settings(): Promise<Pairs> {
    // Runs in parallel; git's answers count only if the top folder is the right one.
    const [top, submodules, own] = await Promise.all([
      this.top(),
      this.indexed().then((files) => this.checkedOut(files)),
      this.settingsOf(this.folder),
    ]);
    const all = [...own];
    const seen = new Set([top]);
    // The list grows during the iteration.
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

  /** Returns submodules that are checked out; throws for files on the way to a file that git would wait for. */
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

/** Parses lines of `ls-files --stage -v -z`; a file in conflict has several. */
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

/** Prevents fetching missing objects (from anywhere, by any program), and writing. */
const safeEnvironment = {
  GIT_NO_LAZY_FETCH: "1",
  GIT_ALLOW_PROTOCOL: "",
  GIT_TERMINAL_PROMPT: "0",
  GIT_OPTIONAL_LOCKS: "0",
};

/**
 * Passes settings as variables: unlike `-c` they allow names of every form, and submodules get them too. They come
 * after those that the user has set.
 */
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

/** Throws for special files: git opens files by name, and waits for a pipe. */
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
