/** What a compose file says of the project's files in its containers: bind mounts and `develop.watch`. */
import path from "node:path";
import type { ComposeService } from "./schema.ts";

/** As `up.NAME` of fastloop.yaml has them. */
export interface ComposeRules {
  sync?: { from: string; to: string; exclude?: string[] }[];
  restart?: string[];
  rebuild?: string[];
}

/** The project, as paths of a compose file are relative to it. */
export interface ComposeFolder {
  /** Of the compose file, relative to the project; empty for its root. */
  folder: string;
  /** Whether there is a folder of that path, relative to the project. */
  isFolder(file: string): boolean;
}

/** A path of the compose file, relative to the project, with `/` where it is a folder; undefined where it leads out of it. */
export function inProject(given: string, { folder, isFolder }: ComposeFolder): string | undefined {
  if (path.isAbsolute(given) || given.startsWith("~") || /^[\w+.-]+:\/\//.test(given)) return undefined;
  const joined = path.posix.normalize(path.posix.join(folder, given)).replace(/\/$/, "");
  if (joined === ".." || joined.startsWith("../")) return undefined;
  if (joined === ".") return "./";
  return isFolder(joined) ? `${joined}/` : joined;
}

/** `develop.watch`. */
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
