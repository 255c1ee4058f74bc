/** Programs of a repository that fastloop itself runs: named in `extensions`, trusted by what is in them. */
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import path from "node:path";
import type { LoadedConfig } from "../config/index.ts";
import { UserError } from "../errors/index.ts";
import { readRegular } from "../paths/index.ts";
import type { Ask } from "./types.ts";

/** Where a program can take the place of what fastloop brings: the keys of `extensions`. */
export const extensionKeys = ["diff", "cache", "resources"] as const;
export type ExtensionKey = (typeof extensionKeys)[number];

/** More than this is no program that one reads before trusting it. */
const largestBytes = 1024 * 1024;

export interface ExtensionFile {
  /** Absolute. */
  file: string;
  source: string;
  ask: Ask;
}

/** Whether a value of `extensions` names a file, not something built in. */
export const isExtensionFile = (name: string): boolean => name.startsWith("./") || name.startsWith("../");

/** A file that `extensions` names. Throws `UserError` where it can't be read or lies outside of the project. */
export function readExtension(root: string, key: ExtensionKey, name: string): ExtensionFile {
  const place = `extensions.${key}`;
  const file = path.resolve(root, name);
  let source: Buffer;
  try {
    const inside = path.relative(realpathSync(root), realpathSync(file));
    if (inside.startsWith("..") || path.isAbsolute(inside))
      throw new UserError("config", `${name} lies outside of the project`, { place });
    source = readRegular(file, { maxBytes: largestBytes });
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError("config", `${name} can't be read: ${reasonOf(cause)}`, { place, cause });
  }
  const digest = createHash("sha256").update(source).digest("hex");
  const ask: Ask = { kind: "extension", what: `${name} (sha256 ${digest})`, by: place };
  return { file, source: source.toString("utf8"), ask };
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const known: Record<string, string> = { ENOENT: "there is no such file", ELOOP: "its link leads to itself" };
  return known[code ?? ""] ?? message;
}

/** What the files of `extensions` ask for. One that can't be read asks for nothing: it is told where it is used. */
export function asksOfExtensions({ config, root }: Pick<LoadedConfig, "config" | "root">): Ask[] {
  return extensionKeys.flatMap((key) => {
    const name = config.extensions?.[key];
    if (name === undefined || !isExtensionFile(name)) return [];
    try {
      return [readExtension(root, key, name).ask];
    } catch (error) {
      if (error instanceof UserError) return [];
      throw error;
    }
  });
}
