/**
 * The user's own key: whoever has it can write state that counts. It is in no repository, and readable by nobody else.
 */
import { createHash, createHmac, randomBytes } from "node:crypto";
import { lchownSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { UserError } from "../errors/index.ts";
import { HeldFolder, type Content } from "./held-folder.ts";
import { stateHome } from "../paths/index.ts";

const keyBytes = 32;
const keyFile = "state-key";
/** Variable of a key that machines share on purpose, e.g. CI jobs that restore `.fastloop` from a cache. */
const variable = "FASTLOOP_STATE_KEY";
const shortestShared = 32;

export interface UserKey {
  bytes: Uint8Array;
  /** Set by the variable: state then counts on every machine with the same key. */
  isShared: boolean;
}

let shared: Uint8Array | undefined;
const known = new Map<string, UserKey>();

/**
 * Removes the shared key from the environment, so that child processes do not inherit it. Throws a `UserError` for a
 * key that could be guessed.
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

/**
 * Returns the key of this user, creating it if needed. A key that cannot be saved is valid for this process only, and
 * `onNotice` is called.
 */
export function userKey(onNotice: (text: string) => void, env: NodeJS.ProcessEnv = process.env): UserKey {
  return shared === undefined ? ownKey(onNotice, env) : { bytes: shared, isShared: true };
}

/** Returns the key in this user's state, even if machines share another one. */
export function ownKey(onNotice: (text: string) => void, env: NodeJS.ProcessEnv = process.env): UserKey {
  const home = stateHome(env);
  let key = known.get(home);
  if (key === undefined) known.set(home, (key = { bytes: readOrMake(home, onNotice), isShared: false }));
  return key;
}

/** Reports whether the key is saved, so that other processes of this user will have it too. */
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
    // Another process may be creating one too; the first one wins.
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

/** Returns why the existing key must not be used; undefined if it may. */
function problemOf(folder: HeldFolder): string | undefined {
  const stats = folder.look(keyFile);
  if (stats === undefined) return "absent";
  if (!stats.isFile()) return "is not a file";
  const own = process.getuid?.();
  // When root uses a user's home, the key belongs to that user.
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

/** A file that root writes in a user's home must stay readable for that user. */
function giveToOwner(folder: HeldFolder, file: string): void {
  const { uid, gid } = folder.stats;
  if (process.getuid?.() === 0 && uid !== 0) lchownSync(file, uid, gid);
}
