/** Connections to hosts whose addresses were looked at first, directly or through the user's proxy. */
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
  /** This machine itself is refused. */
  guarded: boolean;
  signal?: AbortSignal;
}

/** The proxy that the user's environment names for a host, and a check of the host. */
export async function routeTo(
  { hostname, plain }: { hostname: string; plain: boolean },
  { env, guarded }: Route,
): Promise<{ proxy: URL } | { addresses: { address: string; family: number }[] }> {
  const proxy = proxyFor(hostname, plain, env);
  try {
    const addresses = await addressesOf(hostname, guarded);
    return proxy === undefined ? { addresses } : { proxy };
  } catch (error) {
    // Behind a proxy names of the internet often mean nothing here.
    if (proxy === undefined || error instanceof ApiError) throw error;
    return { proxy };
  }
}

/** A TCP connection to exactly one of these addresses. */
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

/** A line through a proxy to a host, as for HTTPS. */
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
