/** Opens connections to hosts whose addresses were checked first, directly or through the user's proxy. */
import http from "node:http";
import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { proxyFor, proxyPort } from "../../paths/index.ts";
import { ApiError } from "../values/errors.ts";
import { addressesOf } from "./addresses.ts";

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

/** What a connection to a proxy needs: `ca` is PEM, for a proxy that speaks TLS; Node's CAs when absent. */
interface ProxyOptions {
  signal?: AbortSignal | undefined;
  ca?: string | undefined;
}

/** Connects to a proxy, with TLS when its URL is `https`. */
export async function dialProxy(proxy: URL, { signal, ca }: ProxyOptions = {}): Promise<net.Socket> {
  const socket = await dial(await addressesOf(proxy.hostname, false), proxyPort(proxy), signal);
  return proxy.protocol === "https:" ? await secured(socket, proxy.hostname, ca) : socket;
}

/** Opens a tunnel to a host (`HOST:PORT`) through a proxy with CONNECT, as for HTTPS. */
export async function throughProxy(proxy: URL, host: string, options?: ProxyOptions): Promise<net.Socket> {
  const { status, socket } = await askProxy(proxy, host, options);
  if (status === 200) return socket;
  socket.destroy();
  throw new Error(`the proxy refused the connection to ${host} (${status})`);
}

/** Asks a proxy for a tunnel to a host. Resolves to its HTTP status, and the tunnel when that is 200. */
export async function askProxy(
  proxy: URL,
  host: string,
  options: ProxyOptions = {},
): Promise<{ status: number | undefined; socket: net.Socket }> {
  const connection = await dialProxy(proxy, options);
  const { signal } = options;
  return await new Promise((resolve, reject) => {
    const request = http.request({
      createConnection: () => connection,
      method: "CONNECT",
      path: host,
      headers: { host, ...proxyAuthorization(proxy) },
      ...(signal === undefined ? {} : { signal }),
    });
    request.once("connect", ({ statusCode: status }, socket) => resolve({ status, socket }));
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
