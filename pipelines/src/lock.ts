import type { Directory } from "@dagger.io/dagger";
import { UserError } from "./user-error.ts";

/** `fastloop.lock`: which digests the names in `fastloop.yaml` stand for. */
export interface Lock {
  version: 1;
  /** Image name as written -> the same name with its digest. */
  images: Record<string, string>;
  /** The published base: its content key, and the reference with the digest of the index. */
  base?: { key: string; ref: string };
  /** Environment -> identity of the cluster that its first deploy went to. */
  clusters?: Record<string, string>;
}

const reading = new WeakMap<Directory, Promise<Lock>>();

/** The project's lock; an empty one where there is none. Read once for each tree. */
export function readLock(source: Directory): Promise<Lock> {
  const known = reading.get(source) ?? readLockFile(source);
  reading.set(source, known);
  return known;
}

async function readLockFile(source: Directory): Promise<Lock> {
  if (!(await source.entries()).includes("fastloop.lock")) return { version: 1, images: {} };
  return parseLock(await source.file("fastloop.lock").contents());
}

export function parseLock(text: string): Lock {
  const lock: unknown = JSON.parse(text);
  if (typeof lock !== "object" || lock === null || (lock as Lock).version !== 1) {
    throw new UserError("fastloop.lock is not of version 1; run `fastloop call lock-base export --path fastloop.lock`");
  }
  return { ...(lock as Lock), images: (lock as Lock).images ?? {} };
}

/** The name with the digest that the lock holds for it; as it is where the lock has none. */
export const pinned = (name: string, lock: Lock): string => (name.includes("@") ? name : (lock.images[name] ?? name));
