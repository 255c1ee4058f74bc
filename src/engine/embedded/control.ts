/** Requests to the engine daemon over its control socket. */
import http from "node:http";
import { UserError } from "../../errors/index.ts";
import {
  controlHeaders,
  controlSocket,
  socketDir,
  foreignFolder,
  type DaemonStatus,
} from "../../engine-daemon/index.ts";

/** Nobody listens on the control socket: no daemon, or one that has just gone. */
export class NoDaemon extends Error {
  override readonly name = "NoDaemon";
}

/** Error codes of a connection that say so. */
const absent = new Set(["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE"]);

/** Sends a request and resolves with the response once its head is there. Throws `NoDaemon` when nobody listens. */
export async function request(
  state: string,
  method: "GET" | "POST",
  route: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<http.IncomingMessage> {
  requireOwnSocket(state);
  const headers = controlHeaders(state);
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
      resolve,
    );
    call.once("error", (error: NodeJS.ErrnoException) =>
      reject(absent.has(error.code ?? "") ? new NoDaemon(error.message) : error),
    );
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
  if (response.statusCode !== 401) return response;
  response.resume();
  // A new daemon began to listen after the secret was read.
  if (controlHeaders(state).authorization !== headers.authorization) return request(state, method, route, body, signal);
  throw new UserError("engine-unavailable", "the engine daemon does not take the secret that lies in its folder", {
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
  return JSON.parse(Buffer.concat(chunks).toString("utf8")) as T;
}

/** Undefined when no daemon runs for this state folder. */
export async function daemonStatus(state: string): Promise<DaemonStatus | undefined> {
  try {
    return await readJson<DaemonStatus>(await request(state, "GET", "/status"));
  } catch (error) {
    if (error instanceof NoDaemon) return undefined;
    throw error;
  }
}
