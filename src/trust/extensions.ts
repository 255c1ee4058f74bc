/** Programs of a repository that fastloop itself runs: named in `extensions`, trusted by their content. */
import { createHash } from "node:crypto";
import path from "node:path";
import type { LoadedConfig } from "../config/index.ts";
import { UserError } from "../errors/index.ts";
import { isReallyInside, readRegular } from "../paths/index.ts";
import type { Ask } from "./types.ts";

/** Keys of `extensions`: the parts of fastloop that a program can replace. */
export const extensionKeys = ["diff", "cache", "resources"] as const;
export type ExtensionKey = (typeof extensionKeys)[number];

/** Size limit in bytes; nobody reads a larger program before trusting it. */
const largestBytes = 1024 * 1024;

export interface ExtensionFile {
  /** Absolute path. */
  file: string;
  source: string;
  ask: Ask;
}

/** Reports whether a value of `extensions` names a file instead of a built-in extension. */
export const isExtensionFile = (name: string): boolean => name.startsWith("./") || name.startsWith("../");

/** Reads a file that `extensions` names. Throws a `UserError` if it is unreadable or outside the project. */
export function readExtension(root: string, key: ExtensionKey, name: string): ExtensionFile {
  const place = `extensions.${key}`;
  const file = path.resolve(root, name);
  let source: Buffer;
  try {
    if (!isReallyInside(root, file)) throw new UserError("config", `${name} is outside the project`, { place });
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

/**
 * Returns what the files of `extensions` ask for. An unreadable one asks for nothing; its error is reported where it is
 * used.
 */
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
