/**
 * At most one daemon per state folder. On Linux the lock is a socket in the abstract namespace: taking it is atomic and
 * the kernel gives it back however the holder dies, so there is no stale lock. Elsewhere it is a socket file; what
 * nobody listens on is stale.
 */
import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { socketDir } from "./paths.ts";

/** Resolves with a release function, or with undefined when another process holds the lock. */
export async function takeLock(state: string): Promise<(() => void) | undefined> {
  const address =
    process.platform === "linux" ? `\0fastloop-engine-${lockName(state)}` : path.join(socketDir(state), "lock.sock");
  return (await listen(address)) ?? (await removeStale(address) ? listen(address) : undefined);
}

/** A name that only those can know who may read the folder, so that no other user can take it first. */
function lockName(state: string): string {
  const file = path.join(state, "lock-name");
  const candidate = `${file}.${process.pid}`;
  writeFileSync(candidate, randomBytes(16).toString("hex"), { mode: 0o600 });
  try {
    // A link appears with its whole content, or not at all.
    linkSync(candidate, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    unlinkSync(candidate);
  }
  return readFileSync(file, "utf8").trim();
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

/** True when the socket file was left behind by a dead process and is gone now. */
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
