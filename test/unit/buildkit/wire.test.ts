import protobuf from "protobufjs";
import { describe, expect, it } from "vitest";
import { goMode, isDirectory, isRegular, isSymlink, unixMode } from "../../../src/buildkit/fsutil/mode.ts";
import { PacketBuffer } from "../../../src/buildkit/fsutil/packet-buffer.ts";
import { decodePacket, PacketType, type Packet } from "../../../src/buildkit/fsutil/packet.ts";
import { Deframer, frame } from "../../../src/buildkit/connection/framing.ts";

/** fsutil's messages as their authors wrote them: what the hand-written encoder is held to. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Stat { string path = 1; uint32 mode = 2; uint32 uid = 3; uint32 gid = 4; int64 size = 5; int64 modTime = 6; string linkname = 7; }
  message Packet { int32 type = 1; Stat stat = 2; uint32 ID = 3; bytes data = 4; }
`);
const reference = root.lookupType("Packet");
const messages = (bytes: Buffer): Buffer[] => [...new Deframer().push(bytes)];
const decoded = (bytes: Buffer): object[] =>
  messages(bytes).map((message) => reference.toObject(reference.decode(message), { longs: String, bytes: Buffer }));

describe("frames", () => {
  it("come out whole however the stream is cut", () => {
    const stream = Buffer.concat([frame(Buffer.from("one")), frame(Buffer.alloc(0)), frame(Buffer.alloc(70_000, 7))]);
    for (const size of [1, 3, 7, 1000, stream.length]) {
      const deframer = new Deframer();
      const found: Buffer[] = [];
      for (let at = 0; at < stream.length; at += size)
        found.push(...[...deframer.push(stream.subarray(at, at + size))].map((each) => Buffer.from(each)));
      expect(found.map((message) => message.length)).toEqual([3, 0, 70_000]);
      expect(found[0]?.toString()).toBe("one");
    }
  });

  it("that are compressed are refused", () => {
    expect(() => [...new Deframer().push(Buffer.from([1, 0, 0, 0, 0]))]).toThrow(/compressed/);
  });
});

describe("packets", () => {
  it("are those of fsutil", () => {
    const buffer = new PacketBuffer();
    const modTimeNs = 1_700_000_000_123_456_789n;
    buffer.stat({ path: "dir/Größe", mode: goMode("directory", 0o1755), sizeBytes: 0, modTimeNs, linkname: "" });
    buffer.stat({ path: "l", mode: goMode("symlink", 0o777), sizeBytes: 0, modTimeNs: 5n, linkname: "../x" });
    buffer.stat({ path: "f", mode: 0o644, sizeBytes: 5_000_000_000, modTimeNs: 0n, linkname: "" });
    buffer.lastStat();
    buffer.request(300);
    buffer.data(0, Buffer.from("abc"));
    buffer.fillData(70_000, 2, (target) => target.fill(9).length === 2);
    buffer.endOfData(70_000);
    buffer.error("no");
    buffer.finish();
    expect(decoded(buffer.take())).toEqual([
      { stat: { path: "dir/Größe", mode: 2 ** 31 + 2 ** 20 + 0o755, modTime: String(modTimeNs) } },
      { stat: { path: "l", mode: 2 ** 27 + 0o777, modTime: "5", linkname: "../x" } },
      { stat: { path: "f", mode: 0o644, size: "5000000000" } },
      {},
      { type: 1, ID: 300 },
      { type: 2, data: Buffer.from("abc") },
      { type: 2, ID: 70_000, data: Buffer.from([9, 9]) },
      { type: 2, ID: 70_000 },
      { type: 4, data: Buffer.from("no") },
      { type: 3 },
    ]);
    expect(buffer.empty).toBe(true);
  });

  it("that could not be filled leave no trace", () => {
    const buffer = new PacketBuffer();
    buffer.request(1);
    expect(buffer.fillData(2, 100, () => false)).toBe(false);
    expect(decoded(buffer.take())).toEqual([{ type: 1, ID: 1 }]);
  });

  it("may be larger than the buffer", () => {
    const buffer = new PacketBuffer();
    buffer.data(1, Buffer.alloc(1_000_000, 1));
    buffer.stat({ path: "p".repeat(300_000), mode: 0, sizeBytes: 0, modTimeNs: 0n, linkname: "" });
    expect(
      messages(buffer.take())
        .map((message) => decodePacket(message))
        .map(({ data, stat }) => data.length + (stat?.path.length ?? 0)),
    ).toEqual([1_000_000, 300_000]);
  });

  it("are read as they were written", () => {
    const stat = {
      path: "a/b",
      mode: 2 ** 31 + 0o700,
      size: 7,
      modTime: { low: -2112454933, high: -287445237, unsigned: false },
      linkname: "",
    };
    const packet: Packet = decodePacket(
      Buffer.from(reference.encode({ type: 0, stat: { ...stat, uid: 3, gid: 4 } }).finish()),
    );
    expect(packet).toMatchObject({
      type: PacketType.stat,
      stat: { path: "a/b", mode: 2 ** 31 + 0o700, sizeBytes: 7, modTimeNs: -1234567890123456789n },
    });
  });
});

describe("modes", () => {
  it("survive the way to Go and back", () => {
    for (const mode of [0o644, 0o4755, 0o2750, 0o1777, 0]) expect(unixMode(goMode("file", mode))).toBe(mode);
    expect(isDirectory(goMode("directory", 0o755))).toBe(true);
    expect(isSymlink(goMode("symlink", 0o777))).toBe(true);
    expect([goMode("file", 0o4755), goMode("directory", 0), goMode("symlink", 0)].map(isRegular)).toEqual([
      true,
      false,
      false,
    ]);
  });
});
