import http from "node:http";
import https from "node:https";
import { proxyFor } from "../../paths/index.ts";
import { askProxy } from "./connect.ts";

/** Probes whether a registry answers at all. What it answers is left to BuildKit. */
export interface Reach {
  host: string;
  /** Use plain HTTP, which registries on loopback serve as well. */
  insecure: boolean;
  env: Readonly<Record<string, string | undefined>>;
  timeoutMs: number;
}

/** Errors on an established connection: something answers, and BuildKit may know its certificates. */
const answered = /CERT|SSL|TLS|EPROTO|HPE_|ECONNRESET/;

/**
 * Returns why a registry cannot be reached, or undefined when it can. BuildKit must not be the one to find out: while
 * it waits for a cache, it schedules nothing for any build (v0.33.1).
 */
export async function unreachable({ host, insecure, env, timeoutMs }: Reach): Promise<string | undefined> {
  const { hostname, port } = new URL(`https://${host}`);
  const plain = insecure || isLoopback(hostname);
  const target = {
    host: bare(hostname),
    port: port === "" ? (plain && !isLoopback(hostname) ? 80 : 443) : Number(port),
  };
  const proxy = isLoopback(hostname) ? undefined : proxyFor(hostname, plain, env);
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    if (proxy !== undefined) await throughProxy(proxy, target, signal);
    else await asked(plain ? http.request : https.request, { ...target, path: "/v2/", signal });
    return undefined;
  } catch (error) {
    const { name, code = "", message, cause } = error as NodeJS.ErrnoException;
    if (name === "AbortError" || name === "TimeoutError" || (cause as Error | undefined)?.name === "TimeoutError") {
      return `no answer within ${timeoutMs / 1000} s`;
    }
    return answered.test(code) ? undefined : message;
  }
}

function asked(request: typeof http.request, options: https.RequestOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent: false, ...options }, (response) => {
      response.resume();
      sent.destroy();
      resolve();
    });
    sent.once("error", reject);
    sent.end();
  });
}

async function throughProxy(proxy: URL, target: { host: string; port: number }, signal: AbortSignal): Promise<void> {
  const host = `${target.host}:${target.port}`;
  const { status, socket } = await askProxy(proxy, host, { signal });
  socket.destroy();
  // A proxy that requires a password is left to BuildKit as well.
  if (status === 502 || status === 503 || status === 504) throw new Error(`the proxy cannot reach ${host} (${status})`);
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}

/** Removes the brackets of an IPv6 address. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}
