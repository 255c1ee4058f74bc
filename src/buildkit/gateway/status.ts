import { setTimeout } from "node:timers/promises";
import type { ClientReadableStream } from "@grpc/grpc-js";
import type { Channel } from "../connection/channel.ts";
import { control, type StatusMessage, type Timestamp } from "../connection/messages.ts";
import type { StatusUpdate } from "../types.ts";

/** Follows the daemon's status of one gateway build until it is stopped or the build ends. */
export interface StatusFollower {
  /** Resolves when the daemon has sent the whole status. */
  readonly done: Promise<void>;
  /** Resolves when nothing of the build runs any more as far as the daemon has reported, or after two seconds. */
  quiet(): Promise<void>;
  stop(): void;
}

const QUIET_TIMEOUT_MS = 2_000;
/**
 * Delay between an event in the daemon and its report: it covers work right before a reported start and right after a
 * reported end.
 */
const UNTOLD_MS = 25;

/** Subscribes to the daemon's status of one build, and reports news to `onUpdate`. */
export function followStatus(channel: Channel, ref: string, onUpdate: Listener): StatusFollower {
  const account = accountOf(onUpdate);
  const stream: ClientReadableStream<StatusMessage> = channel.serverStream(control.status, { ref });
  const running = new Set<string>();
  const done = new Promise<void>((resolve) => {
    stream.on("data", (message) => {
      account.add(message);
      for (const { digest, started, completed } of message.vertexes) {
        if (started !== null && completed === null) running.add(digest);
        else running.delete(digest);
      }
    });
    // An error here means the end of the build or the connection. Callers that wait for a result get it there.
    stream.on("error", () => resolve());
    stream.on("end", () => resolve());
  });
  const quiet = async (): Promise<void> => {
    const latest = performance.now() + QUIET_TIMEOUT_MS;
    do await setTimeout(UNTOLD_MS);
    while (running.size > 0 && performance.now() < latest);
    await setTimeout(UNTOLD_MS);
  };
  return { done, quiet, stop: () => stream.cancel() };
}

type Listener = (update: StatusUpdate) => void;

const accounts = new WeakMap<Listener, Account>();

/** Returns the listener's account: one, however many solves it follows. */
function accountOf(listener: Listener): Account {
  const account = accounts.get(listener) ?? new Account(listener);
  accounts.set(listener, account);
  return account;
}

interface Told {
  startedNs: bigint;
  completedNs: bigint;
  lastLogNs: bigint;
}

/** Number of vertexes to remember. A forgotten one may be reported twice. */
const REMEMBERED_VERTEXES = 20_000;

/**
 * Merges the status of several solves into one. The daemon reports to each solve everything about the vertexes that it
 * shares with others, including logs. Here each run of a vertex is reported once.
 */
export class Account {
  readonly #onUpdate: Listener;
  readonly #told = new Map<string, Told>();

  constructor(onUpdate: Listener) {
    this.#onUpdate = onUpdate;
  }

  add(message: StatusMessage): void {
    const update: StatusUpdate = {
      vertexes: message.vertexes.filter((vertex) => this.#isNewState(vertex)).map(toVertex),
      logs: message.logs
        .filter((log) => this.#isNewLog(log))
        .map((log) => ({ vertex: log.vertex, stream: log.stream === "2" ? "stderr" : "stdout", data: log.msg })),
    };
    if (update.vertexes.length > 0 || update.logs.length > 0) this.#onUpdate(update);
  }

  #isNewState(vertex: StatusMessage["vertexes"][number]): boolean {
    const told = this.#of(vertex.digest);
    const startedNs = toNs(vertex.started);
    const completedNs = toNs(vertex.completed);
    const known = told.startedNs === startedNs && (completedNs === 0n || told.completedNs === completedNs);
    // A vertex that has not started is new only when nothing is known about it.
    const isNew = startedNs === 0n ? told.startedNs === -1n : !known;
    if (isNew) this.#told.set(vertex.digest, { ...told, startedNs, completedNs });
    return isNew;
  }

  #isNewLog(log: StatusMessage["logs"][number]): boolean {
    const told = this.#of(log.vertex);
    const atNs = toNs(log.timestamp);
    if (atNs <= told.lastLogNs) return false;
    this.#told.set(log.vertex, { ...told, lastLogNs: atNs });
    return true;
  }

  #of(digest: string): Told {
    const [oldest] = this.#told.size > REMEMBERED_VERTEXES ? this.#told.keys() : [];
    if (oldest !== undefined) this.#told.delete(oldest);
    return this.#told.get(digest) ?? { startedNs: -1n, completedNs: 0n, lastLogNs: -1n };
  }
}

function toVertex(vertex: StatusMessage["vertexes"][number]): StatusUpdate["vertexes"][number] {
  return {
    digest: vertex.digest,
    name: vertex.name,
    cached: vertex.cached,
    ...(vertex.started === null ? {} : { startedMs: toMs(vertex.started) }),
    ...(vertex.completed === null ? {} : { completedMs: toMs(vertex.completed) }),
    ...(vertex.error === "" ? {} : { error: vertex.error }),
  };
}

function toMs(timestamp: Timestamp): number {
  return Number(timestamp.seconds) * 1000 + timestamp.nanos / 1e6;
}

function toNs(timestamp: Timestamp | null): bigint {
  return timestamp === null ? 0n : BigInt(timestamp.seconds) * 1_000_000_000n + BigInt(timestamp.nanos);
}
