import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDaggerSession } from "../../../src/engine/dagger/session.ts";
import { startSessionProcess } from "../../../src/engine/dagger/session-process.ts";
import { ExecFailure, QueryError } from "../../../src/engine/index.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-dagger-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Stands in for the dagger CLI: serves a session's GraphQL, prints its line, lives until stdin closes. */
const fakeDagger = `
import http from "node:http";
import { writeFileSync } from "node:fs";
writeFileSync("started", JSON.stringify({ args: process.argv.slice(2), pid: process.pid }));
const token = "secret";
const server = http.createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk)).on("end", () => {
    if (request.headers.authorization !== "Basic " + Buffer.from(token + ":").toString("base64")) return response.writeHead(401).end();
    const { query } = JSON.parse(Buffer.concat(chunks));
    const error = (message, extensions) => ({ data: null, errors: [{ message, extensions }] });
    const answers = {
      // The id is a handle, field 2 of the message.
      "{ version directory { id } }": { data: { version: "v0.21.9", directory: { id: process.env.DIRECTORY_ID ?? "EgJoMQ==" } } },
      "{ version }": { data: { version: "v0.21.9" } },
      "{ call }": { data: { call: request.headers["x-fastloop-call"] ?? null } },
      "{ exec }": error("exit code: 3", { _type: "EXEC_ERROR", cmd: ["sh", "-c", "exit 3"], exitCode: 3, stdout: "out", stderr: "err" }),
      "{ bad }": error("Cannot query field"),
    };
    if (query === "{ hang }") return request.socket.once("close", () => writeFileSync("hung-up", "yes"));
    response.end(JSON.stringify(answers[query]));
  });
});
server.listen(0, "127.0.0.1", () => {
  console.log("some chatter");
  console.log(JSON.stringify({ port: server.address().port, session_token: token }));
});
process.stdin.resume().on("end", () => { writeFileSync("ended", "stdin"); process.exit(0); });
`;

function program(source: string): string {
  const file = path.join(folder, "dagger");
  writeFileSync(path.join(folder, "dagger.mjs"), source);
  writeFileSync(file, `#!/bin/sh\nexec "${process.execPath}" "${folder}/dagger.mjs" "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}

const open = (source: string) =>
  openDaggerSession(
    { kind: "dagger-cli", command: program(source), reason: "a test" },
    { workdir: folder, engine: "auto" },
  );

describe("a session by the dagger CLI", () => {
  it("is a silent `dagger session` in the working folder", async () => {
    const session = await open(fakeDagger);
    expect(session.engine).toEqual({ kind: "dagger", version: "dagger v0.21.9", reason: "a test" });
    const { args } = JSON.parse(readFileSync(path.join(folder, "started"), "utf8")) as { args: string[] };
    expect(args.slice(0, 2)).toEqual(["--silent", "session"]);
    await session.close();
  });

  it("ends the CLI when it is closed", async () => {
    const session = await open(fakeDagger);
    const { pid } = JSON.parse(readFileSync(path.join(folder, "started"), "utf8")) as { pid: number };
    await session.close();
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  it("refuses function bodies where ids are recipes: an older engine's can't be told from made-up ones", async () => {
    const session = await open(`process.env.DIRECTORY_ID = "CgZ4eGgzOjE=";\n${fakeDagger}`);
    const { port, token } = session.body;
    const asked = fetch(`http://127.0.0.1:${port}/query`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Basic ${btoa(`${token}:`)}` },
      body: '{"query":"{ version }"}',
    });
    expect(await (await asked).json()).toMatchObject({
      errors: [{ message: expect.stringContaining("Call with --via module") as string }],
    });
    expect(await session.query("{ call }")).toEqual({ call: null });
    await session.close();
  });

  it("tells a failed exec from other errors, and carries the call's id", async () => {
    const session = await open(fakeDagger);
    const failure = await session.query("{ exec }").catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ExecFailure);
    expect(failure).toMatchObject({ command: ["sh", "-c", "exit 3"], exitCode: 3, stdout: "out", stderr: "err" });
    const bad = await session.query("{ bad }").catch((error: unknown) => error);
    expect(bad).toBeInstanceOf(QueryError);
    expect(bad).not.toBeInstanceOf(ExecFailure);
    expect(await session.query("{ call }", {}, { callId: "c7" })).toEqual({ call: "c7" });
    await session.close();
  });

  it("drops the request's connection when the query is aborted", async () => {
    const session = await open(fakeDagger);
    const controller = new AbortController();
    const pending = session.query("{ hang }", {}, { signal: controller.signal });
    setImmediate(() => controller.abort(new Error("stale")));
    await expect(pending).rejects.toThrow("stale");
    await session.close();
  });

  it("fails with the CLI's last words when it ends without a session", async () => {
    const opening = open(`console.error("no space left on device"); process.exit(5);`);
    await expect(opening).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining("exit code 5") as string,
      detail: "no space left on device",
    });
  });

  it("is given up after the connect timeout, with a CLI that ignores SIGTERM", async () => {
    const source = `process.on("SIGTERM", () => {}); process.stdin.resume(); setInterval(() => {}, 1000);
      (await import("node:fs")).writeFileSync("started", String(process.pid));`;
    const command = program(source);
    const starting = startSessionProcess({
      command,
      args: [],
      workdir: folder,
      env: process.env,
      connectTimeoutMs: 700,
    });
    await expect(starting).rejects.toThrow("nothing within 0.7 s");
    expect(existsSync(path.join(folder, "started"))).toBe(true);
    const pid = Number(readFileSync(path.join(folder, "started"), "utf8"));
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });
});

describe("the end of a session by the dagger CLI", () => {
  const stubborn = (onTerm: string): string => `
    import { writeFileSync } from "node:fs";
    process.on("SIGTERM", () => { ${onTerm} });
    process.stdin.resume();
    setInterval(() => {}, 1000);
    console.log(JSON.stringify({ port: 1, session_token: "t", pid: writeFileSync("pid", String(process.pid)) }));`;
  const pidOf = (): number => Number(readFileSync(path.join(folder, "pid"), "utf8"));
  const start = (source: string) =>
    startSessionProcess({
      command: program(source),
      args: [],
      workdir: folder,
      env: process.env,
      connectTimeoutMs: 20_000,
    });

  it("is asked for by SIGTERM, so that the CLI can tell its engine", async () => {
    const session = await start(stubborn('writeFileSync("termed", ""); process.exit(0)'));
    await session.close();
    expect(existsSync(path.join(folder, "termed"))).toBe(true);
    expect(await session.ended).toBe("exit code 0");
  });

  it("comes by SIGKILL where SIGTERM is ignored", async () => {
    const session = await start(stubborn("/* not now */"));
    await session.close();
    expect(await session.ended).toBe("signal SIGKILL");
    expect(() => process.kill(pidOf(), 0)).toThrow("ESRCH");
  });
});

describe("a session that the environment names", () => {
  it("is an error with a hint when nobody answers there", async () => {
    const choice = { kind: "dagger-session", port: 1, token: "t", reason: "" } as const;
    await expect(openDaggerSession(choice, { workdir: folder, engine: "auto" })).rejects.toMatchObject({
      exitCode: 3,
      hint: expect.stringContaining("unset DAGGER_SESSION_PORT") as string,
    });
  });
});
