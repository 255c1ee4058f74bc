/** The open sessions of the daemon: two tokens each, and everything that ends with them. */
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
  /** For function bodies, to which the fields that reach the user's machine are refused. */
  readonly bodyToken: string;
  readonly api: ApiSession;
  /** What the client should know from the start. */
  readonly notice?: string;
  /** Aborted when the session ends; requests of the session listen to it. */
  readonly signal: AbortSignal;
  close(reason: string): Promise<void>;
}

/** What a token opens. */
export interface Access {
  readonly session: Session;
  readonly isBody: boolean;
}

export interface SessionsOptions {
  shimDirectory(arch: string): Promise<string>;
  /** Where sessions make folders of their own. */
  temporaryRoot: string;
  /** Undefined where BuildKit is not ours. */
  preparePlatform: PreparePlatform | undefined;
  /** A session closes from now on; what it returns says that all it held is let go of. */
  working(): () => void;
  knownImages: KnownImages;
  /** Undefined where the machine bounds the memory of containers by nothing. */
  memory: MemoryCgroup | undefined;
  onError(error: unknown): void;
  /** Keeps a session's secrets out of the log until they are forgotten. */
  hide(mask: SecretMask): () => void;
}

export interface Sessions {
  readonly count: number;
  /** Milliseconds since the last session closed; 0 while one is open. */
  idleMs(): number;
  open(client: BuildkitClient, request: OpenSessionRequest, hooks: SessionHooks): Promise<Session>;
  /** Tokens are compared in constant time. */
  find(token: string): Access | undefined;
  closeAll(reason: string): Promise<void>;
}

export interface SessionHooks {
  onEvent(event: EngineEvent): void;
  onTerminal(id: string, name: string): void;
  /** Called once, when the session has ended, whoever ended it. */
  onClosed(reason: string): void;
}

const unbounded =
  "engine.limits.memory decides which functions run together, and bounds no container: this machine has no cgroup for it";

export function createSessions(options: SessionsOptions): Sessions {
  const sessions = new Map<Session, { full: Buffer; body: Buffer }>();
  /** What each session lets its containers have; undefined: all that there is. */
  const memoryBytes = new Map<Session, number | undefined>();
  /** All containers share one bound: the largest that is declared, and none while a session declares none. */
  const boundMemory = (): void => {
    const declared = [...memoryBytes.values()];
    const largest = declared.includes(undefined) ? undefined : Math.max(...declared.map((bytes) => bytes ?? 0));
    try {
      options.memory?.bound(declared.length === 0 ? undefined : largest);
    } catch (error) {
      // Less than the containers of another session have already.
      options.onError(error);
    }
  };
  let lastClosedAt = performance.now();
  /** Why all were closed last: a session that was being opened then stands on what is gone. */
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
      // Of a platform that was not prepared before there is nothing.
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
          // Not before its containers have ended: the bound of those that stay would end them, or others' instead.
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

/** Of equal length for every token, as the comparison needs. */
function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
