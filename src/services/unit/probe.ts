/** Probes from outside whether a service answers. */
import http from "node:http";
import net from "node:net";

/** Longest time for an HTTP answer. */
const answerMs = 5_000;
/**
 * A tunnel accepts connections itself, and closes them at once when the service refuses. So a connection has to stay
 * open this long.
 */
const openMs = 150;

/**
 * Probes once: resolves with undefined when the service answers (or the signal aborts), else with the reason. `port` is
 * on loopback.
 */
export function probe(
  port: number,
  path: string | undefined,
  signal: AbortSignal,
  host = loopback,
): Promise<string | undefined> {
  return path === undefined ? accepts(host, port, signal) : answers(host, port, path, signal);
}

/** Address of tunnels. A host program may listen on either address of `localhost`. */
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
