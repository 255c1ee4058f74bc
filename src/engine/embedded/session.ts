/** A command's session with the embedded engine's daemon. */
import type http from "node:http";
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import path from "node:path";
import { withinMs } from "../../async/index.ts";
import { UserError } from "../../errors/index.ts";
import { createAgent, query } from "../../graphql/index.ts";
import type { EngineEvent, EngineSession, OpenSessionOptions } from "../types.ts";
import { NoDaemon, noEngineDaemon, parseAnswer, readJson, request } from "./control.ts";
import { watchDaemon } from "./heartbeat.ts";
import { liveLine, remoteTerminal } from "./terminal.ts";
import { lastFailure, logTail } from "./start.ts";
import { stopDaemon } from "./stop.ts";
import { packageRoot } from "../../paths/index.ts";
import { volumesOf } from "./project-identity.ts";
import {
  sessionLines,
  type ExportCachesRequest,
  type ExportedCaches,
  type OpenSessionRequest,
  type ServiceMemory,
  type ServiceMemoryRequest,
  type SessionLine,
  type SessionOpened,
} from "../../engine-daemon/index.ts";

/**
 * Opens a session with the daemon of a state folder. Undefined if none runs, or if an idle daemon of another build was
 * stopped.
 */
export async function openDaemonSession(
  state: string,
  options: OpenSessionOptions,
  reason: string,
): Promise<EngineSession | undefined> {
  const body: OpenSessionRequest = {
    workdir: options.workdir,
    env: process.env as Record<string, string>,
    umask: process.umask(),
    buildId: ownBuildId(),
    project: volumesOf(options),
    ...(options.rootCapabilities === true ? { rootCapabilities: true } : {}),
    ...(options.cache === undefined ? {} : { cache: options.cache }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.module === undefined ? {} : { module: options.module }),
    ...(options.offline === true ? { offline: true } : {}),
    ...(options.live === true ? { live: true } : {}),
    ...(options.onTerminal === undefined ? {} : { terminal: true }),
  };
  let response: http.IncomingMessage;
  try {
    response = await request(state, "POST", "/sessions", body, options);
  } catch (error) {
    if (error instanceof NoDaemon) return undefined;
    throw error;
  }
  if (response.statusCode === 409) {
    response.resume();
    options.onNotice?.("replacing the engine daemon of another build");
    await stopDaemon(state, false, options.onNotice);
    return undefined;
  }
  if (response.statusCode !== 200) {
    const { message } = await readJson<{ message: string }>(response);
    throw new UserError("engine-unavailable", `the embedded engine can't open a session: ${message}`, {
      detail: logTail(state, 12),
    });
  }
  if (response.headers["content-type"] !== sessionLines) {
    response.destroy();
    throw noEngineDaemon();
  }
  return followSession(response, reason, state, options);
}

/** Resolves with notices when the daemon has written the session's caches; an interrupted command does not wait. */
async function exportCaches(
  state: string,
  token: string,
  { signal, onNotice }: OpenSessionOptions,
): Promise<readonly string[]> {
  if (signal?.aborted === true) return [];
  try {
    const body = { token } satisfies ExportCachesRequest;
    const response = await request(state, "POST", "/caches", body, { signal, onNotice });
    return (await readJson<ExportedCaches>(response)).notices;
  } catch {
    // The session is over or the command is being interrupted, so there is nothing left to write.
    return [];
  }
}

async function memoryOf(
  state: string,
  body: Omit<ServiceMemoryRequest, "limitBytes"> & { limitBytes: number | undefined },
): Promise<{ usedBytes: number; kills: number } | undefined> {
  const { usedBytes, kills } = await readJson<ServiceMemory>(await request(state, "POST", "/memory", body));
  return usedBytes === undefined || kills === undefined ? undefined : { usedBytes, kills };
}

/** Reads `dist/build-id`, which changes with every change of the sources. */
function ownBuildId(): string {
  return readFileSync(path.join(packageRoot(), "dist", "build-id"), "utf8").trim();
}

/** Returns undefined for a line that was cut, or that no daemon wrote. */
function parsedLine<T>(line: string): T | undefined {
  try {
    return parseAnswer<T>(line);
  } catch {
    return undefined;
  }
}

const wentAway = "the engine daemon is gone";
/** A request may fail before the session's own connection reports the daemon's end. */
const endIsToldMs = 1000;

async function followSession(
  response: http.IncomingMessage,
  reason: string,
  state: string,
  options: OpenSessionOptions,
): Promise<EngineSession> {
  const listeners = new Set<(event: EngineEvent) => void>();
  const agent = createAgent();
  let ended: string | undefined;
  const lines = createInterface({ input: response, crlfDelay: Infinity });
  const heartbeat = watchDaemon(state, (text) => options.onNotice?.(text));
  response.once("close", () => heartbeat.end());
  const opened = new Promise<SessionOpened>((resolve, reject) => {
    lines.once("line", (first) => {
      const opened = parsedLine<SessionOpened>(first);
      if (opened === undefined) return reject(noEngineDaemon());
      resolve(opened);
      lines.on("line", (line) => {
        const parsed = parsedLine<SessionLine>(line);
        if (parsed === undefined) return lines.close();
        heartbeat.received();
        if (parsed.kind === "alive") return;
        if (parsed.kind === "session-ended") ended = parsed.reason;
        else if (parsed.kind === "terminal") options.onTerminal?.(remoteTerminal(state, opened.token, parsed));
        else for (const listener of listeners) listener(parsed);
      });
    });
    lines.once("close", () => {
      ended ??= wentAway;
      reject(new UserError("engine-unavailable", `the session could not be opened: ${ended}`));
    });
  });
  const isOver = new Promise<void>((resolve) => lines.once("close", resolve));
  // A broken connection is handled as the end of the lines.
  response.on("error", () => lines.close());
  // readline forwards its input's error; without a listener it would end the process.
  lines.on("error", () => undefined);
  const { port, token, bodyToken, engine, notice } = await opened;
  // A daemon from before bodies had their own token must not run them.
  if (typeof bodyToken !== "string") {
    response.destroy();
    agent.destroy();
    throw new UserError("engine-unavailable", "the engine daemon is of an earlier version of fastloop, and in use", {
      hint: "`fastloop engine stop --force` ends it, and the sessions that use it",
    });
  }
  if (notice !== undefined) options.onNotice?.(notice);
  return {
    engine: { ...engine, reason },
    port,
    token,
    body: { port, token: bodyToken },
    async query<T>(document: string, variables = {}, queryOptions = {}) {
      try {
        return await query<T>({ port, token, agent }, document, variables, queryOptions);
      } catch (error) {
        if (ended === undefined && error instanceof UserError && error.code === "engine-unavailable")
          await withinMs(isOver, endIsToldMs);
        // Whatever failed in the request, the cause is that the session is over.
        if (ended === undefined || !(error instanceof UserError)) throw error;
        const reason = ended === wentAway ? (lastFailure(state)?.message ?? wentAway) : ended;
        throw new UserError("engine-unavailable", `the engine's session ended: ${reason}`, { cause: error });
      }
    },
    ...(options.live === true
      ? {
          openLive: (id: string) => liveLine(state, token, id),
          serviceMemory: (id: string, limitBytes?: number) => memoryOf(state, { token, service: id, limitBytes }),
        }
      : {}),
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      if (ended === undefined && options.cache !== undefined && options.cache.to.length > 0) {
        for (const text of await exportCaches(state, token, options))
          for (const listener of listeners) listener({ kind: "notice", text });
      }
      ended ??= "closed";
      heartbeat.end();
      response.destroy();
      agent.destroy();
    },
  };
}
