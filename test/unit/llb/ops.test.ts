import { describe, expect, it } from "vitest";
import { codec } from "../../../src/llb/proto/pb.ts";
import {
  diff,
  exec,
  file,
  git,
  image,
  local,
  merge,
  parsePlatform,
  scratch,
  stateDigest,
  type State,
} from "../../../src/llb/index.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- a decoded message is looked at by path
type Message = Record<string, any>;
const op = codec<Message>("pb.Op");
const decoded = (state: State): Message => op.decode(state.vertex?.bytes ?? new Uint8Array());
const base = image("docker.io/library/debian:bookworm-slim");
const none = "-1";

describe("a source", () => {
  it("is an image with its platform and resolve mode", () => {
    const message = decoded(image("docker.io/library/a:1", { platform: "linux/arm/v7", resolveMode: "local" }));
    expect(message["source"]).toEqual({
      identifier: "docker-image://docker.io/library/a:1",
      attrs: { "image.resolvemode": "local" },
    });
    expect(message["platform"]).toMatchObject({ os: "linux", architecture: "arm", variant: "v7" });
  });

  it("is a host tree or a repository", () => {
    expect(decoded(local({ name: "tree-1", sessionId: "abc" }))["source"]).toEqual({
      identifier: "local://tree-1",
      attrs: { "local.session": "abc" },
    });
    expect(decoded(git("https://a.example/b/c.git", { ref: "main", keepGitDir: true }))["source"]).toEqual({
      identifier: "git://a.example/b/c.git#main",
      attrs: { "git.fullurl": "https://a.example/b/c.git", "git.keepgitdir": "true" },
    });
    expect(decoded(git("git@a.example:b/c.git"))["source"].identifier).toBe("git://a.example/b/c.git");
  });
});

describe("file operations", () => {
  it("run as one op: each works on the last one's result, only the last has an output", () => {
    const message = decoded(
      file(base, [
        { kind: "mkdir", path: "a" },
        { kind: "mkfile", path: "/a/f", content: "x", owner: "user:12" },
        { kind: "copy", from: base, source: "/etc", destination: "/b" },
        { kind: "rm", path: "/a" },
      ]),
    );
    const actions: Message[] = message["file"].actions;
    // One input, used twice; results of actions are numbered after it.
    expect(message["inputs"].length).toBe(1);
    expect(actions.map(({ input, secondaryInput, output }) => [input, secondaryInput, output])).toEqual([
      ["0", none, none],
      ["1", none, none],
      ["2", "0", none],
      ["3", none, "0"],
    ]);
    // Names are looked up in an input: BuildKit refuses the result of an earlier action.
    expect(actions[0]?.["mkdir"].path).toBe("/a");
    expect(actions[1]?.["mkfile"].owner).toMatchObject({
      user: { byName: { name: "user", input: "0" } },
      group: { byId: 12 },
    });
  });

  it("stamp what they make with one fixed time, or with the time that they are given", () => {
    const timestamp = (timestampNs?: bigint): string =>
      decoded(file(scratch, [{ kind: "mkfile", path: "/f", content: "", timestampNs }]))["file"].actions[0].mkfile
        .timestamp;
    expect(timestamp()).toBe("315532800000000000");
    expect(timestamp(1_700_000_000_123_456_789n)).toBe("1700000000123456789");
  });

  it("keep the times of what they copy", () => {
    expect(
      decoded(file(scratch, [{ kind: "copy", from: base, source: "/", destination: "/" }]))["file"].actions[0].copy,
    ).toMatchObject({
      timestamp: none,
      mode: -1,
      createDestPath: true,
    });
  });

  it("make the folder when they copy the empty tree", () => {
    expect(
      decoded(file(base, [{ kind: "copy", from: scratch, source: "/", destination: "/d" }]))["file"].actions[0].mkdir
        .path,
    ).toBe("/d");
  });

  it("of no action are the base itself", () => {
    expect(file(base, [])).toBe(base);
  });
});

describe("an exec", () => {
  it("does not depend on the order in which its mounts are named", () => {
    const a = { kind: "cache", id: "a", destination: "/a" } as const;
    const b = { kind: "tmpfs", destination: "/b", sizeBytes: 5 } as const;
    expect(exec({ root: base, args: ["x"], mounts: [a, b] }).digest).toBe(
      exec({ root: base, args: ["x"], mounts: [b, a] }).digest,
    );
  });

  it("gives outputs to writable bind mounts only", () => {
    const run = exec({
      root: base,
      args: ["x"],
      mounts: [
        { kind: "bind", destination: "/ro", from: base, readonly: true },
        { kind: "bind", destination: "/rw", from: base, selector: "etc" },
        { kind: "cache", destination: "/cache", id: "c", sharing: "locked" },
        { kind: "secret", destination: "/secret", id: "s", mode: 0o440, optional: true },
      ],
    });
    const mounts: Message[] = decoded(run.root)["exec"].mounts;
    expect(mounts.map(({ dest, input, output }) => [dest, input, output])).toEqual([
      ["/", "0", "0"],
      ["/cache", none, none],
      ["/ro", "0", none],
      ["/rw", "0", "1"],
      ["/secret", none, none],
      // For the key alone: nobody has this secret, so it is not mounted.
      ["/.fastloop/volumes", none, none],
    ]);
    expect(mounts[1]).toMatchObject({ mountType: 3, cache: { id: "c", sharing: 2 } });
    expect(mounts[3]).toMatchObject({ selector: "etc" });
    expect(mounts[4]).toMatchObject({ mountType: 1, secret: { id: "s", mode: 0o440, optional: true } });
    expect(run.mount("/rw")?.output).toBe(1);
    expect(run.mount("/ro")).toBeUndefined();
  });

  it("says in its key which volumes it has, where, and how they are shared", () => {
    const keys = [
      { destination: "/c", id: "a" },
      { destination: "/c", id: "b" },
      { destination: "/d", id: "a" },
      { destination: "/c", id: "a", sharing: "locked" as const },
    ].map((mount) => {
      const mounts: Message[] = decoded(exec({ root: base, args: ["x"], mounts: [{ kind: "cache", ...mount }] }).root)[
        "exec"
      ].mounts;
      expect(mounts.at(-1)).toMatchObject({ mountType: 1, secret: { optional: true } });
      return mounts.at(-1)!["secret"].id as string;
    });
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("can leave the content of a mount out of its key", () => {
    const keyed = (contentCache?: "on" | "off"): string =>
      exec({
        root: base,
        args: ["x"],
        mounts: [{ kind: "bind", destination: "/src", from: base, readonly: true, contentCache }],
      }).digest;
    expect(new Set([keyed(), keyed("on"), keyed("off")]).size).toBe(3);
  });
});

describe("merge and diff", () => {
  it("leave out what is empty", () => {
    expect(merge([scratch, base, scratch])).toBe(base);
    expect(stateDigest(merge([]))).toBe("scratch");
    expect(diff(scratch, base)).toBe(base);
  });

  it("name their inputs in order", () => {
    const one = file(scratch, [{ kind: "mkdir", path: "/1" }]);
    expect(decoded(merge([base, one, base]))["merge"].inputs).toEqual([{ input: "0" }, { input: "1" }, { input: "0" }]);
    expect(decoded(diff(base, scratch))["diff"]).toEqual({ lower: { input: "0" }, upper: { input: none } });
  });
});

describe("a platform", () => {
  it("needs an operating system and an architecture", () => {
    expect(parsePlatform("linux/arm64")).toEqual({ os: "linux", architecture: "arm64" });
    expect(() => parsePlatform("arm64")).toThrow(/not a platform/);
  });
});
