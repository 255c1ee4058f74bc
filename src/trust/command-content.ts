/** What a command of the repository runs, so that consent to its text does not cover another script. */
import { createHash } from "node:crypto";
import path from "node:path";
import { shellWord } from "../text/index.ts";
import { isInside, readRegular, realPath, statIfThere } from "../paths/index.ts";
import { repositoryOf } from "./places.ts";

/** Larger than any script; the rest of a larger file is not hashed. */
const longestScriptBytes = 1024 * 1024;
/** More than any command has; a configuration may hold hundreds of thousands. */
const mostWords = 500;
const mostFolders = 10;

/** Adds digests of the repository's files that a command names, so that a changed file makes it another command. */
export function commandWithContent(command: string, cwd: string, env: NodeJS.ProcessEnv): string {
  const files = contentOf(command, cwd, env);
  return files === "" ? command : `${command}  (with ${files})`;
}

/**
 * Returns the repository's files that a command names, with their digests; empty if it names none. A word may be
 * relative to `cwd` or to a folder that the command names as well (`cd deploy && sh all.sh`).
 */
export function contentOf(command: string, cwd: string, env: NodeJS.ProcessEnv): string {
  const repository = repositoryOf(cwd, env);
  const words = wordsOf(command);
  const inRepository = (base: string, word: string): string | undefined => {
    const file = path.resolve(base, word);
    if (statIfThere(file) === undefined) return undefined;
    const real = realPath(file);
    return isInside(repository, real) ? real : undefined;
  };
  const folders = words
    .flatMap((word) => inRepository(cwd, word) ?? [])
    .filter((real) => statIfThere(real)?.isDirectory() === true);
  const found = new Map<string, string>();
  for (const base of [...new Set([realPath(cwd), ...folders])].slice(0, mostFolders)) {
    for (const word of words) {
      const real = inRepository(base, word);
      if (real === undefined || found.has(real) || statIfThere(real)?.isFile() !== true) continue;
      found.set(real, `${shellWord(word)} ${digestOf(real)}`);
    }
  }
  return [...found.values()].join(", ");
}

function digestOf(file: string): string {
  try {
    const content = readRegular(file, { maxBytes: longestScriptBytes, cut: true });
    return `sha256:${createHash("sha256").update(content).digest("hex").slice(0, 16)}`;
  } catch {
    return "unreadable";
  }
}

/** Returns the words of a script, and its quoted texts, which may be names with spaces. */
function wordsOf(command: string): string[] {
  const quoted = [...command.matchAll(/'([^']*)'|"([^"]*)"/g)].map(([, single, double]) => single ?? double ?? "");
  return [...new Set([...command.split(/[\s;&|()<>'"`$=]+/), ...quoted])]
    .filter((word) => word !== "")
    .slice(0, mostWords);
}
