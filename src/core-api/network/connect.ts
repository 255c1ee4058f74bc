/** Opens connections to hosts whose addresses were checked first, directly or through the user's proxy. */
import http from "node:http";
import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { ApiError } from "../values/errors.ts";
import { addressesOf } from "./addresses.ts";
import { proxyFor } from "./registry-reach.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface Route {
  env: Environment;
  /** Whether connections to this machine are refused. */
  guarded: boolean;
  signal?: AbortSignal;
}

/**
 * Checks a host, and returns either the proxy that the user's environment names for it or the addresses to connect to.
 * Throws an `ApiError` when a guarded route leads to this machine.
 */
export async function routeTo(
  { hostname, plain }: { hostname: string; plain: boolean },
  { env, guarded }: Route,
): Promise<{ proxy: URL } | { addresses: { address: string; family: number }[] }> {
  const proxy = proxyFor(hostname, plain, env);
  try {
    const addresses = await addressesOf(hostname, guarded);
    return proxy === undefined ? { addresses } : { proxy };
  } catch (error) {
    // Behind a proxy, public names often cannot be resolved locally.
    if (proxy === undefined || error instanceof ApiError) throw error;
    return { proxy };
  }
}

/** Opens a TCP connection to one of exactly these addresses. */
export function dial(
  addresses: readonly { address: string; family: number }[],
  port: number,
  signal?: AbortSignal,
): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({
      host: "checked.invalid",
      port,
      ...(signal === undefined ? {} : { signal }),
      autoSelectFamily: true,
      lookup: (_host, options, done) => {
        if (options.all === true) done(null, [...addresses]);
        else done(null, addresses[0]!.address, addresses[0]!.family);
      },
    });
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}

/** Opens a tunnel to a host (`HOST:PORT`) through a proxy with CONNECT, as for HTTPS. */
export function throughProxy(proxy: URL, host: string, signal?: AbortSignal): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const request = http.request({
      host: proxy.hostname.replace(/^\[|\]$/g, ""),
      port: proxy.port === "" ? 80 : Number(proxy.port),
      method: "CONNECT",
      path: host,
      headers: { host, ...proxyAuthorization(proxy) },
      agent: false,
      ...(signal === undefined ? {} : { signal }),
    });
    request.once("connect", ({ statusCode }, socket) => {
      if (statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(new Error(`the proxy refused the connection to ${host} (${statusCode})`));
    });
    request.once("error", reject);
    request.end();
  });
}

export function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (username === "") return {};
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(credentials).toString("base64")}` };
}

/**
 * Starts TLS on a connection and verifies the server's certificate for `servername`. `ca` is PEM; Node's CAs when
 * absent.
 */
export function secured(socket: Duplex, servername: string, ca: string | undefined): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const name = servername.replace(/^\[|\]$/g, "");
    const secure = tls.connect({
      socket,
      host: name,
      ...(net.isIP(name) === 0 ? { servername: name } : {}),
      ...(ca === undefined ? {} : { ca }),
    });
    secure.once("secureConnect", () => resolve(secure));
    secure.once("error", reject);
  });
}
