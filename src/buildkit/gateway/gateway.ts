import { type ClientDuplexStream, Metadata } from "@grpc/grpc-js";
import { randomBytes } from "node:crypto";
import { setMaxListeners } from "node:events";
import type { CallOptions, Channel } from "../connection/channel.ts";
import type { Entitlement } from "./entitlements.ts";
import { SolveError } from "../connection/errors.ts";
import { bridge, control, type Method, type ResultMessage } from "../connection/messages.ts";
import { followStatus, type StatusFollower } from "./status.ts";
import type { CacheEntry, StatusUpdate } from "../types.ts";
import type { Definition } from "../../llb/types.ts";

export interface GatewayOptions {
  /** Session that serves secrets, credentials and export sinks. */
  sessionId: string;
  exporters?: { type: string; attributes: Record<string, string> }[];
  cacheImports?: readonly CacheEntry[];
  cacheExports?: readonly CacheEntry[];
  /**
   * Entitlements that the execs of this build need. The daemon refuses the build when it does not grant one of them.
   */
  entitlements?: readonly Entitlement[];
}

const givenUp = (): Error => new Error("the build was given up");

/**
 * A build whose frontend is this process. `Control.Solve` without a frontend stays open while `LLBBridge` calls carry
 * its id. `finish` returns a result, which the daemon then exports.
 */
export class Gateway {
  readonly ref = randomBytes(12).toString("hex");
  readonly status: StatusFollower;
  readonly #channel: Channel;
  readonly #metadata = new Metadata();
  readonly #options: GatewayOptions;
  readonly #calls = new AbortController();
  readonly #build = new AbortController();
  #ending: Promise<void> | undefined;
  #returned = false;
  readonly #solved: Promise<Record<string, string>>;

  constructor(channel: Channel, options: GatewayOptions, onStatus: (update: StatusUpdate) => void) {
    this.#channel = channel;
    // Each pending call adds a listener and removes it when it ends.
    setMaxListeners(0, this.#calls.signal);
    this.#options = options;
    this.#metadata.set("buildkit-controlapi-buildid", this.ref);
    const request = {
      ref: this.ref,
      session: options.sessionId,
      cache: { imports: [...(options.cacheImports ?? [])], exports: [...(options.cacheExports ?? [])] },
      entitlements: [...(options.entitlements ?? [])],
      // Keeps the build out of the daemon's history, which would cost disk writes for each build.
      internal: true,
      exporters: (options.exporters ?? []).map(({ type, attributes }) => ({ type, attrs: attributes })),
    };
    this.#solved = channel
      .unary(control.solve, request, { signal: this.#build.signal })
      .then(({ exporterResponse }) => exporterResponse);
    this.#solved.catch(() => {});
    this.status = followStatus(channel, this.ref, onStatus);
  }

  /**
   * Makes a call for this build. The daemon waits up to three seconds for a build that it does not know yet, so no
   * `Ping` is needed first. Rejects with the daemon's reason when it refused or ended the build.
   */
  call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: Omit<CallOptions, "metadata"> = {},
  ): Promise<Response> {
    const answer = this.#unary(method, request, options.signal);
    const ended = this.#solved.then(() => Promise.reject(new SolveError("the build has ended", 1)));
    return Promise.race([answer, ended]);
  }

  /** The daemon does not stop the calls of a build that has ended, so each is canceled here. */
  async #unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    signal?: AbortSignal,
  ): Promise<Response> {
    const either = new AbortController();
    const signals = [this.#calls.signal, ...(signal === undefined ? [] : [signal])];
    const listeners = signals.map((each) => {
      const abort = (): void => either.abort(each.reason);
      if (each.aborted) abort();
      else each.addEventListener("abort", abort, { once: true });
      return abort;
    });
    try {
      return await this.#channel.unary(method, request, { signal: either.signal, metadata: this.#metadata });
    } finally {
      for (const [index, each] of signals.entries()) each.removeEventListener("abort", listeners[index] ?? (() => {}));
    }
  }

  /** Opens a bidirectional stream, which ends with the build. */
  duplex<Request, Response>(method: Method<Request, Response>): ClientDuplexStream<Request, Response> {
    return this.#channel.duplex(method, this.#metadata);
  }

  /** Evaluates a definition. Resolves to undefined when the result is empty. */
  async solve(definition: Definition, signal?: AbortSignal): Promise<{ id: string } | undefined> {
    // BuildKit has no definition for the empty file system. As a result, it is a reference without an id.
    if (definition.def.length === 0) return undefined;
    const { cacheImports } = this.#options;
    const request = {
      definition,
      allowResultReturn: true,
      allowResultArrayRef: true,
      ...(cacheImports === undefined ? {} : { cacheImports }),
    };
    const { result } = await this.call(bridge.solve, request, { signal });
    const id = result?.ref?.id ?? "";
    if (id === "") return undefined;
    // A separate call rather than `Solve` with `evaluate`: there the daemon forgets to release a result that arrives
    // despite a cancellation (v0.33.1).
    await this.call(bridge.evaluate, { ref: id }, { signal });
    return { id };
  }

  /** Ends the build with a result and waits for the exporters. */
  async finish(result: ResultMessage, signal?: AbortSignal): Promise<Record<string, string>> {
    const abort = (): void => void this.abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      signal?.throwIfAborted();
      await this.#unary(bridge.return, { result }, signal);
      this.#returned = true;
      return await this.#solved;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Ends a build for which nothing runs any more. */
  end(): void {
    this.#calls.abort(givenUp());
    this.#build.abort(givenUp());
  }

  /**
   * Stops what runs for this build alone, then ends the build. With this order the daemon still knows whom the results
   * of dying execs belong to, and releases them. (Even so it keeps the writable mounts of a canceled exec until it
   * restarts: v0.33.1.) Pending calls reject at once; the promise resolves when the build has ended.
   */
  abort(): Promise<void> {
    this.#calls.abort(givenUp());
    // After `Return` only exporters run, and they end with the build.
    this.#ending ??= (this.#returned ? Promise.resolve() : this.status.quiet()).then(() => this.end());
    return this.#ending;
  }

  get aborted(): boolean {
    return this.#ending !== undefined;
  }
}
