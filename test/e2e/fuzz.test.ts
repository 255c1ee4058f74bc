import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { embeddedEngine, openSession, type EngineSession, type QueryError } from "../../src/engine/index.ts";

/** `FASTLOOP_FUZZ_SEED` repeats a failure, `FASTLOOP_FUZZ_MS` searches longer. */
const seed = Number(process.env["FASTLOOP_FUZZ_SEED"] ?? 20_261_121);
const budgetMs = Number(process.env["FASTLOOP_FUZZ_MS"] ?? 8_000);

/** mulberry32: the same numbers for the same seed. */
function random(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const paths = [
  "/",
  "..",
  "../../../../etc/passwd",
  "/../x",
  "a/../../b",
  "",
  ".",
  "//",
  "a\\b",
  "a\u0000b",
  "*",
  "[",
  "{a,b",
  "~",
  "/proc/self/environ",
  "x".repeat(5_000),
  "🙂",
  "-rf",
  ".wh.etc",
  "$(id)",
];
const texts = [
  "",
  "\n",
  "'; rm -rf / #",
  "${HOME}",
  "\u0000",
  "\ud800",
  "x".repeat(100_000),
  "null",
  "9007199254740993",
  "<script>",
  "%s%n",
  "sha256:",
  "env://",
  "file:///etc/../etc/shadow",
  "cmd://",
  "git@:x",
  "http://[::1",
  "localhost:99999/x@sha256:0",
];

describe("the engine under hostile requests", () => {
  let folder = "";
  let session: EngineSession;
  let other: EngineSession;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "fastloop-fuzz-"));
    session = await openSession({ workdir: folder, engine: "embedded" });
    other = await openSession({ workdir: folder, engine: "embedded" });
  });
  afterAll(async () => {
    await Promise.all([session.close(), other.close()]);
    rmSync(folder, { recursive: true, force: true });
  });

  interface Sent {
    body?: string;
    headers?: Record<string, string | undefined>;
    method?: string;
    url?: string;
  }

  function send({
    body = '{"query":"{version}"}',
    headers = {},
    method = "POST",
    url = "/query",
  }: Sent): Promise<{ status: number; text: string }> {
    const authorization = `Basic ${Buffer.from(`${session.token}:`).toString("base64")}`;
    const all = { authorization, "content-type": "application/json", ...headers };
    const given = Object.fromEntries(
      Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    return new Promise((resolve, reject) => {
      const sent = request(
        { host: "127.0.0.1", port: session.port, method, path: url, headers: given, agent: false },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
          response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
        },
      );
      sent.on("error", reject);
      sent.end(body);
    });
  }

  async function lives(): Promise<void> {
    expect(await session.query("{ version }")).toEqual({ version: expect.stringMatching(/^v/) as string });
  }

  it("refuses who has no token, another's Host or Origin, another method, path or type", async () => {
    const status = async (sent: Sent): Promise<number> => (await send(sent)).status;
    const port = session.port;
    expect(await status({})).toBe(200);
    expect(await status({ headers: { authorization: undefined } })).toBe(401);
    expect(await status({ headers: { authorization: "Basic Og==" } })).toBe(401);
    expect(await status({ headers: { authorization: `Bearer ${session.token}` } })).toBe(401);
    expect(
      await status({
        headers: { authorization: `Basic ${Buffer.from(`${session.token.slice(0, -1)}:`).toString("base64")}` },
      }),
    ).toBe(401);
    for (const host of ["evil.example", `evil.example:${port}`, `127.0.0.1.evil.example:${port}`, "127.0.0.1:1"])
      expect(await status({ headers: { host } })).toBe(403);
    for (const origin of ["https://evil.example", "null", `http://127.0.0.1:${port}.evil.example`])
      expect(await status({ headers: { origin } })).toBe(403);
    expect(await status({ method: "GET", body: "" })).toBe(405);
    expect(await status({ url: "/" })).toBe(404);
    expect(await status({ headers: { "content-type": "text/plain" } })).toBe(415);
    await lives();
  });

  it("takes no id of another session, nor one that was made up or changed", async () => {
    const query = `{ setSecret(name: "s", plaintext: "mine") { id } directory { withNewFile(path: "f", contents: "mine") { id } } container { id } }`;
    const made = await other.query<{
      setSecret: { id: string };
      directory: { withNewFile: { id: string } };
      container: { id: string };
    }>(query);
    const ids = [made.setSecret.id, made.directory.withNewFile.id];
    for (const id of [
      ...ids,
      ids[0]!.replace("Secret", "File"),
      "Secret@sha256:0",
      "",
      "x".repeat(1_000_000),
      "../../x",
    ]) {
      const asked = session.query(
        `query($id: ID!) { node(id: $id) { ... on Secret { plaintext } ... on Directory { entries } } }`,
        { id },
      );
      await expect(asked).rejects.toThrow(/unknown id|not valid in another session/);
    }
    // The empty container is the same everywhere: its id gives nothing away, but only the session that made it knows it.
    await expect(
      session.query(`query($id: ID!) { loadContainerFromID(id: $id) { platform } }`, { id: made.container.id }),
    ).rejects.toThrow("unknown id");
    expect(
      await other.query(`query($id: ID!) { node(id: $id) { ... on Secret { plaintext } } }`, { id: ids[0] }),
    ).toEqual({ node: { plaintext: "mine" } });
  });

  it(`answers whatever it is sent (seed ${seed})`, async () => {
    const next = random(seed);
    const one = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
    const quote = (): string => JSON.stringify(next() < 0.5 ? one(paths) : one(texts));
    const field = (): string =>
      one([
        () => `directory{withNewFile(path:${quote()},contents:${quote()}){entries}}`,
        () =>
          `directory{withNewDirectory(path:${quote()}){withSymlink(target:${quote()},linkName:${quote()}){file(path:${quote()}){contents}}}}`,
        () =>
          `directory{withNewFile(path:"a",contents:"x"){glob(pattern:${quote()}) search(pattern:${quote()}){filePath} withoutFile(path:${quote()}){digest}}}`,
        () => `directory{withNewFile(path:"a",contents:"x"){withPatch(patch:${quote()}){entries}}}`,
        () =>
          `directory{withNewFile(path:"a",contents:"x"){chown(path:${quote()},owner:${quote()}){entries(path:${quote()})}}}`,
        () =>
          `file(name:${quote()},contents:${quote()},permissions:${one([-1, 0, 420, 99_999, 2_147_483_647])}){name size}`,
        () =>
          `container{withEnvVariable(name:${quote()},value:${quote()},expand:true){withWorkdir(path:${quote()}){envVariables{name} workdir}}}`,
        () => `container{withExec(args:[${quote()}]){stdout}}`,
        () =>
          `container{withExposedPort(port:${one([-1, 0, 70_000, 8_080])}){asService(args:[${quote()}]){hostname endpoint(scheme:${quote()})}}}`,
        () => `container{withLabel(name:${quote()},value:${quote()}){withUser(name:${quote()}){labels{name} user}}}`,
        () => `container(platform:${quote()}){platform}`,
        () => `container{withDockerHealthcheck(args:[${quote()}],interval:${quote()}){dockerHealthcheck{interval}}}`,
        () => `secret(uri:${quote()}){name}`,
        () => `json{withContents(contents:${quote()}){asString}}`,
        () => `node(id:${quote()}){id}`,
        () =>
          `${one(["query", "mutation", "subscription", "__schema", "host", "nope"])}{${one(["{", "}", "...", "...x", "@include", ":", "x(y:"])}`,
        () => `a:version `.repeat(Math.floor(next() * 500)) + "version",
      ])();
    const garbled = (text: string): string => {
      const at = Math.floor(next() * text.length);
      return one([
        () => text,
        () => text.slice(0, at),
        () => text.slice(0, at) + String.fromCharCode(Math.floor(next() * 256)) + text.slice(at + 1),
        () => text.slice(at) + text.slice(0, at),
      ])();
    };
    const bodies = (): string =>
      next() < 0.9
        ? JSON.stringify({
            query: next() < 0.7 ? `{${field()}}` : garbled(`{${field()}}`),
            variables: one([undefined, null, {}, [], { id: 1 }, "x"]),
          })
        : one([
            "",
            "null",
            "[]",
            "{}",
            '{"query":1}',
            '{"query":"',
            "[".repeat(100_000),
            `{"query":"${"{a".repeat(50_000)}"}`,
            '{"query":"{version}","operationName":"nope"}',
          ]);

    const until = performance.now() + budgetMs;
    let count = 0;
    while (performance.now() < until) {
      const sent = Array.from({ length: 4 }, bodies);
      const answers = await Promise.all(sent.map((body) => send({ body })));
      for (const [index, { status, text }] of answers.entries()) {
        const about = `seed ${seed}, request ${count + index}: ${sent[index]!.slice(0, 400)}`;
        expect([200, 400, 422], about).toContain(status);
        const answer = JSON.parse(text) as { data?: unknown; errors?: { message: string }[] };
        expect(answer.data !== undefined || (answer.errors?.length ?? 0) > 0, about).toBe(true);
        // A bug of ours shows as what JavaScript says of it.
        for (const { message } of answer.errors ?? []) {
          expect(message, about).not.toMatch(
            /is not a function|is not iterable|Cannot (read|set) propert|undefined|Maximum call stack|Invalid array length|\bat \S+:\d+:\d+/,
          );
        }
      }
      count += answers.length;
    }
    expect(count).toBeGreaterThan(20);
    expect(readdirSync(folder)).toEqual([]);
    await lives();
  });

  it("tells why a long operation failed, and goes on", async () => {
    const long = "y".repeat(100_000);
    const file = `query($text: String!) { directory { withNewFile(path: "a", contents: "") { withNewFile(path: "a/b", contents: $text) { entries } } } }`;
    await expect(session.query(file, { text: long })).rejects.toThrow("mkdir /a: not a directory");
    const exec = `query($text: String!) { container { from(address: "debian:bookworm-slim") { withExec(args: ["sh", "-c", $text]) { sync } } } }`;
    const failed = await session
      .query(exec, { text: `echo out; echo err >&2; exit 3 # ${long}` })
      .catch((error: unknown) => (error as QueryError).extensions);
    expect({ ...(failed as object), cmd: undefined }).toMatchObject({ exitCode: 3, stdout: "out", stderr: "err" });
    const dockerfile = `FROM debian:bookworm-slim\nRUN exit 4\n# ${"y".repeat(60_000)}\n# ${"z".repeat(60_000)}\n`;
    const built = `query($text: String!) { directory { withNewFile(path: "Dockerfile", contents: $text) { dockerBuild { sync } } } }`;
    await expect(session.query(built, { text: dockerfile })).rejects.toThrow("exit code: 4");
    await lives();
  });

  it("unpacks no archive beyond its container", async () => {
    const marker = path.join(tmpdir(), `fastloop-fuzz-escaped-${process.pid}`);
    const evil = path.join(folder, "evil");
    const layer = path.join(folder, "layer.tar");
    writeFileSync(evil, "escaped");
    const climbing = `../../../../../../../..${marker}`;
    execFileSync("tar", ["-cPf", layer, "--transform", `s|.*evil|${climbing}|`, evil]);
    execFileSync("tar", ["-rPf", layer, "--transform", `s|.*evil|${marker}|`, evil]);
    execFileSync("tar", ["-cf", path.join(folder, "link.tar"), "-C", folder, "evil"]);
    writeFileSync(
      path.join(folder, "config.json"),
      JSON.stringify({ os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [] } }),
    );
    writeFileSync(
      path.join(folder, "manifest.json"),
      JSON.stringify([{ Config: "config.json", RepoTags: null, Layers: ["layer.tar"] }]),
    );
    execFileSync("tar", [
      "-cf",
      path.join(folder, "image.tar"),
      "-C",
      folder,
      "manifest.json",
      "config.json",
      "layer.tar",
    ]);
    const imported = `{ host { file(path: "image.tar") { id } } }`;
    const { host } = await session.query<{ host: { file: { id: string } } }>(imported);
    const list = `query($id: ID!) { container { import(source: $id) { rootfs { glob(pattern: "**") } } } }`;
    await session
      .query(list, { id: host.file.id })
      .catch((error: unknown) => expect((error as Error).message).not.toBe(""));
    expect(existsSync(marker)).toBe(false);

    const names = [{ Config: "../../etc/passwd", RepoTags: null, Layers: ["--checkpoint-action=exec=touch x"] }];
    writeFileSync(path.join(folder, "manifest.json"), JSON.stringify(names));
    execFileSync("tar", ["-cf", path.join(folder, "names.tar"), "-C", folder, "manifest.json"]);
    const second = await session.query<{ host: { file: { id: string } } }>(
      `{ host { file(path: "names.tar") { id } } }`,
    );
    await expect(session.query(list, { id: second.host.file.id })).rejects.toThrow(
      'the image archive lacks "../../etc/passwd"',
    );
    await lives();
  });

  it("exports no link of a container's to a place outside of the target", async () => {
    const victim = mkdtempSync(path.join(tmpdir(), "fastloop-fuzz-victim-"));
    const target = path.join(folder, "out");
    const link = `withSymlink(target: ${JSON.stringify(victim)}, linkName: "d")`;
    await session.query(`{ directory { ${link} { export(path: ${JSON.stringify(target)}) } } }`);
    await session
      .query(
        `{ directory { withNewFile(path: "d/escaped", contents: "x") { export(path: ${JSON.stringify(target)}) } } }`,
      )
      .catch(() => undefined);
    expect(readdirSync(victim)).toEqual([]);
    rmSync(victim, { recursive: true });
  });

  it.each([
    ["FROM scratch\nCOPY ../../../etc/passwd /x\n", /not found|passwd/],
    ["FROM scratch\nADD https://127.0.0.1:1/x /x\n", /127\.0\.0\.1:1/],
    ["FROM debian:bookworm-slim\nRUN --mount=type=bind,from=nowhere,target=/x true\n", /nowhere/],
    [
      "FROM debian:bookworm-slim\nRUN --mount=type=bind,source=/../../..,target=/h test ! -e /h/etc/shadow && false\n",
      /exit code: 1|not found/,
    ],
    [
      "FROM debian:bookworm-slim\nRUN --security=insecure true\n",
      /the Dockerfile asks for the right security.insecure/,
    ],
    ["FROM debian:bookworm-slim\nRUN --network=host true\n", /the Dockerfile asks for the right network.host/],
    ["FROM ${X:-${X:-${X:-\n", /.+/],
    ["ONBUILD ONBUILD RUN x\n", /.+/],
    ["\u0000\u0001\u0002", /.+/],
  ])("builds no hostile Dockerfile: %j", async (dockerfile, message) => {
    const query = `query($text: String!) { directory { withNewFile(path: "Dockerfile", contents: $text) { dockerBuild { sync } } } }`;
    await expect(session.query(query, { text: dockerfile })).rejects.toThrow(message);
    await lives();
  });

  it("runs no program that a Dockerfile's first line names", async () => {
    const dockerfile = "# syntax=127.0.0.1:1/no/frontend\nFROM debian:bookworm-slim\nRUN echo built > /told\n";
    const query = `query($text: String!) { directory { withNewFile(path: "Dockerfile", contents: $text) { dockerBuild { file(path: "/told") { contents } } } } }`;
    expect(await session.query(query, { text: dockerfile })).toEqual({
      directory: { withNewFile: { dockerBuild: { file: { contents: "built\n" } } } },
    });
  });

  it("is the same engine as before", async () => {
    expect((await (await embeddedEngine()).status())?.sessions).toBeGreaterThanOrEqual(2);
  });
});
