/** Requests to the engine daemon over its control socket. */
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../errors/index.ts";
import { busyNotice, giveUpAfterMs, noticeAfterMs, notAnswering, Silence, silenceNotice, tooBusy } from "./silence.ts";
import {
  controlHeaders,
  controlSocket,
  foreignFolder,
  notedProcess,
  sessionLines,
  socketDir,
  type DaemonStatus,
} from "../../engine-daemon/index.ts";

/** Nothing listens on the control socket: there is no daemon, or it has just ended. */
export class NoDaemon extends Error {
  override readonly name = "NoDaemon";
}

/** Connection error codes with that meaning. */
const absent = new Set(["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE"]);

/** A running daemon has closed the connection unread: it has as many as it takes, or is about to end. */
class Turned extends Error {
  override readonly name = "Turned";
}

const turned = new Set(["ECONNRESET", "EPIPE"]);
const tryAgainMs = 100;

export interface RequestOptions {
  signal?: AbortSignal | undefined;
  /** Called when the daemon is silent, and when it answers after all. */
  onNotice?: ((text: string) => void) | undefined;
  /** How long the daemon may be silent before the request fails, in milliseconds. */
  giveUpMs?: number;
}

/**
 * Sends a request and resolves with the response once its headers arrive. Throws `NoDaemon` if nothing listens. A
 * working daemon sends signs of life; `onNotice` reports when they stop, or when it takes no more connections.
 */
export async function request(
  state: string,
  method: "GET" | "POST",
  route: string,
  body?: unknown,
  options: RequestOptions = {},
): Promise<http.IncomingMessage> {
  const { signal, onNotice, giveUpMs = giveUpAfterMs } = options;
  const startedMs = performance.now();
  let isTold = false;
  for (;;) {
    try {
      return await requestOnce(state, method, route, body, options);
    } catch (error) {
      if (!(error instanceof Turned)) throw error;
    }
    const waitedMs = performance.now() - startedMs;
    if (waitedMs >= giveUpMs) throw tooBusy(state, waitedMs);
    if (waitedMs >= noticeAfterMs && !isTold) {
      isTold = true;
      onNotice?.(busyNotice(state));
    }
    await sleep(tryAgainMs, undefined, { signal });
  }
}

async function requestOnce(
  state: string,
  method: "GET" | "POST",
  route: string,
  body: unknown,
  options: RequestOptions,
): Promise<http.IncomingMessage> {
  requireOwnSocket(state);
  const headers = controlHeaders(state);
  const { signal, onNotice, giveUpMs = giveUpAfterMs } = options;
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const call = http.request(
      // No agent: a session needs a connection of its own, which ends when the session does.
      {
        socketPath: controlSocket(state),
        method,
        path: route,
        headers,
        agent: false,
        ...(signal === undefined ? {} : { signal }),
      },
      (answer) => {
        head = answer;
        silence.reset();
        // A session's response lasts as long as the session.
        if (answer.headers["content-type"] === sessionLines) silence.end();
        else answer.once("close", () => silence.end());
        resolve(answer);
      },
    );
    let head: http.IncomingMessage | undefined;
    let isTaken = false;
    const silence = new Silence({
      giveUpMs,
      onSilence: () => onNotice?.(silenceNotice(state)),
      onAnswer: () => onNotice?.("the engine daemon answers again"),
      onGone: () => (head ?? call).destroy(notAnswering(state, giveUpMs)),
    });
    call.on("information", () => {
      isTaken = true;
      silence.reset();
    });
    call.once("error", (error: NodeJS.ErrnoException) => {
      silence.end();
      // The socket's backlog is full, as too many clients are waiting for the daemon.
      if (error.code === "EAGAIN") reject(notAnswering(state, 0));
      else if (error.code?.startsWith("HPE_") === true) reject(noEngineDaemon(error));
      else if (!isTaken && turned.has(error.code ?? "") && notedProcess(state, "daemon") !== undefined)
        reject(new Turned(error.message));
      else reject(absent.has(error.code ?? "") ? new NoDaemon(error.message) : error);
    });
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
  if (response.statusCode !== 401) return response;
  response.resume();
  // A new daemon started after the secret was read.
  if (controlHeaders(state).authorization !== headers.authorization)
    return request(state, method, route, body, options);
  throw new UserError("engine-unavailable", "the engine daemon rejects the secret in its folder", {
    place: state,
    hint: "another daemon may have written it: `fastloop engine stop --force`, then try again",
  });
}

/**
 * Throws unless the socket's folder is the user's. A session's request carries the whole environment, and in the folder
 * for temporary files anybody could listen for it.
 */
function requireOwnSocket(state: string): void {
  const folder = socketDir(state);
  const problem = folder === state ? undefined : foreignFolder(folder);
  if (problem === undefined) return;
  throw new UserError("engine-unavailable", `the engine's socket is not safe: ${problem}`, {
    place: folder,
    hint: "remove that folder, or set XDG_STATE_HOME to a shorter path",
  });
}

export async function readJson<T>(response: http.IncomingMessage): Promise<T> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return parseAnswer<T>(Buffer.concat(chunks).toString("utf8"));
}

/** Parses a daemon's answer. Throws if something else answered. */
export function parseAnswer<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw noEngineDaemon(cause, text.slice(0, 200));
  }
}

/** Error for a socket on which something else listens. */
export function noEngineDaemon(cause?: unknown, detail = ""): UserError {
  return new UserError("engine-unavailable", "what listens on the engine's socket is not an engine daemon", {
    detail,
    hint: "`fastloop engine stop --force` removes the socket",
    cause,
  });
}

/** Returns the daemon's status; undefined when no daemon runs for this state folder. */
export async function daemonStatus(state: string, options: RequestOptions = {}): Promise<DaemonStatus | undefined> {
  try {
    return await readJson<DaemonStatus>(await request(state, "GET", "/status", undefined, options));
  } catch (error) {
    if (error instanceof NoDaemon) return undefined;
    throw error;
  }
}

/** Sends a request without a body and returns the answer; undefined when no daemon runs for this state folder. */
export async function askDaemon<T>(state: string, method: "GET" | "POST", route: string): Promise<T | undefined> {
  let response: http.IncomingMessage;
  try {
    response = await request(state, method, route);
  } catch (error) {
    if (error instanceof NoDaemon) return undefined;
    throw error;
  }
  if (response.statusCode === 200) return readJson<T>(response);
  const { message } = await readJson<{ message: string }>(response);
  throw new UserError("engine-unavailable", `the engine daemon refused: ${message}`, {
    hint: "it may be of another build: `fastloop engine stop`, then try again",
  });
}
