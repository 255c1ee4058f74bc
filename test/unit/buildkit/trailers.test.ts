import http2 from "node:http2";
import net, { type AddressInfo } from "node:net";
import { Duplex, Transform } from "node:stream";
import { afterEach, expect, it } from "vitest";
import { WithoutLongTrailers } from "../../../src/buildkit/connection/trailers.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const text = (length: number, shift: number): string => `why ${"-".repeat(shift)}${'\\"~^ü'.repeat(length / 20)} end`;

/** A server whose answer to `/N/S` has 20 kB of data and trailers of N bytes; `piece` bytes reach the client at a time. */
async function connect(piece: number): Promise<http2.ClientHttp2Session> {
  const server = http2.createServer({ maxSendHeaderBlockLength: 10_000_000 });
  server.on("stream", (stream, headers) => {
    const [length, shift] = headers[":path"]!.slice(1).split("/").map(Number) as [number, number];
    stream.respond({ ":status": 200, "x-first": "1" }, { waitForTrailers: true });
    stream.on("wantTrailers", () =>
      stream.sendTrailers({
        "grpc-status": "2",
        "grpc-message": encodeURI(text(length, shift)),
        "x-more": "m".repeat(length),
        "x-last": "2",
      }),
    );
    stream.end("x".repeat(20_000));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const socket = net.connect((server.address() as AddressInfo).port, "127.0.0.1");
  const cut = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      for (let at = 0; at < chunk.length; at += piece) this.push(chunk.subarray(at, at + piece));
      done();
    },
  });
  const inPieces = Duplex.from({ readable: socket.pipe(cut), writable: socket });
  const client = http2.connect("http://localhost", { createConnection: () => new WithoutLongTrailers(inPieces) });
  closers.push(
    () => client.destroy(),
    () => server.close(),
  );
  return client;
}

async function ask(
  client: http2.ClientHttp2Session,
  length: number,
  shift: number,
): Promise<{ bytes: number; trailers: http2.IncomingHttpHeaders }> {
  const stream = client.request({ ":path": `/${length}/${shift}` });
  let bytes = 0;
  let trailers: http2.IncomingHttpHeaders = {};
  stream.on("data", (chunk: Buffer) => (bytes += chunk.length));
  stream.on("trailers", (given) => (trailers = given));
  await new Promise((resolve, reject) => stream.on("error", reject).on("close", resolve));
  return { bytes, trailers };
}

it.each([7, 1_000, 65_536])("long trailers are shortened, others stay (in pieces of %d bytes)", async (piece) => {
  const client = await connect(piece);
  const lengths = [10, 20_000, 30_000, 40_000, 100_000, 16_384, 400_000, 10];
  // Where the message is cut depends on what is before it.
  for (const [length, shift] of [
    ...lengths.map((one) => [one, 0] as const),
    ...Array.from({ length: 16 }, (_, index) => [60_000, index] as const),
  ]) {
    const { bytes, trailers } = await ask(client, length, shift);
    expect(bytes).toBe(20_000);
    expect(trailers).toMatchObject({ "grpc-status": "2", "x-last": "2" });
    const message = decodeURI(trailers["grpc-message"] as string);
    const whole = text(length, shift);
    if (length <= 20_000) expect(message).toBe(whole);
    else
      expect([message.slice(0, 100), message.slice(-100), message.length < 5_000, message.includes("�")]).toEqual([
        whole.slice(0, 100),
        whole.slice(-100),
        true,
        false,
      ]);
  }
});
