/** Looks from outside whether a service answers. */
import http from "node:http";
import net from "node:net";

/** What a service may take to answer a look. */
const answerMs = 5_000;
/** A tunnel accepts for the service, and closes at once where that does not: so long it has to stay open. */
const openMs = 150;

/** Undefined: it answers; else why not. `port` is on loopback. */
export function look(
  port: number,
  path: string | undefined,
  signal: AbortSignal,
  host = loopback,
): Promise<string | undefined> {
  return path === undefined ? accepts(host, port, signal) : answers(host, port, path, signal);
}

/** Tunnels are there; a program of the machine may be at either address of `localhost`. */
const loopback = "127.0.0.1";

function answers(host: string, port: number, path: string, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = http.get({ host, port, path, signal, timeout: answerMs, agent: false }, (response) => {
      response.resume();
      const status = response.statusCode ?? 0;
      resolve(status < 400 ? undefined : `${path} answered ${status}`);
    });
    request.once("timeout", () => request.destroy(new Error("timeout")));
    request.once("error", (error) =>
      resolve(
        error.message === "timeout" ? `${path} did not answer within ${answerMs / 1000} s` : `${path} does not answer`,
      ),
    );
  });
}

function accepts(host: string, port: number, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host });
    const done = (why: string | undefined): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      resolve(why);
      socket.destroy();
    };
    const timer = setTimeout(() => done(undefined), openMs);
    const onAbort = (): void => done(undefined);
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("data", () => done(undefined));
    for (const event of ["error", "close"]) socket.once(event, () => done("its port does not accept connections"));
  });
}
