/**
 * Implements `dag.http`. The engine fetches instead of BuildKit, which would follow a redirect or a name to this
 * machine.
 */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import http from "node:http";
import { Transform, type Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ApiError } from "../values/errors.ts";
import { dial, dialProxy, proxyAuthorization, routeTo, secured, throughProxy, type Route } from "./connect.ts";

export interface FetchOptions extends Route {
  /** File that the response is written to. */
  file: string;
  /** CA certificates as PEM; Node's own when absent. */
  ca?: string;
  /** Connects to a host that only this session knows, such as a service. Resolves to undefined for all other hosts. */
  reach?: (hostname: string, port: number) => Promise<Duplex | undefined>;
}

export interface Fetched {
  /** SHA-256 of the content in hexadecimal. */
  sha256: string;
  lastModified?: Date;
}

const longestRedirection = 10;
/** A server that sends nothing for this long is considered gone. */
const silenceMs = 60_000;

/**
 * Fetches a URL with GET, following redirects, and saves the response. Throws an `ApiError` for anything but status
 * 200.
 */
export async function fetchFile(text: string, options: FetchOptions): Promise<Fetched> {
  let url = new URL(text);
  try {
    for (let hop = 0; hop <= longestRedirection; hop++) {
      if (url.protocol !== "http:" && url.protocol !== "https:")
        throw new ApiError(`unsupported URL scheme ${url.protocol} in ${url.href}`);
      const response = await get(url, options);
      const { statusCode = 0, headers } = response;
      if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
        response.destroy();
        const next = new URL(headers.location, url);
        // A URL's credentials are sent to its own host only.
        if (next.host === url.host && next.username === "")
          Object.assign(next, { username: url.username, password: url.password });
        url = next;
        continue;
      }
      if (statusCode !== 200) {
        response.destroy();
        throw new ApiError(`invalid response status ${statusCode} for ${text}`);
      }
      return await save(response, options);
    }
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (cause instanceof ApiError) throw cause;
    throw new ApiError(`cannot get ${text}: ${cause instanceof Error ? cause.message : String(cause)}`, {}, cause);
  }
  throw new ApiError(`cannot get ${text}: more than ${longestRedirection} redirects`);
}

/** Parts of a request besides its URL. */
export interface AskOptions {
  method?: "GET" | "POST";
  headers?: Record<string, string>;
  body?: string;
}

/** Sends one request and resolves to its response; redirects are not followed. */
export async function get(
  url: URL,
  options: Route & Pick<FetchOptions, "ca" | "reach">,
  asked: AskOptions = {},
): Promise<http.IncomingMessage> {
  const plain = url.protocol === "http:";
  const port = url.port === "" ? (plain ? 80 : 443) : Number(url.port);
  const { hostname } = url;
  const known = await options.reach?.(hostname, port);
  if (known !== undefined)
    return await ask(plain ? known : await secured(known, hostname, options.ca), url, asked, options.signal);
  const route = await routeTo({ hostname, plain }, options);
  const { signal } = options;
  if ("proxy" in route && plain)
    return await ask(
      await dialProxy(route.proxy, options),
      url,
      { ...asked, path: withoutCredentials(url), headers: { ...asked.headers, ...proxyAuthorization(route.proxy) } },
      signal,
    );
  const socket =
    "proxy" in route
      ? await throughProxy(route.proxy, `${hostname}:${port}`, options)
      : await dial(route.addresses, port, signal);
  return await ask(plain ? socket : await secured(socket, hostname, options.ca), url, asked, signal);
}

function ask(
  socket: Duplex,
  url: URL,
  request: AskOptions & { path?: string },
  signal: AbortSignal | undefined,
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const credentials =
      url.username === ""
        ? {}
        : {
            authorization: `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString("base64")}`,
          };
    const sent = http.request({
      createConnection: () => socket,
      method: request.method ?? "GET",
      path: request.path ?? `${url.pathname}${url.search}`,
      headers: {
        host: url.host,
        "user-agent": "fastloop",
        accept: "*/*",
        connection: "close",
        ...credentials,
        ...request.headers,
      },
      timeout: silenceMs,
      ...(signal === undefined ? {} : { signal }),
    });
    sent.once("response", resolve);
    sent.once("timeout", () => sent.destroy(new Error(`no answer within ${silenceMs / 1000} s`)));
    sent.on("error", (error) => {
      socket.destroy();
      reject(error);
    });
    sent.end(request.body);
  });
}

const withoutCredentials = ({ origin, pathname, search }: URL): string => `${origin}${pathname}${search}`;

async function save(response: http.IncomingMessage, { file, signal }: FetchOptions): Promise<Fetched> {
  const hash = createHash("sha256");
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(
    response,
    hashing,
    createWriteStream(file, { mode: 0o600 }),
    ...(signal === undefined ? [] : [{ signal }]),
  );
  const time = Date.parse(response.headers["last-modified"] ?? "");
  return { sha256: hash.digest("hex"), ...(Number.isNaN(time) ? {} : { lastModified: new Date(time) }) };
}
