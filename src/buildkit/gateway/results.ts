import { randomBytes } from "node:crypto";
import { withinMs } from "../../async/index.ts";
import type { Channel } from "../connection/channel.ts";
import { entitlementsOf } from "./entitlements.ts";
import { Gateway, type GatewayOptions } from "./gateway.ts";
import type { BuildOptions, Ref, StatusUpdate } from "../types.ts";
import type { Definition } from "../../llb/types.ts";

/** How long a result stays held in the daemon after its last use. */
const IDLE_MS = 15_000;

/**
 * Time limit for the rest of the status, which the daemon normally sends at once. A lost connection must not delay an
 * error.
 */
const STATUS_FLUSH_MS = 2_000;

/** State that the results of one build share. */
export interface ResultOwner {
  options: GatewayOptions;
  cacheImports?: BuildOptions["cacheImports"];
  /** Gateways that are solving or exporting now. They are aborted with the build. */
  running: Set<Gateway>;
  onStatus: (update: StatusUpdate) => void;
}

/** A result that an open gateway build holds in the daemon. */
interface Held {
  gateway: Gateway;
  /** The daemon's id of the result, valid in this gateway only. */
  id: string;
  owner: ResultOwner;
  users: number;
  idleTimer: NodeJS.Timeout | undefined;
  release: () => Promise<void>;
}

/** A result as its owner sees it. When it is read after the daemon released it, it is solved again. */
interface Result extends Ref {
  owner: ResultOwner;
  definition: Definition;
  held: Promise<Held> | undefined;
}

/**
 * Results of solves. Each solve is a gateway build of its own, which ends soon after its result was last read. The
 * reason is that a daemon cannot update the snapshot of a host tree while any build holds a result made from it, and
 * would have to receive the whole tree again (5 s instead of 0.6 s for 50,000 files).
 *
 *    solve ──▶ held, in use ⇄ held, idle ──▶ released ──(read)──▶ solve, from the cache
 *                                  │ IDLE_MS, or another tree is to be sent
 */
export class Results {
  readonly #channel: Channel;
  readonly #held = new Set<Held>();
  /** Aborted builds whose execs have not ended yet. */
  readonly #ending = new Set<Promise<void>>();
  readonly #treesSeen = new Set<string>();

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** Solves and holds the result. Resolves to undefined when it is empty. */
  async solve(
    owner: ResultOwner,
    definition: Definition,
    signal?: AbortSignal,
    onStatus?: (update: StatusUpdate) => void,
  ): Promise<Ref | undefined> {
    signal?.throwIfAborted();
    if (definition.def.length === 0) return undefined;
    const held = await this.#hold(owner, definition, signal, onStatus);
    if (held === undefined) return undefined;
    const result: Result = { id: randomBytes(8).toString("hex"), owner, definition, held: Promise.resolve(held) };
    return result;
  }

  /** Runs a call on a result while it is held. */
  async use<T>(ref: Ref, call: (gateway: Gateway, id: string) => Promise<T>): Promise<T> {
    const held = await this.#take(ref as Result);
    try {
      return await call(held.gateway, held.id);
    } finally {
      held.users -= 1;
      this.#idleSoon(held);
    }
  }

  /** Aborts the owner's running solves and releases all its results in the daemon. */
  async releaseOwner(owner: ResultOwner): Promise<void> {
    const stopping = [...owner.running].map((gateway) => gateway.abort());
    await Promise.all([...this.#held].filter((held) => held.owner === owner).map((held) => held.release()));
    await Promise.all(stopping);
  }

  /**
   * Takes hold of a result and marks it as used in the same turn, because an unused result may be released at any time.
   * Parallel readers of a released result share the solve that restores it.
   */
  async #take(result: Result): Promise<Held> {
    for (;;) {
      const holding = result.held ?? this.#holdAgain(result);
      result.held = holding;
      const held = await holding.catch((error: unknown) => {
        if (result.held === holding) result.held = undefined;
        throw error;
      });
      if (this.#held.has(held)) {
        held.users += 1;
        clearTimeout(held.idleTimer);
        return held;
      }
      if (result.held === holding) result.held = undefined;
    }
  }

  async #holdAgain(result: Result): Promise<Held> {
    const held = await this.#hold(result.owner, fromCache(result.definition));
    if (held === undefined) throw new Error("a result became empty when it was solved again");
    return held;
  }

  async #hold(
    owner: ResultOwner,
    definition: Definition,
    signal?: AbortSignal,
    onStatus?: (update: StatusUpdate) => void,
  ): Promise<Held | undefined> {
    await this.#makeRoomForTrees(definition);
    signal?.throwIfAborted();
    const cacheImports = await owner.cacheImports?.();
    signal?.throwIfAborted();
    const gateway = new Gateway(
      this.#channel,
      { ...owner.options, cacheImports, entitlements: entitlementsOf([definition]) },
      onStatus ?? owner.onStatus,
    );
    owner.running.add(gateway);
    try {
      const ref = await gateway.solve(definition, signal);
      const release = async (): Promise<void> => {
        this.#held.delete(held);
        clearTimeout(held.idleTimer);
        await gateway.finish({}).catch(() => gateway.end());
        await gateway.status.done;
      };
      const held: Held = { gateway, id: ref?.id ?? "", owner, users: 0, idleTimer: undefined, release };
      if (ref === undefined) {
        await release();
        return undefined;
      }
      this.#held.add(held);
      this.#idleSoon(held);
      return held;
    } catch (error) {
      if (signal?.aborted === true || gateway.aborted) {
        this.#endLater(gateway);
        throw error;
      }
      gateway.end();
      // Report the error after the logs that explain it.
      await withinMs(gateway.status.done, STATUS_FLUSH_MS);
      throw error;
    } finally {
      owner.running.delete(gateway);
    }
  }

  #endLater(gateway: Gateway): void {
    const ending = gateway.abort();
    this.#ending.add(ending);
    void ending.then(() => this.#ending.delete(ending));
  }

  #idleSoon(held: Held): void {
    if (held.users > 0 || !this.#held.has(held)) return;
    clearTimeout(held.idleTimer);
    held.idleTimer = setTimeout(() => void held.release(), IDLE_MS).unref();
  }

  /**
   * Releases idle results before a tree is sent for the first time, because they may hold the snapshot that it updates.
   */
  async #makeRoomForTrees(definition: Definition): Promise<void> {
    const unseen = treesIn(definition).filter((tree) => !this.#treesSeen.has(tree));
    if (unseen.length === 0) return;
    for (const tree of unseen) this.#treesSeen.add(tree);
    const idle = [...this.#held].filter((held) => held.users === 0);
    await Promise.all([...idle.map((held) => held.release()), ...this.#ending]);
  }
}

/** Returns the same definition, allowed to use the results that its first solve has cached. */
function fromCache(definition: Definition): Definition {
  const metadata = Object.entries(definition.metadata).map(([digest, entry]) => [
    digest,
    { ...entry, ignoreCache: false },
  ]);
  return { def: definition.def, metadata: Object.fromEntries(metadata) };
}

/** Returns the session ids of the host trees that a definition reads, which its source ops contain as text. */
function treesIn(definition: Definition): string[] {
  return definition.def
    .map((op) => Buffer.from(op.buffer, op.byteOffset, op.byteLength))
    .filter((op) => op.includes("local://"))
    .flatMap((op) => op.toString("latin1").match(/tree-[0-9a-f]{64}/g) ?? []);
}
