import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { codec } from "../../../src/llb/proto/pb.ts";
import {
  definition,
  diff,
  exec,
  file,
  image,
  merge,
  opDigest,
  scratch,
  stateDigest,
  type State,
} from "../../../src/llb/index.ts";

interface DecodedOp {
  inputs: { digest: string; index: string }[];
  source?: { identifier: string };
  platform: { os: string; architecture: string } | null;
}
const op = codec<DecodedOp>("pb.Op");

const base = image("docker.io/library/debian:bookworm-slim", { name: "base" });
const written = (content: string): State => file(scratch, [{ kind: "mkfile", path: "/f", content }]);

describe("a state", () => {
  it("is named by the digest of its bytes, as BuildKit names the vertex", () => {
    const bytes = base.vertex?.bytes ?? new Uint8Array();
    expect(base.vertex?.digest).toBe(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
    expect(opDigest(bytes)).toBe(base.vertex?.digest);
    // As a BuildKit v0.33.1 daemon reports it in its status.
    expect(base.vertex?.digest).toMatch(/^sha256:af351680/);
  });

  it("is the same for the same operations, whatever they are called", () => {
    expect(stateDigest(image("docker.io/library/debian:bookworm-slim", { name: "another name" }))).toBe(
      stateDigest(base),
    );
    expect(stateDigest(written("a"))).toBe(stateDigest(written("a")));
    expect(stateDigest(written("a"))).not.toBe(stateDigest(written("b")));
    expect(stateDigest(image("docker.io/library/debian:bookworm-slim", { platform: "linux/arm64" }))).not.toBe(
      stateDigest(base),
    );
  });

  it("keeps the platform apart from the operation in the order that Go writes", () => {
    const bytes = Buffer.from(
      file(base, [{ kind: "mkdir", path: "/d" }], { platform: "linux/arm64" }).vertex?.bytes ?? [],
    );
    // inputs (0x0a), platform (0x52), then the chosen member of the oneof: file (0x22).
    const platformAt = 2 + (bytes[1] ?? 0);
    expect([bytes[0], bytes[platformAt]]).toEqual([0x0a, 0x52]);
    expect(bytes[platformAt + 2 + (bytes[platformAt + 1] ?? 0)]).toBe(0x22);
  });
});

describe("a definition", () => {
  const run = exec({
    root: base,
    args: ["true"],
    mounts: [{ kind: "bind", destination: "/src", from: written("a") }],
    name: "test",
  });

  it("lists inputs before their users, each once, and ends with the op that names the result", () => {
    const both = merge([diff(base, run.root), written("a"), base]);
    const { def } = definition(both);
    const digests = def.map(opDigest);
    expect(new Set(digests).size).toBe(def.length);
    for (const [index, bytes] of def.entries()) {
      for (const input of op.decode(bytes).inputs) expect(digests.slice(0, index)).toContain(input.digest);
    }
    expect(op.decode(def.at(-1) ?? new Uint8Array()).inputs).toEqual([{ digest: both.vertex?.digest, index: "0" }]);
  });

  it("names the output of an exec by its index", () => {
    const source = run.mount("/src");
    expect(source?.output).toBe(1);
    expect(op.decode(definition(source ?? scratch).def.at(-1) ?? new Uint8Array()).inputs).toEqual([
      { digest: run.digest, index: "1" },
    ]);
  });

  it("carries names and the wish to run again beside the operations", () => {
    const again = exec({ root: base, args: ["true"], ignoreCache: true });
    expect(definition(run.root).metadata[run.digest]).toEqual({ description: { "llb.customname": "test" } });
    expect(definition(again.root).metadata[again.digest]).toEqual({ ignoreCache: true });
  });

  it("of the empty file system is empty", () => {
    expect(definition(scratch)).toEqual({ def: [], metadata: {} });
  });

  it("of a thousand edits is made without exhausting the stack", () => {
    let state: State = scratch;
    for (let index = 0; index < 1_000; index++)
      state = file(state, [{ kind: "mkfile", path: `/${index}`, content: "" }]);
    expect(definition(state).def.length).toBe(1_001);
  });
});
