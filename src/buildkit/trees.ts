import { createHash } from "node:crypto";
import type { Channel } from "./connection/channel.ts";
import { sendTree } from "./fsutil/sender.ts";
import type { Handler } from "./session/grpc-server.ts";
import { openSession, type Session } from "./session/session.ts";
import type { ServedTree, TreeSource } from "./types.ts";

interface Serving {
  session: Session;
  users: number;
}

/**
 * Host trees served to BuildKit. Each has a session of its own whose id is derived from the tree's digest. BuildKit
 * caches a `local://` source by session id, so the same tree has one cache key in every build and after a restart.
 *
 *    (none) ──serve──▶ served ──last release──▶ closing ──the daemon forgot the id──▶ (none)
 *                                                  └─ serve waits
 */
export class ServedTrees {
  readonly #channel: Channel;
  /** Trees being served, by session id. */
  readonly #serving = new Map<string, Serving>();
  readonly #closing = new Map<string, Promise<void>>();

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  async serve(tree: TreeSource): Promise<ServedTree & { release(): void }> {
    // The name is part of the key by which BuildKit finds the last transfer to update, so there is one per hint.
    const name = `tree-${sha256(tree.sharedKeyHint).slice(0, 16)}`;
    // One listing under two filters needs two sessions. With a single id, the first to end would end the other.
    const sessionId = `tree-${sha256(`${tree.digest} ${name}`)}`;
    for (let closing = this.#closing.get(sessionId); closing !== undefined; closing = this.#closing.get(sessionId))
      await closing;
    let serving = this.#serving.get(sessionId);
    if (serving === undefined || serving.session.closed) {
      const handler: Handler = (call) => sendTree(call, tree);
      serving = {
        session: openSession(this.#channel, sessionId, [["/moby.filesync.v1.FileSync/DiffCopy", handler]]),
        users: 0,
      };
      this.#serving.set(sessionId, serving);
    }
    serving.users += 1;
    return { sessionId, name, release: this.#releaser(sessionId, serving) };
  }

  close(): void {
    for (const { session } of this.#serving.values()) void session.close();
    this.#serving.clear();
  }

  #releaser(sessionId: string, serving: Serving): () => void {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      serving.users -= 1;
      if (serving.users > 0) return;
      const closed = serving.session.close();
      // A session that broke may have been replaced by another one.
      if (this.#serving.get(sessionId) !== serving) return;
      this.#serving.delete(sessionId);
      this.#closing.set(
        sessionId,
        closed.then(() => void this.#closing.delete(sessionId)),
      );
    };
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
