/**
 * Proxy for git, on the host and in BuildKit. It checks the address of every connection, including those of redirects
 * and submodules, before it connects. It forwards to the user's own proxy if the environment names one.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import http from "node:http";
import type net from "node:net";
import { proxyVariables } from "../../paths/index.ts";
import { dial, dialProxy, proxyAuthorization, routeTo, throughProxy } from "../network/connect.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface GitProxy {
  /** Variables that make git use the proxy for all connections. */
  readonly environment: Readonly<Record<string, string>>;
}

const running = new Map<string, Promise<GitProxy>>();

/** Returns the proxy for a set of the user's proxy variables. It lives as long as this process. */
export function gitProxyFor(env: Environment): Promise<GitProxy> {
  const upstream = Object.fromEntries(proxyVariables.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  const key = JSON.stringify(upstream);
  let proxy = running.get(key);
  if (proxy === undefined) {
    proxy = start(upstream);
    running.set(key, proxy);
    proxy.catch(() => running.delete(key));
  }
  return proxy;
}

/** Removes the variables that would make git use another proxy. */
export function withoutProxies(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !proxyVariables.includes(name)));
}

async function start(env: Environment): Promise<GitProxy> {
  const token = randomBytes(24).toString("hex");
  const expected = Buffer.from(`Basic ${Buffer.from(`fastloop:${token}`).toString("base64")}`);
  const isKnown = ({ headers }: http.IncomingMessage): boolean => {
    const given = Buffer.from(headers["proxy-authorization"] ?? "");
    return given.length === expected.length && timingSafeEqual(given, expected);
  };
  const server = http.createServer((request, response) => {
    if (!isKnown(request))
      return void response.writeHead(407, { "proxy-authenticate": 'Basic realm="fastloop"' }).end();
    forward(request, response, env).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(502, { "content-type": "text/plain" });
      response.end(reason(error));
    });
  });
  server.on("connect", (request, client: net.Socket, head) => {
    client.on("error", () => undefined);
    if (!isKnown(request))
      return void client.end(
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="fastloop"\r\nConnection: close\r\n\r\n',
      );
    tunnel(request.url ?? "", client, head, env).catch((error: unknown) =>
      client.end(`HTTP/1.1 403 ${reason(error)}\r\nConnection: close\r\n\r\n`),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  server.unref();
  const { port } = server.address() as net.AddressInfo;
  return {
    environment: gitConfig({
      "http.proxy": `http://fastloop:${token}@127.0.0.1:${port}`,
      "protocol.git.allow": "user",
      "protocol.ssh.allow": "user",
    }),
  };
}

/** Returns variables that configure git without a file or an argument. */
function gitConfig(settings: Record<string, string>): Record<string, string> {
  const pairs = Object.entries(settings).flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(Object.keys(settings).length), ...Object.fromEntries(pairs) };
}

/** Formats an error for an HTTP status line, which git displays. */
function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/[^\x20-\x7e]+/g, " ");
}

async function tunnel(target: string, client: net.Socket, head: Buffer, env: Environment): Promise<void> {
  const url = new URL(`https://${target}`);
  const port = url.port === "" ? 443 : Number(url.port);
  const route = await routeTo({ hostname: url.hostname, plain: false }, { env, guarded: true });
  const upstream =
    "proxy" in route ? await throughProxy(route.proxy, `${url.hostname}:${port}`) : await dial(route.addresses, port);
  client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
  upstream.write(head);
  upstream.on("error", () => client.destroy());
  client.on("close", () => upstream.destroy());
  upstream.on("close", () => client.destroy());
  upstream.pipe(client);
  client.pipe(upstream);
}

async function forward(request: http.IncomingMessage, response: http.ServerResponse, env: Environment): Promise<void> {
  const url = new URL(request.url ?? "");
  if (url.protocol !== "http:") throw new Error(`unsupported URL scheme ${url.protocol}`);
  const route = await routeTo({ hostname: url.hostname, plain: true }, { env, guarded: true });
  const { "proxy-authorization": _own, "proxy-connection": _hop, ...headers } = request.headers;
  const viaProxy = "proxy" in route;
  const to = viaProxy ? route.proxy : url;
  const socket = viaProxy ? await dialProxy(to) : await dial(route.addresses, to.port === "" ? 80 : Number(to.port));
  const path = viaProxy ? url.href : `${url.pathname}${url.search}`;
  const sent = http.request(
    {
      createConnection: () => socket,
      method: request.method,
      path,
      headers: { ...headers, ...(viaProxy ? proxyAuthorization(to) : {}) },
    },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  response.once("close", () => sent.destroy());
  sent.once("error", (error) => {
    socket.destroy();
    if (!response.headersSent) response.writeHead(502);
    response.end(reason(error));
  });
  request.pipe(sent);
}
