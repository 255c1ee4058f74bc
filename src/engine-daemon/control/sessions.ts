/** Open sessions of the daemon: two tokens for each, and everything that ends with it. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { openApiSession } from "../../core-api/index.ts";
import { SecretMask } from "../../text/index.ts";
import type { BuildkitClient } from "../../buildkit/types.ts";
import type { EngineEvent } from "../../core-api/types.ts";
import type { KnownImages } from "../../core-api/index.ts";
import { withPlatforms, type PreparePlatform } from "../set-up/platforms.ts";
import type { MemoryCgroup } from "../buildkitd/memory-cgroup.ts";
import type { OpenSessionRequest } from "./protocol.ts";
import { readHostTrust } from "./trust.ts";

type ApiSession = Awaited<ReturnType<typeof openApiSession>>;

export interface Session {
  readonly token: string;
  /** Token for function bodies, which are refused the fields that reach the user's machine. */
  readonly bodyToken: string;
  readonly api: ApiSession;
  /** Message for the client when the session opens. */
  readonly notice?: string;
  /** Aborted when the session ends; its requests listen to it. */
  readonly signal: AbortSignal;
  close(reason: string): Promise<void>;
}

/** What a token gives access to. */
export interface Access {
  readonly session: Session;
  readonly isBody: boolean;
}

export interface SessionsOptions {
  shimDirectory(arch: string): Promise<string>;
  /** Parent of the sessions' temporary folders. */
  temporaryRoot: string;
  /** Undefined when BuildKit runs elsewhere. */
  preparePlatform: PreparePlatform | undefined;
  /**
   * Called when a session starts to close. The returned function is called when everything that it held is released.
   */
  working(): () => void;
  knownImages: KnownImages;
  /** Undefined when the machine cannot limit the memory of containers. */
  memory: MemoryCgroup | undefined;
  onError(error: unknown): void;
  /** Masks a session's secrets in the log. Call the returned function when the session has ended. */
  hide(mask: SecretMask): () => void;
}

export interface Sessions {
  readonly count: number;
  /** Milliseconds since the last session closed; 0 while one is open. */
  idleMs(): number;
  open(client: BuildkitClient, request: OpenSessionRequest, hooks: SessionHooks): Promise<Session>;
  /** Finds what a token gives access to. Tokens are compared in constant time. */
  find(token: string): Access | undefined;
  closeAll(reason: string): Promise<void>;
}

export interface SessionHooks {
  onEvent(event: EngineEvent): void;
  onTerminal(id: string, name: string): void;
  /** Called once when the session has ended, whichever side ended it. */
  onClosed(reason: string): void;
}

const unbounded =
  "engine.limits.memory decides which functions run together, and bounds no container: this machine has no cgroup for it";

export function createSessions(options: SessionsOptions): Sessions {
  const sessions = new Map<Session, { full: Buffer; body: Buffer }>();
  /** Memory limit declared by each session; undefined means unlimited. */
  const memoryBytes = new Map<Session, number | undefined>();
  /** Sets the limit that all containers share: the largest declared one, or none while any session declares none. */
  const boundMemory = (): void => {
    const declared = [...memoryBytes.values()];
    const largest = declared.includes(undefined) ? undefined : Math.max(...declared.map((bytes) => bytes ?? 0));
    try {
      options.memory?.bound(declared.length === 0 ? undefined : largest);
    } catch (error) {
      // The new limit is below what containers of another session already use.
      options.onError(error);
    }
  };
  let lastClosedAt = performance.now();
  /**
   * Why all sessions were last closed. A session that was being opened at that time depends on a BuildKit that is gone.
   */
  let closedAll: { reason: string } | undefined;

  return {
    get count() {
      return sessions.size;
    },
    idleMs: () => (sessions.size > 0 ? 0 : performance.now() - lastClosedAt),
    async open(client, request, hooks) {
      const before = closedAll;
      const [token, bodyToken] = [newToken(), newToken()];
      const controller = new AbortController();
      const notify = (text: string): void => hooks.onEvent({ kind: "notice", text });
      const isOffline = request.offline === true;
      // Offline, platforms that were not prepared before cannot be prepared.
      const prepare =
        isOffline && options.preparePlatform !== undefined ? () => Promise.resolve() : options.preparePlatform;
      const mask = new SecretMask();
      const forget = options.hide(mask);
      const api = await openApiSession({
        buildkit: prepare === undefined ? client : withPlatforms(client, prepare, notify),
        workdir: request.workdir,
        project: request.project,
        rootCapabilities: request.rootCapabilities === true,
        ...(request.umask === undefined ? {} : { umask: request.umask }),
        shimDirectory: options.shimDirectory,
        temporaryRoot: options.temporaryRoot,
        hostTrust: () => Promise.resolve(readHostTrust(request.env)),
        onEvent: hooks.onEvent,
        env: request.env,
        mask,
        knownImages: options.knownImages,
        ...(isOffline ? { offline: true } : {}),
        ...(request.live === true ? { live: true } : {}),
        ...(request.terminal === true ? { offerTerminal: hooks.onTerminal } : {}),
        ...(request.cache === undefined ? {} : { cache: request.cache }),
        ...(request.limits === undefined ? {} : { limits: request.limits }),
        ...(request.module === undefined ? {} : { module: request.module }),
      }).catch((error: unknown) => {
        forget();
        throw error;
      });
      if (closedAll !== undefined && closedAll !== before) {
        await api.close().catch(options.onError);
        forget();
        throw new Error(closedAll.reason);
      }
      const session: Session = {
        token,
        ...(request.limits?.memoryBytes === undefined || options.memory !== undefined ? {} : { notice: unbounded }),
        bodyToken,
        api,
        signal: controller.signal,
        async close(reason) {
          if (!sessions.delete(session)) return;
          lastClosedAt = performance.now();
          controller.abort(new Error(reason));
          hooks.onClosed(reason);
          const done = options.working();
          await api.close().catch(options.onError);
          // Keep the limit until the containers have ended. A smaller one would kill them, or others instead of them.
          memoryBytes.delete(session);
          boundMemory();
          forget();
          done();
        },
      };
      sessions.set(session, { full: digest(token), body: digest(bodyToken) });
      memoryBytes.set(session, request.limits?.memoryBytes);
      boundMemory();
      return session;
    },
    find(token) {
      const wanted = digest(token);
      let found: Access | undefined;
      for (const [session, { full, body }] of sessions) {
        if (timingSafeEqual(full, wanted)) found = { session, isBody: false };
        if (timingSafeEqual(body, wanted)) found = { session, isBody: true };
      }
      return found;
    },
    async closeAll(reason) {
      closedAll = { reason };
      await Promise.all([...sessions.keys()].map((session) => session.close(reason)));
    },
  };
}

function newToken(): string {
  return randomBytes(32).toString("hex");
}

/** Hashes a token, because the comparison needs values of equal length. */
function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
