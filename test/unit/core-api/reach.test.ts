import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type net from "node:net";
import type { AddressInfo } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { requireReachableGit } from "../../../src/core-api/git/reach.ts";
import { addressesOf, isOfThisMachine } from "../../../src/core-api/network/addresses.ts";
import { dial } from "../../../src/core-api/network/connect.ts";
import { fetchFile } from "../../../src/core-api/network/fetch.ts";
import { certificate, key } from "./localhost-certificate.ts";

const own = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .map(({ address }) => address);
const folder = mkdtempSync(path.join(tmpdir(), "reach-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("an address of this machine", () => {
  const these = [
    "127.0.0.1",
    "127.255.0.3",
    "0.0.0.0",
    "169.254.169.254",
    "100.100.100.200",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "[::1]",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "ff02::1",
    ...own,
  ];
  it.each(these)("is %s", (address) => expect(isOfThisMachine(address)).toBe(true));
  it.each([
    "1.1.1.1",
    "10.255.1.2",
    "198.51.100.7",
    "::ffff:1.1.1.1",
    "2606:4700:4700::1111",
    "64:ff9b::101:101",
    "2002:101:101::",
    "not an address",
    "",
  ])("is not %s", (address) => expect(isOfThisMachine(address)).toBe(false));

  it("is what a name stands for", async () => {
    await expect(addressesOf("localhost", true)).rejects.toThrow("localhost is this machine");
    expect(await addressesOf("localhost", false)).not.toEqual([]);
  });
});

const servers: net.Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));
async function serve(answer: http.RequestListener): Promise<number> {
  const server = http.createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

describe("a connection", () => {
  it("is made to an address that was looked at, and to no other that the name stands for by now", async () => {
    const port = await serve((_request, response) => response.end());
    const socket = await dial([{ address: "127.0.0.1", family: 4 }], port);
    expect(socket.remoteAddress).toBe("127.0.0.1");
    socket.destroy();
  });
});

describe("a file over http", () => {
  const file = path.join(folder, "file");
  const get = (url: string, env: NodeJS.ProcessEnv = {}, guarded = false): ReturnType<typeof fetchFile> =>
    fetchFile(url, { file, env, guarded });

  it("comes with its digest, over redirects, with the credentials of its URL for its own host only", async () => {
    const seen: (string | undefined)[] = [];
    const other = await serve(({ headers }, response) => {
      seen.push(headers.authorization);
      response.end("content");
    });
    const first = await serve(({ headers }, response) => {
      seen.push(headers.authorization);
      response.writeHead(302, { location: `http://localhost:${other}/f` }).end();
    });
    const { sha256 } = await get(`http://user:pw@127.0.0.1:${first}/`);
    expect(readFileSync(file, "utf8")).toBe("content");
    expect(sha256).toBe("ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73");
    expect(seen).toEqual([`Basic ${Buffer.from("user:pw").toString("base64")}`, undefined]);
  });

  it("is an error that names the answer, the scheme or the circle", async () => {
    const port = await serve(({ url }, response) => {
      if (url === "/missing") response.writeHead(404).end();
      else response.writeHead(302, { location: url === "/file" ? "file:///etc/passwd" : "/round" }).end();
    });
    await expect(get(`http://127.0.0.1:${port}/missing`)).rejects.toThrow("invalid response status 404");
    await expect(get(`http://127.0.0.1:${port}/file`)).rejects.toThrow("unsupported URL scheme file:");
    await expect(get(`http://127.0.0.1:${port}/round`)).rejects.toThrow("more than 10 redirects");
    await expect(get("http://127.0.0.1:1/")).rejects.toThrow(/cannot get .*ECONNREFUSED/);
  });

  it("is not got from this machine, though a redirect or the user's proxy leads there", async () => {
    let reached = false;
    const target = await serve((_request, response) => {
      reached = true;
      response.end("of the user");
    });
    const asked: (string | undefined)[] = [];
    const proxy = await serve(({ url, headers }, response) => {
      asked.push(`${url} ${headers["proxy-authorization"]}`);
      response.writeHead(302, { location: `http://127.0.0.1:${target}/` }).end();
    });
    const env = { http_proxy: `http://me:secret@127.0.0.1:${proxy}` };
    await expect(get("http://elsewhere.invalid/f", env, true)).rejects.toThrow("127.0.0.1 is this machine");
    await expect(get(`http://127.0.0.1:${target}/`, env, true)).rejects.toThrow("is this machine");
    expect(asked).toEqual([`http://elsewhere.invalid/f Basic ${Buffer.from("me:secret").toString("base64")}`]);
    expect(reached).toBe(false);
  });

  it("goes through a proxy that speaks TLS itself, whether the URL does or not", async () => {
    const asked: (string | undefined)[] = [];
    const proxy = https.createServer({ cert: certificate, key }, ({ method, url }, response) => {
      asked.push(`${method} ${url}`);
      response.end("content");
    });
    servers.push(proxy);
    proxy.on("connect", ({ method, url, headers }: http.IncomingMessage, socket: net.Socket) => {
      asked.push(`${method} ${url} ${headers["proxy-authorization"]}`);
      socket.end("HTTP/1.1 403 no\r\n\r\n");
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const address = `https://me:secret@localhost:${(proxy.address() as AddressInfo).port}`;
    const env = { http_proxy: address, https_proxy: address };
    await fetchFile("http://elsewhere.invalid/f", { file, env, guarded: true, ca: certificate });
    expect(readFileSync(file, "utf8")).toBe("content");
    await expect(
      fetchFile("https://elsewhere.invalid/f", { file, env, guarded: true, ca: certificate }),
    ).rejects.toThrow("the proxy refused the connection to elsewhere.invalid:443 (403)");
    const credentials = `Basic ${Buffer.from("me:secret").toString("base64")}`;
    expect(asked).toEqual(["GET http://elsewhere.invalid/f", `CONNECT elsewhere.invalid:443 ${credentials}`]);
    await expect(fetchFile("http://elsewhere.invalid/f", { file, env, guarded: true })).rejects.toThrow(
      "self-signed certificate",
    );
  });

  it("goes through the user's proxy by CONNECT for https, which has to agree", async () => {
    const proxy = await serve(() => undefined);
    const asked: string[] = [];
    servers.at(-1)!.on("connect", ({ url }: http.IncomingMessage, socket: net.Socket) => {
      asked.push(url ?? "");
      socket.end("HTTP/1.1 403 no\r\n\r\n");
    });
    await expect(
      get("https://elsewhere.invalid/f", { https_proxy: `http://127.0.0.1:${proxy}` }, true),
    ).rejects.toThrow("the proxy refused the connection to elsewhere.invalid:443 (403)");
    expect(asked).toEqual(["elsewhere.invalid:443"]);
  });
});

describe("a repository for a function body", () => {
  it.each([
    "http://127.0.0.1/r",
    "https://localhost:3000/r",
    "http://[::1]/r",
    "git://example.com/r",
    "ssh://git@example.com/r",
    "git@example.com:r.git",
    "example.com:r.git",
  ])("is not %s", async (url) => {
    await expect(requireReachableGit(url)).rejects.toThrow(
      /is this machine|git:\/\/ is not served|ssh would use your keys/,
    );
  });

  it.each(["https://1.1.1.1/r.git", "https://elsewhere.invalid/r.git"])("may be %s", (url) => requireReachableGit(url));
});
