import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Front } from "../../../src/services/ports/front.ts";
import { openFronts, portOffset } from "../../../src/services/ports/ports.ts";
import { probe } from "../../../src/services/unit/probe.ts";

const opened: { close(): unknown }[] = [];
afterEach(() => opened.splice(0).forEach((each) => each.close()));

async function serverWith(answer: (response: http.ServerResponse) => void): Promise<number> {
  const server = http.createServer((_request, response) => answer(response)).listen(0, "127.0.0.1");
  opened.push({ close: () => (server.closeAllConnections(), server.close()) });
  await once(server, "listening");
  return (server.address() as net.AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

const text = async (port: number): Promise<string> => (await fetch(`http://127.0.0.1:${port}/`)).text();
const never = new AbortController().signal;

describe("a port of this machine", () => {
  it("leads to a service, and is moved to the next one", async () => {
    const front = await Front.open(await freePort());
    opened.push(front);
    await expect(text(front.port)).rejects.toThrow();
    front.leadTo(await serverWith((response) => response.end("old")));
    expect(await text(front.port)).toBe("old");
    front.leadTo(await serverWith((response) => response.end("new")));
    expect(await text(front.port)).toBe("new");
  });

  it("is taken with all others, or none is", async () => {
    const [taken, free] = [await serverWith((response) => response.end()), await freePort()];
    const wanted = [free, taken].map((host, index) => ({ service: `s${index}`, host, container: 80 }));
    const error = await openFronts(wanted).catch((thrown: Error & { hint: string }) => thrown);
    expect(error).toMatchObject({ message: expect.stringContaining(`port ${taken} of \`s1\``) as string });
    expect(error).toMatchObject({ message: expect.stringContaining(`process ${process.pid} has it`) as string });
    opened.push(await Front.open(free));
  });

  it("can't be that of two services", async () => {
    const port = await freePort();
    const wanted = ["a", "b"].map((service) => ({ service, host: port, container: 80 }));
    await expect(openFronts(wanted)).rejects.toThrow("`a` has it, too");
  });

  it("is moved for another checkout by a number only", () => {
    expect(portOffset({})).toBe(0);
    expect(portOffset({ FASTLOOP_PORT_OFFSET: "100" })).toBe(100);
    expect(() => portOffset({ FASTLOOP_PORT_OFFSET: "1e9" })).toThrow("not a number of ports");
  });
});

describe("a look at a service", () => {
  it("finds it well by its port, or by an answer below 400", async () => {
    const port = await serverWith((response) => response.end("ok"));
    expect(await probe(port, undefined, never)).toBeUndefined();
    expect(await probe(port, "/", never)).toBeUndefined();
  });

  it("says why it is not", async () => {
    const port = await serverWith((response) => response.writeHead(503).end());
    expect(await probe(port, "/ready", never)).toBe("/ready answered 503");
    expect(await probe(await freePort(), "/", never)).toBe("/ does not answer");
    expect(await probe(await freePort(), undefined, never)).toBe("its port does not accept connections");
    const closing = net.createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    opened.push(closing);
    await once(closing, "listening");
    const { port: closed } = closing.address() as net.AddressInfo;
    expect(await probe(closed, undefined, never)).toBe("its port does not accept connections");
  });
});
