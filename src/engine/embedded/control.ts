/** Requests to the engine daemon over its control socket. */
import http from "node:http";
import { UserError } from "../../errors/index.ts";
import { giveUpAfterMs, notAnswering, Silence, silenceNotice } from "./silence.ts";
import {
  controlHeaders,
  controlSocket,
  foreignFolder,
  sessionLines,
  socketDir,
  type DaemonStatus,
} from "../../engine-daemon/index.ts";

/** Nobody listens on the control socket: no daemon, or one that has just gone. */
export class NoDaemon extends Error {
  override readonly name = "NoDaemon";
}

/** Error codes of a connection that say so. */
const absent = new Set(["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE"]);

export interface RequestOptions {
  signal?: AbortSignal | undefined;
  /** Told when the daemon is silent, and when it answers after all. */
  onNotice?: ((text: string) => void) | undefined;
  /** How long the daemon may be silent before the request fails; in milliseconds. */
  giveUpMs?: number;
}

/**
 * Sends a request and resolves with the response once its head is there. Throws `NoDaemon` when nobody listens, and says
 * so when the daemon is silent: it sends signs of life while it works.
 */
export async function request(
  state: string,
  method: "GET" | "POST",
  route: string,
  body?: unknown,
  options: RequestOptions = {},
): Promise<http.IncomingMessage> {
  requireOwnSocket(state);
  const headers = controlHeaders(state);
  const { signal, onNotice, giveUpMs = giveUpAfterMs } = options;
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const call = http.request(
      // No agent: a session's connection must be its own, and end when the session does.
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
        silence.heard();
        // A session's answer goes on for as long as the session does.
        if (answer.headers["content-type"] === sessionLines) silence.end();
        else answer.once("close", () => silence.end());
        resolve(answer);
      },
    );
    let head: http.IncomingMessage | undefined;
    const silence = new Silence({
      giveUpMs,
      onSilence: () => onNotice?.(silenceNotice(state)),
      onAnswer: () => onNotice?.("the engine daemon answers again"),
      onGone: () => (head ?? call).destroy(notAnswering(state, giveUpMs)),
    });
    call.on("information", () => silence.heard());
    call.once("error", (error: NodeJS.ErrnoException) => {
      silence.end();
      // So many wait for the daemon that the kernel lets no more do so.
      if (error.code === "EAGAIN") reject(notAnswering(state, 0));
      else if (error.code?.startsWith("HPE_") === true) reject(noEngineDaemon(error));
      else reject(absent.has(error.code ?? "") ? new NoDaemon(error.message) : error);
    });
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
  if (response.statusCode !== 401) return response;
  response.resume();
  // A new daemon began to listen after the secret was read.
  if (controlHeaders(state).authorization !== headers.authorization)
    return request(state, method, route, body, options);
  throw new UserError("engine-unavailable", "the engine daemon rejects the secret in its folder", {
    place: state,
    hint: "another daemon may have written it: `fastloop engine stop --force`, then try again",
  });
}

/** A session's request carries the whole environment: in the folder for temporary files anybody could listen for it. */
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

/** What an engine daemon said. Throws where it is none that says it. */
export function parseAnswer<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw noEngineDaemon(cause, text.slice(0, 200));
  }
}

/** Something else listens on the socket. */
export function noEngineDaemon(cause?: unknown, detail = ""): UserError {
  return new UserError("engine-unavailable", "what listens on the engine's socket is not an engine daemon", {
    detail,
    hint: "`fastloop engine stop --force` takes the socket away",
    cause,
  });
}

/** Undefined when no daemon runs for this state folder. */
export async function daemonStatus(state: string, options: RequestOptions = {}): Promise<DaemonStatus | undefined> {
  try {
    return await readJson<DaemonStatus>(await request(state, "GET", "/status", undefined, options));
  } catch (error) {
    if (error instanceof NoDaemon) return undefined;
    throw error;
  }
}

/** A request without a body, and its answer; undefined when no daemon runs for this state folder. */
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
  throw new UserError("engine-unavailable", `the engine daemon does not do that: ${message}`, {
    hint: "it may be of another build: `fastloop engine stop`, then try again",
  });
}
