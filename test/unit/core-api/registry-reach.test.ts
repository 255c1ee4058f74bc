import http from "node:http";
import https from "node:https";
import net from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { unreachable } from "../../../src/core-api/network/registry-reach.ts";
import { certificate, key } from "./localhost-certificate.ts";

const servers: net.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: net.Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

describe("a registry is within reach", () => {
  it("whatever it answers", async () => {
    const host = await listen(http.createServer((_request, response) => response.writeHead(401).end()));
    expect(await unreachable({ host, insecure: false, env: {}, timeoutMs: 2_000 })).toBeUndefined();
  });

  it("when it speaks another protocol: BuildKit says what is wrong", async () => {
    const host = await listen(net.createServer((socket) => socket.end("SSH-2.0\r\n\r\n")));
    expect(await unreachable({ host, insecure: false, env: {}, timeoutMs: 2_000 })).toBeUndefined();
  });

  it("not when nothing listens", async () => {
    expect(await unreachable({ host: "127.0.0.1:1", insecure: false, env: {}, timeoutMs: 2_000 })).toMatch(
      /ECONNREFUSED/,
    );
  });

  it("not when it is silent", async () => {
    const host = await listen(net.createServer(() => undefined));
    expect(await unreachable({ host, insecure: false, env: {}, timeoutMs: 100 })).toBe("no answer within 0.1 s");
  });

  it("through the proxy that BuildKit uses", async () => {
    const asked: string[] = [];
    const proxy = http.createServer();
    proxy.on("connect", (request, socket) => {
      asked.push(request.url ?? "");
      socket.end(`HTTP/1.1 ${asked.length === 1 ? "200 Connection established" : "502 Bad gateway"}\r\n\r\n`);
    });
    const env = { https_proxy: `http://${await listen(proxy)}` };
    expect(await unreachable({ host: "registry.invalid", insecure: false, env, timeoutMs: 2_000 })).toBeUndefined();
    expect(await unreachable({ host: "registry.invalid:5000", insecure: false, env, timeoutMs: 2_000 })).toBe(
      "the proxy cannot reach registry.invalid:5000 (502)",
    );
    expect(asked).toEqual(["registry.invalid:443", "registry.invalid:5000"]);
  });

  it("not when a proxy that speaks TLS takes connections and stays silent", async () => {
    const env = { https_proxy: `https://${await listen(net.createServer(() => undefined))}` };
    expect(await unreachable({ host: "registry.invalid", insecure: false, env, timeoutMs: 200 })).toBe(
      "no answer within 0.2 s",
    );
  });

  it("when its proxy speaks TLS with a certificate that only BuildKit may know", async () => {
    const env = { https_proxy: `https://${await listen(https.createServer({ cert: certificate, key }))}` };
    expect(await unreachable({ host: "registry.invalid", insecure: false, env, timeoutMs: 2_000 })).toBeUndefined();
  });
});
