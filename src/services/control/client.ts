/** Client of the process that has a project up, for other commands. */
import http from "node:http";
import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import { controlHeaders } from "../../engine-daemon/index.ts";
import { UserError } from "../../errors/index.ts";
import { processState } from "../../state/index.ts";
import { shellProtocol, upHeaders } from "./control.ts";
import type { UpPlace } from "./place.ts";
import type { UpEvent, UpStatus } from "../types.ts";

/** The process answers at once, except where it waits for services. */
const answerMs = 5000;

/** Creates the error of a command for a project that is not up. */
export function notUp(): UserError {
  return new UserError("usage", "no services of this project are running", { hint: "start them with `fastloop up`" });
}

/** Returns the status of a project that is up; undefined when no process answers. */
export async function statusOfUp(place: UpPlace): Promise<UpStatus | undefined> {
  return await ask<UpStatus>(place, "GET", "/status").catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
}

/**
 * Restarts services (no names: all) and resolves with the new status. Throws when the project is not up or a name is
 * unknown.
 */
export async function restartUp(place: UpPlace, names: readonly string[]): Promise<UpStatus> {
  await requireAnswer(place);
  return await ask<UpStatus>(place, "POST", "/restart", { names }).catch(orNotUp);
}

/** Stops all services; resolves when they have stopped. Throws when the project is not up. */
export async function downUp(place: UpPlace): Promise<void> {
  await requireAnswer(place);
  await ask(place, "POST", "/down").catch(orNotUp);
}

/** Calls `onStatus` once, then `onEvent` for each event; resolves when the other side ends the connection. */
export async function followUp(
  place: UpPlace,
  onStatus: (status: UpStatus) => void,
  onEvent: (event: UpEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const response = await send(place, "GET", "/events", undefined, signal).catch(orNotUp);
  let isFirst = true;
  const lines = createInterface({ input: response, crlfDelay: Infinity });
  lines.on("error", () => undefined);
  response.on("error", () => lines.close());
  for await (const line of lines) {
    const parsed = parsedLine<UpStatus | UpEvent>(line);
    if (parsed === undefined) return;
    if (isFirst) onStatus(parsed as UpStatus);
    else onEvent(parsed as UpEvent);
    isFirst = false;
  }
}

/** Returns undefined for a line that was cut, as the last one of a killed process is. */
function parsedLine<T>(line: string): T | undefined {
  try {
    return JSON.parse(line) as T;
  } catch {
    return undefined;
  }
}

/**
 * Opens a terminal in a service. The returned stream carries the frames of the engine's terminals. Throws when the
 * service refuses.
 */
export async function openShell(place: UpPlace, service: string, command: readonly string[]): Promise<Duplex> {
  await requireAnswer(place);
  return new Promise((resolve, reject) => {
    const headers = {
      ...controlHeaders(place.folder),
      connection: "Upgrade",
      upgrade: shellProtocol,
      [upHeaders.service]: encodeURIComponent(service),
      [upHeaders.command]: encodeURIComponent(JSON.stringify(command)),
    };
    const request = http.request({ socketPath: place.socket, path: "/shell", headers, agent: false });
    request.once("upgrade", (_response, socket, head) => {
      socket.unshift(head);
      resolve(socket);
    });
    request.once("response", (response) => {
      void textOf(response).then((text) =>
        reject(new UserError("usage", text === "" ? "the shell can't be opened" : text)),
      );
    });
    request.once("error", (error) => reject(isAbsent(error) ? notUp() : error));
    request.end();
  });
}

/** Throws when the process is not there, or does not answer, before it is asked for what may take minutes. */
async function requireAnswer(place: UpPlace): Promise<void> {
  await ask(place, "GET", "/status").catch(orNotUp);
}

async function ask<T>(place: UpPlace, method: "GET" | "POST", route: string, body?: unknown): Promise<T> {
  const response = await send(place, method, route, body);
  const text = await textOf(response);
  const answer = parsedLine<T & { message?: string; place?: string; hint?: string }>(text === "" ? "{}" : text);
  if (answer === undefined) throw new UserError("usage", "what listens on the services' socket is not fastloop");
  if (response.statusCode === 200) return answer;
  const { message = "the services' process does not understand", place: where, hint } = answer;
  throw new UserError("usage", message, { place: where, hint });
}

function send(
  place: UpPlace,
  method: string,
  route: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = controlHeaders(place.folder);
    const options = { socketPath: place.socket, method, path: route, headers, agent: false, ...(signal && { signal }) };
    const request = http.request(options, (response) => {
      clearTimeout(timer);
      resolve(response);
    });
    const timer =
      method === "GET" ? setTimeout(() => request.destroy(notAnswering(place)), answerMs).unref() : undefined;
    request.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function notAnswering(place: UpPlace): UserError {
  const pid = place.running()?.pid;
  if (pid === undefined) return new UserError("timed-out", "what listens on the services' socket does not answer");
  const isStopped = processState(pid) === "T";
  const message = `the process that has the services up (pid ${pid}) does not answer${isStopped ? ": it is stopped" : ""}`;
  const end = `\`kill -9 ${pid}\` ends it, and its services`;
  return new UserError("timed-out", message, {
    hint: isStopped ? `\`kill -CONT ${pid}\` lets it go on; ${end}` : end,
  });
}

async function textOf(response: http.IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) text += chunk;
  return text;
}

function isAbsent(error: unknown): boolean {
  return ["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function orNotUp(error: unknown): never {
  throw isAbsent(error) ? notUp() : error;
}
