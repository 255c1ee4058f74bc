import { execFileSync } from "node:child_process";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Channel } from "../../src/buildkit/connection/channel.ts";
import { sendTree } from "../../src/buildkit/fsutil/sender.ts";
import { unary } from "../../src/buildkit/session/grpc-server.ts";
import { healthCheck, openSession } from "../../src/buildkit/session/session.ts";
import { connectBuildkit, ExecFailure, SolveError } from "../../src/buildkit/index.ts";
import type { Build, BuildkitClient, Ref, StatusUpdate } from "../../src/buildkit/types.ts";
import {
  definition,
  diff,
  exec,
  file,
  image,
  local,
  merge,
  type Mount,
  scratch,
  type State,
} from "../../src/llb/index.ts";
import { listTree, treeStatDigest } from "../../src/tree/index.ts";

const address = process.env["FASTLOOP_TEST_BUILDKIT"];
if (address === undefined) console.warn("skipped: FASTLOOP_TEST_BUILDKIT names no BuildKit daemon");

const baseImage = process.env["FASTLOOP_TEST_IMAGE"] ?? "docker.io/library/debian:bookworm-slim";
const env = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];
const base = image(baseImage);

/** An exec whose `/out` is kept; a random word in its environment keeps it out of the cache of earlier runs. */
function shell(
  command: string,
  mounts: readonly Mount[] = [],
  word: string = randomUUID(),
): { out: State; root: State; digest: string } {
  const out: Mount = { kind: "bind", destination: "/out", from: scratch };
  const run = exec({
    root: base,
    args: ["sh", "-ec", command],
    env: [...env, `WORD=${word}`],
    mounts: [out, ...mounts],
  });
  const state = run.mount("/out");
  if (state === undefined) throw new Error("the output mount has no output");
  return { out: state, root: run.root, digest: run.digest };
}

describe.skipIf(address === undefined)("BuildKit", () => {
  let client: BuildkitClient;
  let build: Build;
  let folder: string;
  let updates: StatusUpdate[];
  const secrets = new Map<string, string>();

  const openBuild = (): Promise<Build> =>
    client.openBuild({
      secrets: { get: async (id) => (secrets.has(id) ? Buffer.from(secrets.get(id) ?? "") : undefined) },
      registryAuth: async () => undefined,
      registryToken: () => Promise.reject(new Error("no password")),
      onStatus: (update) => updates.push(update),
    });
  const solve = async (state: State, signal?: AbortSignal): Promise<Ref> => {
    const ref = await build.solve(definition(state), { signal });
    if (ref === undefined) throw new Error("the result is empty");
    return ref;
  };
  const read = async (state: State, name: string): Promise<string> =>
    Buffer.from(await build.readFile(await solve(state), name)).toString();
  const snapshot = async (root: string): Promise<{ state: State; release: () => void }> => {
    const listing = listTree(root);
    const served = await client.serveTree({
      root: listing.root,
      entries: listing.entries,
      sharedKeyHint: root,
      digest: treeStatDigest(listing),
    });
    return { state: local(served), release: () => served.release() };
  };
  const mounted = (state: State): Mount => ({ kind: "bind", destination: "/src", from: state, readonly: true });

  beforeAll(async () => {
    client = await connectBuildkit(address ?? "");
  });
  afterAll(() => client.close());
  beforeEach(async () => {
    updates = [];
    secrets.clear();
    folder = mkdtempSync(path.join(os.tmpdir(), "fastloop-buildkit-"));
    build = await openBuild();
  });
  afterEach(async () => {
    await build.close();
    execFileSync("chmod", ["-R", "u+rwx", folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  it("tells its version and platforms", async () => {
    expect((await client.info()).platforms[0]).toMatch(/^linux\//);
  });

  it("says where nothing answers", async () => {
    const none = `unix://${folder}/none.sock`;
    await expect(connectBuildkit(none)).rejects.toMatchObject({
      code: "engine-unavailable",
      message: `no BuildKit daemon answers at ${none}`,
    });
  });

  it("opens a session again that the daemon dropped, under the same id", async () => {
    mkdirSync(path.join(folder, "tree"));
    writeFileSync(path.join(folder, "tree/kept.txt"), "kept");
    const listing = listTree(path.join(folder, "tree"));
    const channel = new Channel(address ?? "");
    const id = `dropped-${randomUUID()}`;
    let checks = 0;
    // The first connection fails its health checks, as a process does that gets no CPU time.
    const failTwice = unary(
      () => undefined,
      () => Buffer.alloc(0),
      async () => {
        checks += 1;
        if (checks <= 2) throw new Error("too slow");
      },
    );
    let opened = 0;
    const counted: Pick<Channel, "duplex"> = {
      duplex: (...call) => {
        opened += 1;
        return channel.duplex(...call);
      },
    };
    const session = openSession(counted as Channel, id, [
      [healthCheck, failTwice],
      ["/moby.filesync.v1.FileSync/DiffCopy", (call) => sendTree(call, { ...listing, sharedKeyHint: id, digest: id })],
    ]);
    try {
      await vi.waitFor(() => expect(opened).toBe(2), { timeout: 60_000, interval: 100 });
      expect(session.closed).toBe(false);
      expect(await read(local({ sessionId: id, name: "tree" }), "kept.txt")).toBe("kept");
    } finally {
      await session.close();
      channel.close();
    }
    expect(session.closed).toBe(true);
  });

  it("is reached over TCP as well", async () => {
    const socket = (address ?? "").replace("unix://", "");
    const relay = net.createServer((near) => {
      const far = net.connect(socket);
      near.pipe(far).pipe(near);
      for (const end of [near, far]) end.on("error", () => far.destroy());
    });
    await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
    const other = await connectBuildkit(`tcp://127.0.0.1:${(relay.address() as net.AddressInfo).port}`);
    expect((await other.info()).platforms.length).toBeGreaterThan(0);
    await other.close();
    relay.close();
  });

  it("resolves an image's configuration", async () => {
    const { digest, config } = await build.resolveImageConfig(baseImage, "linux/amd64");
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(config).toMatchObject({ os: "linux", architecture: "amd64" });
  });

  describe("an exec", () => {
    it("leaves files in its output mount, which are read, listed and stat'ed", async () => {
      const ref = await solve(
        shell("mkdir /out/d; printf 0123456789 > /out/d/f; chmod 640 /out/d/f; ln -s f /out/d/l").out,
      );
      expect(Buffer.from(await build.readFile(ref, "d/f")).toString()).toBe("0123456789");
      expect(Buffer.from(await build.readFile(ref, "d/f", { offset: 3, length: 4 })).toString()).toBe("3456");
      expect((await build.readDir(ref, "d")).map(({ path: name, linkname }) => [name, linkname])).toEqual([
        ["f", ""],
        ["l", "f"],
      ]);
      expect(await build.statFile(ref, "d/f")).toMatchObject({ path: "f", mode: 0o640, sizeBytes: 10, uid: 0 });
      await expect(build.readFile(ref, "none")).rejects.toThrow(/no such file/);
    });

    it("leaves files larger than a message", async () => {
      const ref = await solve(shell("seq 1 3000000 > /out/large").out);
      const content = await build.readFile(ref, "large");
      expect(content.length).toBeGreaterThan(16 * 1024 * 1024);
      expect(createHash("sha256").update(content).digest("hex")).toBe(
        execFileSync("sh", ["-c", "seq 1 3000000 | sha256sum"]).toString().slice(0, 64),
      );
    });

    it("runs once: the same exec is answered from the cache, in another build too", async () => {
      const word = randomUUID();
      const first = await read(shell("cat /proc/sys/kernel/random/uuid > /out/o", [], word).out, "o");
      await build.close();
      build = await openBuild();
      expect(await read(shell("cat /proc/sys/kernel/random/uuid > /out/o", [], word).out, "o")).toBe(first);
      expect(await read(shell("cat /proc/sys/kernel/random/uuid > /out/o").out, "o")).not.toBe(first);
    });

    it("is named in the status by the digest of its op, with its output by stream", async () => {
      const run = shell("echo to-stdout; echo to-stderr >&2");
      await solve(run.out);
      await build.close();
      const vertexes = updates.flatMap((update) => update.vertexes).filter((vertex) => vertex.digest === run.digest);
      const text = (stream: string): string =>
        updates
          .flatMap((update) => update.logs)
          .filter((log) => log.vertex === run.digest && log.stream === stream)
          .map((log) => Buffer.from(log.data).toString())
          .join("");
      expect(vertexes.at(-1)).toMatchObject({ cached: false, completedMs: expect.any(Number) });
      expect([text("stdout"), text("stderr")]).toEqual(["to-stdout\n", "to-stderr\n"]);
      build = await openBuild();
    });

    it("fails with its exit code, its vertex and what it printed before", async () => {
      const run = shell("echo about to fail; exit 42");
      const failure = await solve(run.out).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(ExecFailure);
      expect(failure).toMatchObject({ exitCode: 42, vertex: run.digest });
      const printed = updates.flatMap((update) => update.logs).map((log) => Buffer.from(log.data).toString());
      expect(printed.join("")).toContain("about to fail");
      // A build is not spoilt by a failure, and the failure is not remembered.
      await expect(solve(run.out)).rejects.toBeInstanceOf(ExecFailure);
      expect(await read(shell("echo ok > /out/o").out, "o")).toBe("ok\n");
    });

    it("reads a secret that is in no definition, no environment and no snapshot", async () => {
      const word = `word-${randomBytes(16).toString("hex")}`;
      secrets.set("token", word);
      const run = shell(
        "sha256sum < /run/token > /out/o; stat -c %a /run/token >> /out/o; echo $TOKEN | wc -c >> /out/o",
        [{ kind: "secret", id: "token", destination: "/run/token", mode: 0o440 }],
      );
      const graph = definition(run.out);
      expect(graph.def.some((op) => Buffer.from(op).includes(word))).toBe(false);
      const expected = execFileSync("sha256sum", { input: word }).toString();
      expect(await read(run.out, "o")).toBe(`${expected}440\n1\n`);
    });

    it("fails for a secret that nobody has", async () => {
      const run = shell("cat /run/token", [{ kind: "secret", id: "missing", destination: "/run/token" }]);
      await expect(solve(run.out)).rejects.toBeInstanceOf(SolveError);
    });

    it("keeps a cache mount from run to run", async () => {
      const cache: Mount = { kind: "cache", id: `cache-${randomUUID()}`, destination: "/cache", sharing: "locked" };
      await solve(shell("echo kept > /cache/f", [cache]).out);
      expect(await read(shell("cat /cache/f > /out/o", [cache]).out, "o")).toBe("kept\n");
    });

    it("gets its user, hosts, working folder, tmpfs and environment", async () => {
      const run = exec({
        root: base,
        args: ["sh", "-ec", "id -u; pwd; hostname; grep -c 10.1.2.3 /etc/hosts; stat -f -c %T /fast; echo $A"],
        env: [...env, "A=b", `WORD=${randomUUID()}`],
        user: "1234",
        cwd: "/tmp",
        hostname: "somewhere",
        extraHosts: [{ host: "elsewhere", ip: "10.1.2.3" }],
        mounts: [{ kind: "tmpfs", destination: "/fast", sizeBytes: 1 << 20 }],
      });
      await solve(run.root);
      await build.close();
      const printed = updates.flatMap((update) => update.logs).filter((log) => log.vertex === run.digest);
      expect(printed.map((log) => Buffer.from(log.data).toString()).join("")).toBe(
        "1234\n/tmp\nsomewhere\n1\ntmpfs\nb\n",
      );
      build = await openBuild();
    });

    it("runs beside others", async () => {
      // Each waits for a file that the other writes into a shared cache mount: one after the other, neither would end.
      const cache: Mount = { kind: "cache", id: `meet-${randomUUID()}`, destination: "/meet" };
      const meet = (mine: string, other: string): State =>
        shell(
          `touch /meet/${mine}; i=0; until [ -e /meet/${other} ]; do sleep 0.05; i=$((i+1)); [ $i -lt 300 ]; done`,
          [cache],
        ).out;
      await Promise.all([solve(meet("a", "b")), solve(meet("b", "a"))]);
    });

    it("is stopped within a second when its solve is aborted, and no other with it", async () => {
      const { marker, running } = markedSleep();
      const aborter = new AbortController();
      const stopped = solve(shell(`exec sleep ${marker}`).out, aborter.signal);
      const other = solve(shell("i=0; while [ $i -lt 20 ]; do sleep 0.1; i=$((i+1)); done; echo done > /out/o").out);
      await until(running, 20_000);
      aborter.abort(new Error("no longer wanted"));
      await expect(stopped).rejects.toThrow("no longer wanted");
      await until(() => !running(), 1_000);
      expect(Buffer.from(await build.readFile(await other, "o")).toString()).toBe("done\n");
    });
  });

  it("stops what runs when the build is closed", async () => {
    const { marker, running } = markedSleep();
    const stopped = solve(shell(`exec sleep ${marker}`).out).catch((error: unknown) => error);
    await until(running, 20_000);
    await build.close();
    expect(await stopped).toBeInstanceOf(Error);
    await until(() => !running(), 1_000);
    build = await openBuild();
  });

  describe("a host tree", () => {
    it("arrives as it is: modes, links, empty folders, binary content, large files", async () => {
      const large = randomBytes(3_000_001);
      mkdirSync(path.join(folder, "empty/inside"), { recursive: true });
      writeFileSync(path.join(folder, "run.sh"), "#!/bin/sh\n", { mode: 0o755 });
      writeFileSync(path.join(folder, "zero"), "");
      writeFileSync(path.join(folder, "large"), large);
      writeFileSync(path.join(folder, "Größe \u{1F600}"), Buffer.from([0, 255, 1, 254]));
      symlinkSync("../outside", path.join(folder, "link"));
      chmodSync(path.join(folder, "zero"), 0o600);
      utimesSync(path.join(folder, "zero"), 1_000_000_000, 1_000_000_000);
      const { state, release } = await snapshot(folder);
      const ref = await solve(state);
      expect(Buffer.from(await build.readFile(ref, "large")).equals(large)).toBe(true);
      expect([...(await build.readFile(ref, "Größe \u{1F600}"))]).toEqual([0, 255, 1, 254]);
      expect(await build.statFile(ref, "run.sh")).toMatchObject({ mode: 0o755, uid: 0, gid: 0 });
      const zero = await build.statFile(ref, "zero");
      expect(zero).toMatchObject({ mode: 0o600, sizeBytes: 0 });
      // What is below a millisecond tells edits apart that kept the time.
      expect(zero.modTime / 1_000_000n).toBe(1_000_000_000_000n);
      expect(await build.readDir(ref, "/")).toContainEqual(
        expect.objectContaining({ path: "link", linkname: "../outside" }),
      );
      expect((await build.readDir(ref, "empty")).map((entry) => entry.path)).toEqual(["inside"]);
      release();
    });

    it("is seen with an edit, and an exec on unchanged files does not run again", async () => {
      writeFileSync(path.join(folder, "a"), "one");
      const word = randomUUID();
      const run = async (): Promise<string> => {
        const { state, release } = await snapshot(folder);
        const result = await read(
          shell("cat /src/a > /out/o; cat /proc/sys/kernel/random/uuid >> /out/o", [mounted(state)], word).out,
          "o",
        );
        release();
        return result;
      };
      const first = await run();
      expect(await run()).toBe(first);
      writeFileSync(path.join(folder, "a"), "two");
      expect(await run()).toMatch(/^two/);
      // Back to what it was: another snapshot, but mounts are cached by content.
      writeFileSync(path.join(folder, "a"), "one");
      expect(await run()).toBe(first);
    });

    it("is sent only where it changed, though results made from it are still at hand", async () => {
      writeFileSync(path.join(folder, "edited"), "one");
      writeFileSync(path.join(folder, "unchanged"), "same");
      const before = await snapshot(folder);
      const ref = await solve(shell("cat /proc/sys/kernel/random/uuid > /out/o", [mounted(before.state)]).out);
      const result = Buffer.from(await build.readFile(ref, "o")).toString();
      before.release();

      writeFileSync(path.join(folder, "edited"), "two");
      const listing = listTree(folder);
      // Gone from the disk, it cannot be sent: the solve succeeds only when the daemon does not ask for it.
      rmSync(path.join(folder, "unchanged"));
      const served = await client.serveTree({
        root: listing.root,
        entries: listing.entries,
        sharedKeyHint: folder,
        digest: treeStatDigest(listing),
      });
      const after = await solve(local(served));
      expect(Buffer.from(await build.readFile(after, "edited")).toString()).toBe("two");
      expect(Buffer.from(await build.readFile(after, "unchanged")).toString()).toBe("same");
      served.release();
      // The older result had to make room, and comes back from the cache when it is read.
      expect(Buffer.from(await build.readFile(ref, "o")).toString()).toBe(result);
    });

    it("that changes while it is read fails the solve and names the file", async () => {
      writeFileSync(path.join(folder, "steady"), "x");
      writeFileSync(path.join(folder, "moving"), "x");
      const { state, release } = await snapshot(folder);
      writeFileSync(path.join(folder, "moving"), "longer");
      await expect(solve(state)).rejects.toThrow(/moving changed while it was being read/);
      rmSync(path.join(folder, "moving"));
      await expect(solve(state)).rejects.toThrow(/moving changed while it was being read/);
      release();
    });

    it("that is let go and offered again at once is found", async () => {
      for (let turn = 0; turn < 60; turn++) {
        writeFileSync(path.join(folder, "a"), randomUUID());
        (await snapshot(folder)).release();
        const { state, release } = await snapshot(folder);
        await solve(state);
        release();
      }
    });

    it("that is offered under two filters stays for one when the other lets go", async () => {
      const word = randomUUID();
      writeFileSync(path.join(folder, "a"), word);
      const listing = listTree(folder);
      const tree = { root: listing.root, entries: listing.entries, digest: treeStatDigest(listing) };
      const one = await client.serveTree({ ...tree, sharedKeyHint: "one" });
      const other = await client.serveTree({ ...tree, sharedKeyHint: "other" });
      one.release();
      // The daemon has heard of it by the time that it has answered these.
      for (let turn = 0; turn < 10; turn++) await client.info();
      expect(await read(local(other), "a")).toBe(word);
      other.release();
    });

    it("that was sent once is not sent again to a new connection", async () => {
      writeFileSync(path.join(folder, "a"), randomUUID());
      const { state, release } = await snapshot(folder);
      await solve(state);
      release();
      const other = await connectBuildkit(address ?? "");
      const otherBuild = await other.openBuild({
        secrets: { get: async () => undefined },
        registryAuth: async () => undefined,
        registryToken: () => Promise.reject(new Error("no password")),
        onStatus: () => {},
      });
      // Nobody serves the tree now: it can only come from the cache.
      expect(await otherBuild.solve(definition(state))).toBeDefined();
      await otherBuild.close();
      await other.close();
    });
  });

  describe("file operations", () => {
    it("make, copy, link and remove", async () => {
      const source = file(scratch, [
        { kind: "mkdir", path: "/a/b", mode: 0o700 },
        { kind: "mkfile", path: "/a/b/one.txt", content: "1", mode: 0o640, owner: "12:34" },
        { kind: "mkfile", path: "/a/b/two.md", content: "2" },
        { kind: "symlink", path: "/a/link", target: "b" },
      ]);
      const target = file(source, [
        { kind: "copy", from: source, source: "/a", destination: "/copy", include: ["b/*.txt"], dirCopyContents: true },
        { kind: "copy", from: scratch, source: "/", destination: "/made" },
        { kind: "rm", path: "/a/b/two.md" },
        { kind: "rm", path: "/not/there" },
      ]);
      const ref = await solve(target);
      expect((await build.readDir(ref, "/")).map((entry) => entry.path)).toEqual(["a", "copy", "made"]);
      expect((await build.readDir(ref, "/copy/b")).map((entry) => entry.path)).toEqual(["one.txt"]);
      expect((await build.readDir(ref, "/a/b")).map((entry) => entry.path)).toEqual(["one.txt"]);
      expect(await build.statFile(ref, "/a/b/one.txt")).toMatchObject({ mode: 0o640, uid: 12, gid: 34 });
      expect((await build.readDir(ref, "/a")).find((entry) => entry.path === "link")?.linkname).toBe("b");
    });

    it("merge and diff", async () => {
      const a = file(scratch, [{ kind: "mkfile", path: "/a", content: "a" }]);
      const b = file(scratch, [{ kind: "mkfile", path: "/b", content: "b" }]);
      const both = await solve(merge([a, b]));
      expect((await build.readDir(both, "/")).map((entry) => entry.path)).toEqual(["a", "b"]);
      const added = await solve(diff(a, file(a, [{ kind: "mkfile", path: "/c", content: "c" }])));
      expect((await build.readDir(added, "/")).map((entry) => entry.path)).toEqual(["c"]);
    });

    it("are named in the status by the digests that were computed here", async () => {
      const states = [
        file(scratch, [{ kind: "mkfile", path: "/a", content: randomUUID(), owner: "0:7" }]),
        file(base, [{ kind: "mkfile", path: "/a", content: randomUUID(), owner: "root:root" }], {
          platform: "linux/amd64",
        }),
      ];
      const [first = scratch, second = scratch] = states;
      await solve(merge([first, diff(base, second)]));
      await build.close();
      const named = new Set(updates.flatMap((update) => update.vertexes).map((vertex) => vertex.digest));
      for (const state of states) expect(named).toContain(state.vertex?.digest);
      build = await openBuild();
    });
  });

  describe("an export", () => {
    const exported = (): State =>
      shell(
        "cd /out; mkdir -p d/empty ro; echo x > d/x; chmod 751 d/x; ln -s x d/l; ln d/x d/hard; echo r > ro/f; head -c 300000 /dev/zero > big; chmod 555 ro",
      ).out;

    it("writes a tree into a folder with modes and links", async () => {
      const target = path.join(folder, "out");
      await build.export({
        type: "local",
        attributes: {},
        sink: { kind: "directory", path: target },
        results: [{ definition: definition(exported()) }],
      });
      expect(readdirSync(target)).toEqual(["big", "d", "ro"]);
      expect(readdirSync(path.join(target, "d"))).toEqual(["empty", "hard", "l", "x"]);
      expect(readlinkSync(path.join(target, "d/l"))).toBe("x");
      expect(lstatSync(path.join(target, "d/x")).mode & 0o777).toBe(0o751);
      expect(lstatSync(path.join(target, "d/x")).ino).toBe(lstatSync(path.join(target, "d/hard")).ino);
      expect(lstatSync(path.join(target, "ro")).mode & 0o777).toBe(0o555);
      expect(lstatSync(path.join(target, "big")).size).toBe(300_000);
    });

    it("keeps what else is in the folder, or wipes it when told to", async () => {
      const target = path.join(folder, "out");
      mkdirSync(path.join(target, "old/deep"), { recursive: true });
      writeFileSync(path.join(target, "f"), "before");
      const results = [{ definition: definition(file(scratch, [{ kind: "mkfile", path: "/f", content: "after" }])) }];
      await build.export({ type: "local", attributes: {}, sink: { kind: "directory", path: target }, results });
      expect(readdirSync(target)).toEqual(["f", "old"]);
      expect(readFileSync(path.join(target, "f"), "utf8")).toBe("after");
      await build.export({
        type: "local",
        attributes: {},
        sink: { kind: "directory", path: target, wipe: true },
        results,
      });
      expect(readdirSync(target)).toEqual(["f"]);
    });

    it("follows no link out of its folder", async () => {
      const target = path.join(folder, "out");
      const outside = path.join(folder, "outside");
      mkdirSync(outside);
      mkdirSync(target);
      writeFileSync(path.join(outside, "f"), "untouched");
      symlinkSync(outside, path.join(target, "d"));
      symlinkSync(path.join(outside, "f"), path.join(target, "g"));
      const tree = file(scratch, [
        { kind: "mkfile", path: "/g", content: "new" },
        { kind: "mkdir", path: "/d" },
        { kind: "mkfile", path: "/d/f", content: "new" },
      ]);
      await build.export({
        type: "local",
        attributes: {},
        sink: { kind: "directory", path: target },
        results: [{ definition: definition(tree) }],
      });
      expect(readFileSync(path.join(outside, "f"), "utf8")).toBe("untouched");
      expect(lstatSync(path.join(target, "d")).isDirectory()).toBe(true);
      expect(readFileSync(path.join(target, "g"), "utf8")).toBe("new");
    });

    it("writes the empty tree", async () => {
      const target = path.join(folder, "out");
      await build.export({
        type: "local",
        attributes: {},
        sink: { kind: "directory", path: target },
        results: [{ definition: definition(scratch) }],
      });
      expect(readdirSync(target)).toEqual([]);
    });

    it("writes an image archive of several platforms with their configurations", async () => {
      const target = path.join(folder, "image.tar");
      const response = await build.export({
        type: "oci",
        attributes: {},
        sink: { kind: "file", path: target },
        results: ["amd64", "arm64"].map((architecture) => ({
          platform: `linux/${architecture}`,
          definition: definition(
            file(scratch, [{ kind: "mkfile", path: "/f", content: architecture }], {
              platform: `linux/${architecture}`,
            }),
          ),
          config: { architecture, os: "linux", config: { Env: [`ARCH=${architecture}`] } },
        })),
      });
      execFileSync("tar", ["-xf", target, "-C", folder]);
      const blob = (
        digest: string,
      ): {
        manifests: { digest: string; platform: { architecture: string } }[];
        config: { digest: string } & { Env: string[] };
      } => JSON.parse(readFileSync(path.join(folder, "blobs", digest.replace(":", "/")), "utf8"));
      const index = blob(response["containerimage.digest"] ?? "");
      expect(index.manifests.map(({ platform }) => platform.architecture)).toEqual(["amd64", "arm64"]);
      const manifest = blob(index.manifests[1]?.digest ?? "");
      expect(blob(manifest.config.digest).config.Env).toEqual(["ARCH=arm64"]);
    });

    it("that fails leaves no file", async () => {
      const target = path.join(folder, "image.tar");
      const run = shell("exit 3");
      const request = {
        type: "oci" as const,
        attributes: {},
        sink: { kind: "file" as const, path: target },
        results: [{ definition: definition(run.out) }],
      };
      await expect(build.export(request)).rejects.toMatchObject({ exitCode: 3, vertex: run.digest });
      expect(existsSync(target)).toBe(false);
    });
  });
});

/** A `sleep` that no other process has, and whether it runs. */
function markedSleep(): { marker: string; running: () => boolean } {
  const marker = `6${randomBytes(4).readUInt32BE(0) % 1_000_000}`;
  const isMarked = (pid: string): boolean => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8") === `sleep\0${marker}\0`;
    } catch {
      return false;
    }
  };
  return { marker, running: () => readdirSync("/proc").some(isMarked) };
}

/** Polls a condition of the outside world; fails when it has not come true in time. */
async function until(condition: () => boolean, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not true within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
