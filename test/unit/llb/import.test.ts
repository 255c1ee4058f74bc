import { describe, expect, it } from "vitest";
import { codec, encodeCanonical } from "../../../src/llb/proto/pb.ts";
import {
  cacheIdsOf,
  definition,
  exec,
  file,
  fromDefinition,
  image,
  opDigest,
  scratch,
  sourcesOf,
  stateDigest,
} from "../../../src/llb/index.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- a decoded message is looked at by path
type Message = Record<string, any>;
const ops = codec<Message>("pb.Op");

const base = image("docker.io/library/debian:latest", { platform: "linux/amd64" });
const withSecret = exec({
  root: base,
  args: ["sh", "-c", "cat /run/secrets/token"],
  env: ["A=0"],
  platform: "linux/amd64",
  validExitCodes: [0, 3],
  mounts: [{ kind: "secret", destination: "/run/secrets/token", id: "token", optional: true }],
  secretEnv: [
    { name: "T", id: "token" },
    { name: "O", id: "other" },
  ],
});
const result = file(scratch, [{ kind: "copy", from: withSecret.root, source: "/n", destination: "/m" }]);
const decodedOps = (state: typeof base): Message[] => definition(state).def.map((bytes) => ops.decode(bytes));

describe("a definition that a frontend made", () => {
  it("stays byte for byte what it is where it runs nothing", () => {
    const plain = file(scratch, [{ kind: "copy", from: base, source: "/n", destination: "/m" }]);
    expect(stateDigest(fromDefinition(definition(plain), { secretIds: new Map([["token", "value-1"]]) }))).toBe(
      stateDigest(plain),
    );
  });

  it("is read for its sources and volumes, and another state can take a source's place everywhere", () => {
    const cached = exec({ root: base, args: ["true"], mounts: [{ kind: "cache", destination: "/c", id: "npm" }] });
    const made = definition(file(cached.root, [{ kind: "copy", from: base, source: "/n", destination: "/m" }]));
    expect([...sourcesOf(made).values()].map(({ identifier }) => identifier)).toEqual([
      "docker-image://docker.io/library/debian:latest",
    ]);
    expect(cacheIdsOf(made)).toEqual(["npm"]);
    const other = image("docker.io/library/other:latest");
    const after = definition(fromDefinition(made, { inPlaceOf: new Map([[base.vertex!.digest, other]]) }));
    expect([...sourcesOf(after).values()].map(({ identifier }) => identifier)).toEqual([
      "docker-image://docker.io/library/other:latest",
    ]);
    const digests = new Set(after.def.map(opDigest));
    for (const bytes of after.def)
      for (const { digest } of ops.decode(bytes)["inputs"]) expect(digests).toContain(digest);
  });

  it("asks for secrets by the ids that say their values, and nothing else of it changes", () => {
    const imported = fromDefinition(definition(result), { secretIds: new Map([["token", "value-1"]]) });
    const [source, run, copy, end] = decodedOps(imported);
    const [oldSource, oldRun, oldCopy] = decodedOps(result);
    expect(source).toEqual(oldSource);
    expect(run!["exec"].mounts[1].secret).toMatchObject({ id: "value-1", optional: true });
    expect(run!["exec"].secretEnv).toEqual([
      { id: "value-1", name: "T", optional: false },
      { id: "not-given:other", name: "O", optional: false },
      // Every command asks for this one last, and may be kept waiting.
      { id: "fastloop-start", name: "FASTLOOP_START", optional: true },
    ]);
    expect(run!["exec"].meta).toEqual(oldRun!["exec"].meta);
    expect(copy!["file"]).toEqual(oldCopy!["file"]);
    // The chain holds: each op names the digests of what is before it.
    const [, runBytes, copyBytes] = definition(imported).def;
    expect(copy!["inputs"]).toEqual([{ digest: opDigest(runBytes!), index: "0" }]);
    expect(end!["inputs"]).toEqual([{ digest: opDigest(copyBytes!), index: "0" }]);
  });

  it("has other keys for other values and for other volumes", () => {
    const value = (id: string): string =>
      stateDigest(fromDefinition(definition(result), { secretIds: new Map([["token", id]]) }));
    expect(value("value-1")).not.toBe(value("value-2"));
    const volume = (id: string): string => {
      const bytes = encodeCanonical("pb.Op", {
        inputs: [{ digest: base.vertex!.digest, index: 0 }],
        exec: {
          meta: { args: ["x"], cwd: "/" },
          mounts: [
            { dest: "/", output: 0 },
            { input: -1, output: -1, dest: "/c", mountType: 3, cache: { id } },
          ],
        },
      });
      const end = encodeCanonical("pb.Op", { inputs: [{ digest: opDigest(bytes), index: 0 }] });
      const run = decodedOps(fromDefinition({ def: [base.vertex!.bytes, bytes, end], metadata: {} })).find(
        (op) => op["exec"],
      );
      return run!["exec"].mounts.at(-1).secret.id as string;
    };
    expect(volume("a")).toMatch(/^volumes-/);
    expect(volume("a")).not.toBe(volume("b"));
  });

  it("encodes what it decodes as BuildKit does, with everything that an exec can have", () => {
    const bytes = encodeCanonical("pb.Op", {
      inputs: [{ digest: base.vertex!.digest, index: 0 }],
      exec: {
        meta: {
          args: ["0"],
          env: ["A=0"],
          cwd: "/",
          user: "0",
          hostname: "h",
          extraHosts: [{ host: "a", ip: "0.0.0.0" }],
          ulimit: [{ name: "n", soft: 0, hard: 1 }],
        },
        mounts: [
          { dest: "/", output: 0 },
          { input: -1, output: -1, dest: "/t", mountType: 4, tmpfs: { size: 7 } },
        ],
        network: 1,
        security: 1,
        cdiDevices: [{ name: "gpu", optional: true }],
      },
      platform: { os: "linux", architecture: "amd64" },
      constraints: {},
    });
    expect(encodeCanonical("pb.Op", ops.decode(bytes)).toString("hex")).toBe(bytes.toString("hex"));
  });
});
