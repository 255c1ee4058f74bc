/** The user's own key: whoever has it can write what counts as ours. It lies in no repository, and readable by nobody else. */
import { createHash, createHmac, randomBytes } from "node:crypto";
import { lchownSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { UserError } from "../errors/index.ts";
import { HeldFolder, type Content } from "./held-folder.ts";
import { stateHome } from "../paths/index.ts";

const keyBytes = 32;
const keyFile = "state-key";
/** A key that machines share on purpose, e.g. the jobs of a CI that restores `.fastloop` from a cache. */
const variable = "FASTLOOP_STATE_KEY";
const shortestShared = 32;

export interface UserKey {
  bytes: Uint8Array;
  /** Given by the variable: then what is stored counts on every machine that has it. */
  isShared: boolean;
}

let shared: Uint8Array | undefined;
const known = new Map<string, UserKey>();

/**
 * Takes the shared key out of the environment, so that nothing that is started later inherits it. Throws `UserError` for
 * one that could be guessed.
 */
export function takeStateKey(env: NodeJS.ProcessEnv): void {
  const text = env[variable];
  delete env[variable];
  if (text === undefined || text === "") return;
  if (text.length < shortestShared) {
    throw new UserError("usage", `the key has ${text.length} characters, and needs ${shortestShared} or more`, {
      place: variable,
      hint: "make one with `openssl rand -hex 32`",
    });
  }
  shared = createHmac("sha256", "fastloop state key").update(text).digest();
}

/** The key of this user; made when there is none. One that cannot be kept holds for this process, and `onNotice` is told. */
export function userKey(onNotice: (text: string) => void, env: NodeJS.ProcessEnv = process.env): UserKey {
  return shared === undefined ? ownKey(onNotice, env) : { bytes: shared, isShared: true };
}

/** The key in this user's state, whatever machines share. */
export function ownKey(onNotice: (text: string) => void, env: NodeJS.ProcessEnv = process.env): UserKey {
  const home = stateHome(env);
  let key = known.get(home);
  if (key === undefined) known.set(home, (key = { bytes: readOrMake(home, onNotice), isShared: false }));
  return key;
}

/** Whether another process of this user will have the same key. */
export function isKept(key: Uint8Array, env: NodeJS.ProcessEnv = process.env): boolean {
  try {
    const kept = parseKey(readFileSync(path.join(stateHome(env), keyFile)));
    return kept !== undefined && Buffer.from(key).equals(kept);
  } catch {
    return false;
  }
}

function readOrMake(home: string, onNotice: (text: string) => void): Uint8Array {
  const file = path.join(home, keyFile);
  let folder: HeldFolder | undefined;
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    folder = HeldFolder.open(home);
    const problem = problemOf(folder);
    if (problem === undefined) return parseKey(folder.read(keyFile, 1024))!;
    if (problem !== "absent") {
      onNotice(
        `${file} ${problem}: a new key was made, and what was recorded with the old one does not count any more`,
      );
      folder.remove(keyFile);
    }
    const made = randomBytes(keyBytes);
    // Another process may be making one as well: that of the first holds.
    if (folder.make(keyFile, textOf(made))) giveToOwner(folder, file);
    const kept = parseKey(folder.read(keyFile, 1024));
    if (kept !== undefined && problemOf(folder) === undefined) return kept;
    onNotice(
      `${file} is not kept as this user's alone by this file system: what is recorded counts for this process only`,
    );
    return made;
  } catch (error) {
    onNotice(
      `${file} can't be kept (${(error as NodeJS.ErrnoException).code ?? String(error)}): what is recorded counts for this process only`,
    );
    return randomBytes(keyBytes);
  } finally {
    folder?.close();
  }
}

/** Why the key that lies there is not to be used; undefined when it is. */
function problemOf(folder: HeldFolder): string | undefined {
  const stats = folder.look(keyFile);
  if (stats === undefined) return "absent";
  if (!stats.isFile()) return "is not a file";
  const own = process.getuid?.();
  // As root with the home of a user the key is that user's.
  if (own !== undefined && stats.uid !== own && !(own === 0 && stats.uid === folder.stats.uid))
    return "belongs to another user";
  if ((stats.mode & 0o077) !== 0) return "could be read by other users";
  return parseKey(folder.read(keyFile, 1024)) === undefined ? "is damaged" : undefined;
}

const textOf = (key: Uint8Array): string => {
  const hex = Buffer.from(key).toString("hex");
  return `fastloop state key, to be known to nobody else\n${hex} ${checkOf(hex)}\n`;
};

export function parseKey(content: Content): Uint8Array | undefined {
  if (typeof content === "string") return undefined;
  const [, hex = "", check] =
    /^fastloop state key[^\n]*\n([0-9a-f]{64}) ([0-9a-f]{8})\n$/.exec(content.toString("latin1")) ?? [];
  return check !== undefined && check === checkOf(hex) ? Buffer.from(hex, "hex") : undefined;
}

const checkOf = (hex: string): string => createHash("sha256").update(hex).digest("hex").slice(0, 8);

/** What root writes in a user's home is to stay readable for that user. */
function giveToOwner(folder: HeldFolder, file: string): void {
  const { uid, gid } = folder.stats;
  if (process.getuid?.() === 0 && uid !== 0) lchownSync(file, uid, gid);
}
