/**
 * Git asked about a repository whose configuration anybody may have written: an archive brings its `.git` along. Such a
 * configuration names programs (a file system monitor, filters, hooks, what fetches missing objects); none of them is run.
 */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { statIfThere, UnfitFile } from "../paths/index.ts";
import { findGitRoot, gitDirectories, gitEnvironment } from "./git-folders.ts";

/** Git takes its own time to match what a `.gitignore` says. */
const gitTimeoutMs = 60_000;

export class AskedGit {
  private readonly folder: string;
  private readonly env: NodeJS.ProcessEnv;
  /** Filters that are not the user's own, with what is to be in their place. */
  private filters: ReadonlyMap<string, string> | undefined;

  constructor(folder: string, env: NodeJS.ProcessEnv = process.env) {
    this.folder = folder;
    this.env = gitEnvironment(env);
  }

  /** What git answers. Throws where it fails, is not there or does not end, and for a repository that it would wait for. */
  ask(...words: string[]): string {
    return this.run(this.folder, words, fixed);
  }

  /** The same for a question whose answer takes the content of files, submodules' among them. */
  compare(...words: string[]): string {
    this.filters ??= new Map(this.repositories().flatMap((folder) => [...this.foreignFilters(folder)]));
    return this.run(this.folder, words, [...fixed, ...this.filters]);
  }

  private run(folder: string, words: readonly string[], settings: readonly (readonly [string, string])[]): string {
    refuseUnfit(folder);
    return execFileSync("git", words, {
      cwd: folder,
      env: { ...this.env, ...safeEnvironment, ...asVariables(settings, this.env) },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 256 * 1024 * 1024,
      timeout: gitTimeoutMs,
      killSignal: "SIGKILL",
    });
  }

  /** This one and what is checked out of its submodules, each once. */
  private repositories(): string[] {
    const found = [this.run(this.folder, ["rev-parse", "--show-toplevel"], fixed).replace(/\n$/, "")];
    // The list grows while it is gone through.
    for (const top of found) {
      const folders = new Set<string>();
      for (const line of this.run(top, ["ls-files", "--stage", "-z"], fixed).split("\0")) {
        const name = line.slice(line.indexOf("\t") + 1);
        folders.add(path.dirname(name));
        const folder = path.join(top, name);
        if (!line.startsWith("160000 ") || statIfThere(path.join(folder, ".git")) === undefined) continue;
        if (!found.includes(folder)) found.push(folder);
      }
      for (const folder of folders) refuseUnfitFile(top, path.join(folder, ".gitattributes"));
    }
    return found;
  }

  private foreignFilters(folder: string): Map<string, string> {
    let text = "";
    try {
      text = this.run(folder, ["config", "--show-scope", "-z", "--get-regexp", "^filter\\."], fixed);
    } catch (error) {
      // Nothing is configured.
      if ((error as { status?: unknown }).status !== 1) throw error;
    }
    const foreign = new Map<string, string>();
    const own = new Map<string, string>();
    const parts = text.split("\0");
    for (let index = 0; index + 1 < parts.length; index += 2) {
      const [key = "", value = ""] = (parts[index + 1] ?? "").split(/\n(.*)/s);
      if (ownScopes.has(parts[index] ?? "")) own.set(key, value);
      else foreign.set(key, key.endsWith(".required") ? "false" : "");
    }
    return new Map([...foreign].map(([key, nothing]) => [key, own.get(key) ?? nothing]));
  }
}

/** Whose settings are the user's, or the machine's. */
const ownScopes = new Set(["system", "global", "command"]);

const fixed: readonly (readonly [string, string])[] = [
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
function asVariables(settings: readonly (readonly [string, string])[], env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
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
