import type { Directory } from "@dagger.io/dagger";
import { UserError } from "./user-error.ts";

/** The contents of `fastloop.lock`: digests of the images and clusters that fastloop.yaml names. */
export interface Lock {
  version: 1;
  /** Image name as in fastloop.yaml -> the same name with its digest. */
  images: Record<string, string>;
  /** The published base image: its content key, and its reference with the digest of the index. */
  base?: { key: string; ref: string };
  /** Environment -> identity of the cluster of its first deploy. */
  clusters?: Record<string, string>;
}

const reading = new WeakMap<Directory, Promise<Lock>>();

/** Returns the project's lock, or an empty one if there is no file. Reads it once per `source`. */
export function readLock(source: Directory): Promise<Lock> {
  const known = reading.get(source) ?? readLockFile(source);
  reading.set(source, known);
  return known;
}

async function readLockFile(source: Directory): Promise<Lock> {
  if (!(await source.entries()).includes("fastloop.lock")) return { version: 1, images: {} };
  return parseLock(await source.file("fastloop.lock").contents());
}

/** Parses the text of a lock. Throws a `UserError` if its version is not 1. */
export function parseLock(text: string): Lock {
  const lock: unknown = JSON.parse(text);
  if (typeof lock !== "object" || lock === null || (lock as Lock).version !== 1) {
    throw new UserError("fastloop.lock: expected version 1; run `fastloop call lock-base export --path fastloop.lock`");
  }
  return { ...(lock as Lock), images: (lock as Lock).images ?? {} };
}

/** Returns an image name with its digest in the lock, or unchanged if it has one or the lock has none. */
export const pinned = (name: string, lock: Lock): string => (name.includes("@") ? name : (lock.images[name] ?? name));
