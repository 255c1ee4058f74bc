import { createHash } from "node:crypto";
import type { Channel } from "./channel.ts";
import { sendTree } from "./fsutil/sender.ts";
import type { Handler } from "./session/grpc-server.ts";
import { openSession, type Session } from "./session/session.ts";
import type { ServedTree, TreeSource } from "./types.ts";

interface Serving {
  session: Session;
  users: number;
}

/**
 * The host trees that are offered to BuildKit, each in a session of its own whose id is the tree's digest: a `local://`
 * source is cached by session id, so that the same tree has one cache key in every build and after a restart.
 */
export class ServedTrees {
  readonly #channel: Channel;
  readonly #serving = new Map<string, Serving>();

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  serve(tree: TreeSource): ServedTree & { release(): void } {
    const sessionId = `tree-${createHash("sha256").update(tree.digest).digest("hex")}`;
    // The name is part of the key under which BuildKit looks for the last transfer to update: one per hint.
    const name = `tree-${createHash("sha256").update(tree.sharedKeyHint).digest("hex").slice(0, 16)}`;
    const key = `${sessionId} ${name}`;
    let serving = this.#serving.get(key);
    if (serving === undefined || serving.session.closed) {
      const handler: Handler = (call) => sendTree(call, tree);
      serving = { session: openSession(this.#channel, sessionId, [["/moby.filesync.v1.FileSync/DiffCopy", handler]]), users: 0 };
      this.#serving.set(key, serving);
    }
    serving.users += 1;
    return { sessionId, name, release: this.#releaser(key, serving) };
  }

  close(): void {
    for (const { session } of this.#serving.values()) session.close();
    this.#serving.clear();
  }

  #releaser(key: string, serving: Serving): () => void {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      serving.users -= 1;
      if (serving.users > 0) return;
      serving.session.close();
      if (this.#serving.get(key) === serving) this.#serving.delete(key);
    };
  }
}
