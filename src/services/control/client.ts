/** Client of the process that has a project up, for other commands. */
import http from "node:http";
import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import { controlHeaders } from "../../engine-daemon/index.ts";
import { UserError } from "../../errors/index.ts";
import { shellProtocol, upHeaders } from "./control.ts";
import type { UpPlace } from "./place.ts";
import type { UpEvent, UpStatus } from "../types.ts";

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
  return await ask<UpStatus>(place, "POST", "/restart", { names }).catch(orNotUp);
}

/** Stops all services; resolves when they have stopped. Throws when the project is not up. */
export async function downUp(place: UpPlace): Promise<void> {
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
    if (isFirst) onStatus(JSON.parse(line) as UpStatus);
    else onEvent(JSON.parse(line) as UpEvent);
    isFirst = false;
  }
}

/**
 * Opens a terminal in a service. The returned stream carries the frames of the engine's terminals. Throws when the
 * service refuses.
 */
export function openShell(place: UpPlace, service: string, command: readonly string[]): Promise<Duplex> {
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

async function ask<T>(place: UpPlace, method: "GET" | "POST", route: string, body?: unknown): Promise<T> {
  const response = await send(place, method, route, body);
  const text = await textOf(response);
  const answer = JSON.parse(text === "" ? "{}" : text) as T & { message?: string; place?: string; hint?: string };
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
    const request = http.request(options, resolve);
    request.once("error", reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
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
