import path from "node:path";
import process from "node:process";
import { currentRecorder, homeFolder, regularTextIfThere } from "../../paths/index.ts";
import { AskedGit } from "../git/ask-git.ts";
import type { IgnoreRule } from "./gitignore.ts";
import { readOnce } from "../shared-reads.ts";

const patterns = [
  // vim: swap files, probe files (also by name), and undo files.
  String.raw`\..*\.sw[a-px]x?`,
  "4913",
  String.raw`\..*\.un~`,
  // emacs: locks and auto-save files.
  String.raw`\.#.*`,
  "#.*#",
  // Backups of vim, emacs, kate, gedit, nano.
  ".*~",
  // Safe writes of JetBrains, gedit, kate; locks of LibreOffice.
  ".*___jb_(tmp|old)___",
  String.raw`\.goutputstream-.*`,
  String.raw`\..*\.kate-swp`,
  String.raw`\.~lock\..*#`,
  // Locks of Office, safe writes of Chromium; files that network and user-space file systems keep after a deletion.
  String.raw`~\$.*`,
  String.raw`.*\.crswap`,
  String.raw`\.nfs[0-9a-f]{16,}`,
  String.raw`\.fuse_hidden[0-9a-f]{16,}`,
  // Finder, Explorer.
  String.raw`\.DS_Store`,
  String.raw`Thumbs\.db`,
];
const editorName = new RegExp(`^(${patterns.join("|")})$`, "s");

/**
 * Files that come and go while others are being edited: swap, lock, backup and auto-save files, and temporary files of
 * safe writes. They form one rule, as every file of a tree is compared with it. The rule is weaker than any in an
 * ignore file: `!*~` there includes backups again.
 */
export const editorFiles: IgnoreRule = {
  negated: false,
  directoryOnly: false,
  onName: true,
  // The first and last characters rule out most names.
  test: (name) => (/^[.#T~4]|[~_p]$/.test(name) ? editorName.test(name) : false),
};

/** Installed packages, which nobody edits. */
export const installed = "node_modules/";

const found = new Map<string, string | undefined>();

/** Returns the user's own ignore file for all repositories: `core.excludesFile`, else git's default location. */
export function globalExcludesFile(repository: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  return readOnce(`excludes file of ${repository}`, () => findExcludesFile(repository, env));
}

/** Returns the git configuration files that may name it, so that a change in one may lead to another file. */
export function excludesConfigurations(repository: string | undefined, env: NodeJS.ProcessEnv = process.env): string[] {
  return [
    path.join(homeFolder(env), ".gitconfig"),
    path.join(gitFolder(env), "config"),
    ...(repository === undefined ? [] : [path.join(repository, ".git/config")]),
  ];
}

const gitFolder = (env: NodeJS.ProcessEnv): string =>
  path.join(env["XDG_CONFIG_HOME"] || path.join(homeFolder(env), ".config"), "git");

function findExcludesFile(repository: string | undefined, env: NodeJS.ProcessEnv): string {
  const home = homeFolder(env);
  const folder = gitFolder(env);
  const texts = excludesConfigurations(repository, env).map(textOf);
  // Git runs only if some configuration may name the file, and only once for each content.
  if (!texts.some((text) => /excludesfile|\[include/i.test(text))) return path.join(folder, "ignore");
  const key = [repository, home, ...texts].join("\0");
  if (!found.has(key)) found.set(key, configured(repository ?? home, env));
  return found.get(key) ?? path.join(folder, "ignore");
}

function configured(cwd: string, env: NodeJS.ProcessEnv): string | undefined {
  try {
    const name = new AskedGit(cwd, env).ask("config", "--path", "--get", "core.excludesFile").replace(/\n$/, "");
    return path.resolve(cwd, name);
  } catch {
    return undefined;
  }
}

function textOf(file: string): string {
  currentRecorder()?.content(file);
  return regularTextIfThere(file);
}
