import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";

/**
 * Files that come and go while somebody edits others: swap, lock, backup and auto-save files, and what a safe write makes
 * for a moment. In the language of ignore files, and weaker than any of the project's own: `!*~` there brings them back.
 */
export const editorFiles = [
  // vim, neovim
  ".*.sw[a-p]", ".*.un~",
  // emacs
  ".#*", String.raw`\#*#`,
  // backups of vim, emacs, kate, gedit, nano
  "*~",
  // JetBrains
  "*___jb_tmp___", "*___jb_old___",
  // gedit, kate, LibreOffice
  ".goutputstream-*", ".*.kate-swp", ".~lock.*#",
  // Finder, Explorer
  ".DS_Store", "Thumbs.db",
].join("\n");

/** What is installed, not written. */
export const installed = "node_modules/";

const found = new Map<string, string | undefined>();

/** The user's own ignore file, for all repositories: `core.excludesFile`, else git's default place. */
export function globalExcludesFile(repository: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  const home = env["HOME"] ?? os.homedir();
  const folder = path.join(env["XDG_CONFIG_HOME"] || path.join(home, ".config"), "git");
  const configurations = [path.join(home, ".gitconfig"), path.join(folder, "config"), ...(repository === undefined ? [] : [path.join(repository, ".git/config")])];
  // Git is asked only where some configuration may name the file.
  if (!configurations.some((file) => /excludesfile|\[include/i.test(textOf(file)))) return path.join(folder, "ignore");
  const key = `${repository} ${home}`;
  if (!found.has(key)) found.set(key, configured(repository ?? home, env));
  return found.get(key) ?? path.join(folder, "ignore");
}

function configured(cwd: string, env: NodeJS.ProcessEnv): string | undefined {
  try {
    const name = execFileSync("git", ["config", "--path", "--get", "core.excludesFile"], { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    return path.resolve(cwd, name);
  } catch {
    return undefined;
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
