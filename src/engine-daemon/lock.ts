/**
 * Ensures that at most one daemon uses a state folder. On Linux the lock is a socket in the abstract namespace: taking
 * it is atomic, and the kernel releases it however the holder dies, so it is never stale. Elsewhere it is a socket
 * file, which is stale when nothing listens on it.
 */
import { randomBytes } from "node:crypto";
import { linkSync, lstatSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { socketDir } from "./set-up/paths.ts";

/** Takes the lock. Resolves to a function that releases it, or to undefined when another process holds it. */
export async function takeLock(state: string): Promise<(() => void) | undefined> {
  const address =
    process.platform === "linux" ? `\0fastloop-engine-${lockName(state)}` : path.join(socketDir(state), "lock.sock");
  return (await listen(address)) ?? ((await removeStale(address)) ? listen(address) : undefined);
}

/** Returns a name that only users who may read the folder can know, so that no other user can take the lock first. */
function lockName(state: string): string {
  const file = path.join(state, "lock-name");
  const known = nameIn(file);
  if (known !== undefined) return known;
  // A truncated or handmade name could be guessed. Another process may remove the file at the same time, hence `force`.
  if (lstatSync(file, { throwIfNoEntry: false }) !== undefined) rmSync(file, { force: true });
  const candidate = `${file}.${process.pid}`;
  try {
    writeFileSync(candidate, randomBytes(nameBytes).toString("hex"), { mode: 0o600 });
    // A hard link appears with its whole content or not at all.
    linkSync(candidate, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(candidate, { force: true });
  }
  const made = nameIn(file);
  if (made === undefined) throw new Error(`${file} can't be read back`);
  return made;
}

const nameBytes = 16;

function nameIn(file: string): string | undefined {
  try {
    const name = readFileSync(file, "utf8").trim();
    return /^[0-9a-f]{32}$/.test(name) ? name : undefined;
  } catch {
    return undefined;
  }
}

function listen(address: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen({ path: address, exclusive: true }, () => {
      server.unref();
      resolve(() => server.close());
    });
  });
}

/** Removes a socket file that a dead process left. Returns whether it did. */
function removeStale(address: string): Promise<boolean> {
  if (address.startsWith("\0")) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = net.connect(address, () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") unlinkSync(address);
      resolve(error.code === "ECONNREFUSED");
    });
  });
}
