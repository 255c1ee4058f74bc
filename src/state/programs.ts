/**
 * Digests of the programs that set-up built, kept in the user's state: a cached program runs only if it still matches.
 * A program without a digest (from another state folder, or from before digests existed) gets one on first use,
 * provided that nobody else could have changed it.
 */
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readFileSync } from "node:fs";
import path from "node:path";
import { UserError } from "../errors/index.ts";
import { cacheHome, changeableByOthers, stateHome } from "../paths/index.ts";
import { writeFileAtomically } from "../tree/index.ts";
import { seal, unseal } from "./seal.ts";
import { isKept, ownKey } from "./user-key.ts";

type Environment = NodeJS.ProcessEnv;

/** Files that passed the check, with their identity at the time. */
const checked = new Map<string, string>();

/** Records the digests of programs that set-up has just built. */
export function recordPrograms(files: readonly string[], env: Environment = process.env): void {
  for (const file of files) record(file, digestOf(file), env);
}

/** Reports whether the program is as set-up built it, has no digest here, or was changed. */
export function programState(file: string, env: Environment = process.env): "built" | "unknown" | "changed" {
  const place = placeOf(file, env);
  if (!existsSync(place.file)) return "unknown";
  return readDigest(place, env) === digestOf(file) ? "built" : "changed";
}

/** Reports whether set-up can skip building the program: it exists, and `requireBuilt` would let it run. */
export function isBuilt(file: string, env: Environment = process.env): boolean {
  if (!existsSync(file)) return false;
  // This also covers sudo running a user's installation, where Go would write into npm's folder.
  if (!isInCache(file, env)) return true;
  const state = programState(file, env);
  return state === "built" || (state === "unknown" && changeableByOthers(file) === undefined);
}

/**
 * Returns the program if it may be run; throws a `UserError` otherwise. Programs outside the cache are not set-up's:
 * npm has checked the content of a package.
 */
export function requireBuilt(file: string, env: Environment = process.env): string {
  if (!isInCache(file, env)) return file;
  // Whoever starts a missing program reports that.
  if (!existsSync(file)) return file;
  const identity = identityOf(file);
  const key = `${stateHome(env)}\0${file}`;
  if (checked.get(key) === identity) return file;
  const refuse = (why: string): never => {
    throw new UserError("engine-unavailable", `${path.basename(file)} is not run: ${why}`, {
      place: file,
      hint: "`fastloop setup` rebuilds it",
    });
  };
  const state = programState(file, env);
  if (state === "changed") return refuse("it is not what set-up built, it was changed since");
  if (state === "unknown") {
    const problem = changeableByOthers(file);
    if (problem !== undefined) return refuse(`${problem}, and set-up has no digest of it`);
    record(file, digestOf(file), env);
  }
  checked.set(key, identity);
  return file;
}

const isInCache = (file: string, env: Environment): boolean => file.startsWith(cacheHome(env) + path.sep);

interface Place {
  name: string;
  file: string;
}

function placeOf(program: string, env: Environment): Place {
  const name = `programs/${createHash("sha256").update(program).digest("hex").slice(0, 32)}.json`;
  return { name, file: path.join(stateHome(env), name) };
}

function record(program: string, digest: string, env: Environment): void {
  const { name, file } = placeOf(program, env);
  // A digest sealed with a key that is lost would make the program look changed.
  if (!isKept(keyOf(env), env)) return;
  const content = Buffer.from(JSON.stringify({ version: 1, program, digest }));
  try {
    writeFileAtomically(file, Buffer.concat(seal(keyOf(env), name, [content])), 0o600);
  } catch {
    // A state that cannot be written has no digests: each command then only checks who could have changed the program.
  }
}

/** Returns undefined for content that this user did not write. */
function readDigest({ name, file }: Place, env: Environment): string | undefined {
  try {
    const content = unseal(keyOf(env), name, readFileSync(file));
    return content === undefined ? undefined : (JSON.parse(content.toString("utf8")) as { digest?: string }).digest;
  } catch {
    return undefined;
  }
}

/** The key of this user on this host, never one that CI jobs share. */
const keyOf = (env: Environment): Uint8Array => ownKey(() => undefined, env).bytes;

function digestOf(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

function identityOf(file: string): string {
  const { ino, dev, size, mtimeMs, ctimeMs } = lstatSync(file);
  return [dev, ino, size, mtimeMs, ctimeMs].join(" ");
}
