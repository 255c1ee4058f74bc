/** Converts what a compose file says about project files in containers: bind mounts and `develop.watch`. */
import path from "node:path";
import { leadsOut } from "../../paths/index.ts";
import type { ComposeService } from "./schema.ts";

/** Same shape as `up.NAME` in fastloop.yaml. */
export interface ComposeRules {
  sync?: { from: string; to: string; exclude?: string[] }[];
  restart?: string[];
  rebuild?: string[];
}

/** The project folder that paths of a compose file are resolved in. */
export interface ComposeFolder {
  /** Folder of the compose file, relative to the project; empty for the project's root. */
  folder: string;
  /** Reports whether a path, relative to the project, is a folder. */
  isFolder(file: string): boolean;
}

/**
 * Returns a compose file's path relative to the project, with a trailing `/` for a folder; undefined when it leads
 * outside.
 */
export function inProject(given: string, { folder, isFolder }: ComposeFolder): string | undefined {
  if (path.isAbsolute(given) || given.startsWith("~") || /^[\w+.-]+:\/\//.test(given)) return undefined;
  const joined = path.posix.normalize(path.posix.join(folder, given)).replace(/\/$/, "");
  if (leadsOut(joined)) return undefined;
  if (joined === ".") return "./";
  return isFolder(joined) ? `${joined}/` : joined;
}

/** Converts `develop.watch`. */
export function developRules(
  watch: NonNullable<ComposeService["develop"]>["watch"],
  place: ComposeFolder,
): ComposeRules {
  const rules: Required<ComposeRules> = { sync: [], restart: [], rebuild: [] };
  for (const { action, path: given, target, ignore } of watch ?? []) {
    const from = inProject(given, place);
    if (from === undefined) continue;
    if (action === "rebuild") rules.rebuild.push(from);
    if (target !== undefined && action.startsWith("sync"))
      rules.sync.push({ from, to: target, ...(ignore === undefined ? {} : { exclude: ignore }) });
    if (action.includes("restart")) rules.restart.push(from);
  }
  const { sync, restart, rebuild } = rules;
  return {
    ...(sync.length === 0 ? {} : { sync }),
    ...(restart.length === 0 ? {} : { restart }),
    ...(rebuild.length === 0 ? {} : { rebuild }),
  };
}
