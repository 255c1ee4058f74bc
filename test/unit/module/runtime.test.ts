import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  FunctionError,
  loadModule,
  startFunctionRuntime,
  type RuntimeLog,
  type FunctionRuntime,
  type ModuleInfo,
} from "../../../src/module/index.ts";
import { removeCache, useBuiltPrograms } from "./built.ts";
import { startFakeSession, type FakeSession } from "./fake-session.ts";

const fixture = path.resolve(import.meta.dirname, "../../fixtures/modules/everything");
const folders: string[] = [];
const runtimes: FunctionRuntime[] = [];
let session: FakeSession;
let everything: ModuleInfo;

beforeAll(async () => {
  await useBuiltPrograms();
  everything = await loadModule(fixture);
}, 60_000);

beforeEach(async () => {
  session = await startFakeSession();
});

afterEach(async () => {
  await Promise.all(runtimes.splice(0).map((runtime) => runtime.close()));
  await session.close();
});

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  removeCache();
});

/** A module whose main object has these methods. */
async function moduleOf(members: string, before = ""): Promise<ModuleInfo> {
  const root = mkdtempSync(path.join(tmpdir(), "fastloop-module-"));
  folders.push(root);
  mkdirSync(path.join(root, "src"));
  writeFileSync(
    path.join(root, "dagger.json"),
    '{"name":"it","engineVersion":"v0.21.4","sdk":"typescript","source":"."}',
  );
  writeFileSync(
    path.join(root, "src/index.ts"),
    `import { dag, func, object, Container, Directory } from "@dagger.io/dagger"\n${before}\n@object()\nexport class It {\n${members}\n}\n`,
  );
  return loadModule(root);
}

function runtimeOf(module: ModuleInfo, logs: RuntimeLog[] = []): FunctionRuntime {
  const runtime = startFunctionRuntime({ module, session, onLog: (log) => logs.push(log) });
  runtimes.push(runtime);
  return runtime;
}

function deferred<T>(): { promise: Promise<T>; resolve(value: T): void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}

let calls = 0;
const callId = (): string => `call-${++calls}`;

describe("a function body in the function runtime", () => {
  it("gets the main object as its constructor made it, and defaults where nothing was given", async () => {
    const runtime = runtimeOf(everything);
    expect(await runtime.call({ function: "greet", args: { greeting: "hi" }, callId: callId() })).toBe("hi, world");
    const args = { greeting: "hi", times: 2, loud: true, suffix: "!" };
    expect(await runtime.call({ function: "greet", args, constructorArgs: { who: "you" }, callId: callId() })).toBe(
      "HI, YOUHI, YOU!",
    );
  });

  it("gets enum members as their values and returns values as members", async () => {
    const runtime = runtimeOf(everything);
    const args = { level: "High", words: ["a", "b"] };
    expect(await runtime.call({ function: "join", args, callId: callId() })).toBe("HIGH!:a+b");
    expect(await runtime.call({ function: "join", args: {}, callId: callId() })).toBe("medium:");
    expect(await runtime.call({ function: "level", args: {}, callId: callId() })).toBe("High");
  });

  it("gets core objects by id and returns them as ids", async () => {
    session.answer = ({ query }) => ({ container: { from: { withMountedDirectory: { id: query } } } });
    const runtime = runtimeOf(everything);
    const result = await runtime.call({ function: "shout", args: { site: "dir-1" }, callId: callId() });
    expect(result).toEqual({ $id: expect.stringContaining('source: "dir-1"'), $type: "Container" });
  });

  it("returns the module's own objects with their fields, and takes them back as the parent of the next call", async () => {
    const runtime = runtimeOf(everything);
    const parent = await runtime.call({ function: "greeter", args: { name: "ada" }, callId: callId() });
    // The field's initialiser ran here, in the code's own `new`, and its state is kept.
    expect(parent).toEqual({ $object: "Greeter", fields: { name: "ada", prefix: "never set" } });
    const call = { object: "Greeter", parent, callId: callId() };
    expect(await runtime.call({ ...call, function: "hello", args: {} })).toBe("hello ada never set");
    const bare = { $object: "Greeter", fields: { name: "bob" } };
    expect(await runtime.call({ ...call, parent: bare, function: "hello", args: {} })).toBe("hello bob");
    const report = [
      { $object: "Report", fields: { title: "one", proto: "Udp", boxes: [{ $object: "Box", fields: { width: 1 } }] } },
    ];
    expect(await runtime.call({ function: "report", args: { proto: "Udp" }, callId: callId() })).toEqual(report);
  });

  it("refuses a fraction where the signature promises an integer", async () => {
    const call = runtimeOf(everything).call({ function: "half", args: { value: 3 }, callId: callId() });
    await expect(call).rejects.toThrow("cannot return float '1.5'");
  });

  it("sends each of its requests with its own call's id, also when bodies run in parallel", async () => {
    session.answer = ({ query }) => ({ container: { from: { id: query } } });
    const runtime = runtimeOf(everything);
    const images = ["one", "two", "three", "four"];
    await Promise.all(
      images.map((image) => runtime.call({ function: "inferred", args: { image }, callId: `for-${image}` })),
    );
    for (const { query, callId: sent } of session.seen) {
      expect(query).toContain(`"${sent?.replace("for-", "")}"`);
    }
    expect(session.seen).toHaveLength(4);
    expect(session.seen[0]?.authorization).toBe(`Basic ${Buffer.from("secret-token:").toString("base64")}`);
  });

  it("is cancelled by aborting its requests, and only its own", async () => {
    const runtime = runtimeOf(everything);
    const controller = new AbortController();
    const hanging = deferred<void>();
    const release = deferred<unknown>();
    session.answer = ({ query }) => {
      if (query.includes("stays")) return release.promise;
      hanging.resolve();
      return new Promise(() => {});
    };
    const kept = runtime.call({ function: "inferred", args: { image: "stays" }, callId: "kept" });
    const cancelled = runtime.call({
      function: "inferred",
      args: { image: "goes" },
      callId: "gone",
      signal: controller.signal,
    });
    await hanging.promise;
    controller.abort(new Error("a newer edit"));
    await expect(cancelled).rejects.toThrow("a newer edit");
    await session.seen.find((seen) => seen.callId === "gone")?.aborted;
    release.resolve({ container: { from: { id: "kept" } } });
    expect(await kept).toEqual({ $id: "kept", $type: "Container" });
  });

  it("prints into its call's log and not into the result", async () => {
    const logs: RuntimeLog[] = [];
    const module = await moduleOf(`
      @func() say(): string { console.log("to %s", "stdout"); console.error("to stderr"); process.stdout.write("raw"); return "result" }`);
    expect(await runtimeOf(module, logs).call({ function: "say", args: {}, callId: "c1" })).toBe("result");
    expect(logs).toEqual([
      { callId: "c1", stream: "stdout", text: "to stdout\n" },
      { callId: "c1", stream: "stderr", text: "to stderr\n" },
      { callId: "c1", stream: "stdout", text: "raw" },
    ]);
  });
});

describe("an error of a function body", () => {
  it("has its place and stack in the TypeScript source", async () => {
    const module = await moduleOf(
      `
      @func() outer(): string { return inner(1) }`,
      `
      interface Unused { a: string }
      function inner(n: number): string {
        throw new TypeError("no " + n)
      }`,
    );
    const error: unknown = await runtimeOf(module)
      .call({ function: "outer", args: {}, callId: callId() })
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FunctionError);
    const failure = error as FunctionError;
    expect(failure.place).toBe("src/index.ts:5:15");
    expect(failure.message).toBe("no 1");
    expect(failure.frames).toEqual([
      "at inner (src/index.ts:5:15)",
      expect.stringMatching(/^at .*outer \(src\/index\.ts:10:40\)$/),
    ]);
    expect(failure.exitCode).toBe(1);
  });

  it("carries a failed command's output and exit code", async () => {
    session.answer = () => ({
      errors: [
        {
          message: "exit code: 7",
          extensions: {
            _type: "EXEC_ERROR",
            cmd: ["sh", "-c", "exit 7"],
            exitCode: 7,
            stdout: "out",
            stderr: "line one\nline two\n",
          },
        },
      ],
    });
    const error: unknown = await runtimeOf(everything)
      .call({ function: "verify", args: { manifest: "file-1" }, callId: callId() })
      .catch((e: unknown) => e);
    expect(error).toMatchObject({
      exitCode: 7,
      exec: { command: ["sh", "-c", "exit 7"], exitCode: 7, stdout: "out", stderr: "line one\nline two\n" },
    });
    expect((error as FunctionError).detail).toContain("line one\nline two");
  });

  it("at the module's top level is the module's error, with its place", async () => {
    const module = await moduleOf("@func() fine(): string { return 'x' }", 'throw new Error("too early")');
    const call = runtimeOf(module).call({ function: "fine", args: {}, callId: callId() });
    await expect(call).rejects.toMatchObject({ code: "module", message: "too early", place: "src/index.ts:2:7" });
  });

  it("names the import that is not installed", async () => {
    const module = await moduleOf(
      "@func() fine(): string { return String(missing) }",
      'import missing from "not-installed-anywhere"',
    );
    const call = runtimeOf(module).call({ function: "fine", args: {}, callId: callId() });
    await expect(call).rejects.toMatchObject({
      code: "module",
      message: 'Could not resolve "not-installed-anywhere"',
      place: "src/index.ts:2:21",
    });
  });

  it("says what happened to the session when it is gone", async () => {
    const module = await moduleOf("@func() ask(): Promise<string> { return dag.version() }");
    const runtime = runtimeOf(module);
    await session.close();
    await expect(runtime.call({ function: "ask", args: {}, callId: callId() })).rejects.toThrow(/ECONNREFUSED|awaited/);
  });

  it("that ends the process fails the running calls, and the next call gets a new process", async () => {
    const module = await moduleOf(`
      @func() die(): string { process.exit(9) }
      @func() live(): string { return "alive" }`);
    const runtime = runtimeOf(module);
    await expect(runtime.call({ function: "die", args: {}, callId: callId() })).rejects.toThrow(
      "the process that ran the function ended (exit code 9)",
    );
    expect(await runtime.call({ function: "live", args: {}, callId: callId() })).toBe("alive");
  });

  it.each([
    ["a message that is none of fastloop's", '{"cmd":"NODE_HANDLE","type":"net.Native","msg":{}}'],
    ["a line that is no JSON", "not json"],
  ])(
    "that writes %s to the process's channel ends that process, and the next call gets a new one",
    async (what, line) => {
      const module = await moduleOf(
        `
      @func() async forge(): Promise<string> { fs.writeSync(3, ${JSON.stringify(`${line}\n`)}); await new Promise(() => {}); return "" }
      @func() live(): string { return "alive" }`,
        'import fs from "node:fs"',
      );
      const runtime = runtimeOf(module);
      await expect(runtime.call({ function: "forge", args: {}, callId: callId() })).rejects.toThrow(
        `the process that ran the function ended (it sent ${what})`,
      );
      expect(await runtime.call({ function: "live", args: {}, callId: callId() })).toBe("alive");
    },
  );

  it("that forges a result of another type fails that call alone", async () => {
    const forged = JSON.stringify({ kind: "result", id: 1, value: { $id: "Host@sha256:0", $type: "Host" } });
    const module = await moduleOf(
      `
      @func() async forge(): Promise<string> { fs.writeSync(3, ${JSON.stringify(`${forged}\n`)}); await new Promise(() => {}); return "" }
      @func() live(): string { return String(process.pid) }`,
      'import fs from "node:fs"',
    );
    const runtime = runtimeOf(module);
    await expect(runtime.call({ function: "forge", args: {}, callId: callId() })).rejects.toThrow(
      "the function returned an object where string is declared",
    );
    const live = { function: "live", args: {}, callId: callId() };
    expect(await runtime.call(live)).toBe(await runtime.call(live));
  });
});

it("an object that a body was given is handed on without asking for its id", async () => {
  const module = await moduleOf(
    '@func() async it(source: Directory): Promise<string> { return dag.container().withMountedDirectory("/src", source).withExec(["ls"]).stdout() }\n' +
      "@func() same(source: Directory): Directory { return source }",
  );
  session.answer = () => ({ container: { withMountedDirectory: { withExec: { stdout: "listed" } } } });
  const runtime = runtimeOf(module);
  const args = { source: { $id: "id-of-source" } };
  expect(await runtime.call({ function: "it", args, callId: callId() })).toBe("listed");
  expect(session.seen).toHaveLength(1);
  expect(session.seen[0]?.query).toContain('source: "id-of-source"');
  expect(await runtime.call({ function: "same", args, callId: callId() })).toEqual({
    $id: "id-of-source",
    $type: "Directory",
  });
  expect(session.seen).toHaveLength(1);
});

describe("a function body cannot", () => {
  const outside = path.join(tmpdir(), `fastloop-outside-${process.pid}.txt`);

  async function attempt(code: string, imports = ""): Promise<unknown> {
    const module = await moduleOf(`@func() async it(): Promise<string> { ${code} }`, imports);
    return runtimeOf(module)
      .call({ function: "it", args: {}, callId: callId() })
      .catch((error: unknown) => error);
  }

  it("read a file outside its module", async () => {
    writeFileSync(outside, "private");
    const result = await attempt(
      `return fs.readFileSync(${JSON.stringify(outside)}, "utf8")`,
      'import fs from "node:fs"',
    );
    rmSync(outside);
    expect(result).toMatchObject({ message: expect.stringMatching(/restricted|permission|ENOENT|EROFS/i) });
  });

  it("read through a link that leaves its module", async () => {
    writeFileSync(outside, "private");
    const module = await moduleOf(
      '@func() async it(): Promise<string> { return fs.readFileSync(new URL("../" + "link.txt", import.meta.url), "utf8") }\n' +
        '@func() async own(): Promise<string> { return fs.readFileSync(new URL("../dagger.json", import.meta.url), "utf8") }',
      'import fs from "node:fs"',
    );
    symlinkSync(outside, path.join(module.root, "link.txt"));
    const runtime = runtimeOf(module);
    const result: unknown = await runtime
      .call({ function: "it", args: {}, callId: callId() })
      .catch((error: unknown) => error);
    expect(result).toMatchObject({ message: expect.stringMatching(/restricted|permission|ENOENT|EROFS/i) });
    expect(await runtime.call({ function: "own", args: {}, callId: callId() })).toContain('"name":"it"');
    rmSync(outside);
  });

  it("see the user's environment", async () => {
    process.env.FASTLOOP_TEST_SECRET = "hunter2";
    const result = await attempt("return JSON.stringify(process.env)");
    delete process.env.FASTLOOP_TEST_SECRET;
    expect(result).toContain("DAGGER_SESSION_PORT");
    expect(result).not.toContain("hunter2");
  });

  it("start a child process", async () => {
    const result = await attempt('return cp.execSync("id").toString()', 'import cp from "node:child_process"');
    expect(result).toMatchObject({ message: expect.stringMatching(/restricted|permission|ENOENT|EROFS/i) });
  });

  it("start a worker", async () => {
    const result = await attempt(
      'new Worker("1", { eval: true }); return "started"',
      'import { Worker } from "node:worker_threads"',
    );
    expect(result).toMatchObject({ message: expect.stringMatching(/restricted|permission|ENOENT|EROFS/i) });
  });

  it("write a file, not even in its module", async () => {
    const code = 'fs.writeFileSync(new URL("./made.txt", import.meta.url), "x"); return import.meta.url';
    const result = await attempt(code, 'import fs from "node:fs"');
    expect(result).toMatchObject({ message: expect.stringMatching(/restricted|permission|ENOENT|EROFS/i) });
    expect(folders.some((folder) => existsSync(path.join(folder, "src/made.txt")))).toBe(false);
  });

  it("listen on a port", async () => {
    const result = await attempt('net.createServer().listen(0); return "listening"', 'import net from "node:net"');
    expect(result).toMatchObject({ message: expect.stringContaining("EPERM") });
  });

  it("signal a process", async () => {
    const result = await attempt('process.kill(process.ppid, 0); return "signalled"');
    expect(result).toMatchObject({ message: expect.stringContaining("EPERM") });
  });

  it.each([
    ["net", 'net._createServerHandle("127.0.0.1", 0, 4)'],
    ["net", 'net.createServer()._listen2("127.0.0.1", 0, 4)'],
    ["dgram", 'dgram._createSocketHandle("127.0.0.1", 0, "udp4")'],
    ["net", "process._kill(process.ppid, 0)"],
    ["net", "process._debugProcess(process.ppid)"],
  ])("do it by the internals of %s either: %s", async (name, code) => {
    const result = await attempt(`${code}; return "done"`, `import ${name} from "node:${name}"`);
    expect(result).toMatchObject({ message: expect.stringContaining("EPERM") });
  });

  it.each([
    "net.connect(PATH)",
    "net.connect({ path: PATH })",
    "new net.Socket().connect(PATH)",
    "http.get({ socketPath: PATH })",
  ])("speak to a daemon of the user's behind a unix socket: %s", async (code) => {
    const folder = mkdtempSync(path.join(tmpdir(), "fastloop-socket-"));
    folders.push(folder);
    const socket = path.join(folder, "s");
    const server = net.createServer((connection) => connection.destroy());
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const body = `await once(${code.replace("PATH", JSON.stringify(socket))}, "close"); return "spoken"`;
    const result = await attempt(
      body,
      'import net from "node:net"; import http from "node:http"; import { once } from "node:events"',
    );
    server.close();
    expect(result).toMatchObject({ message: expect.stringContaining("EPERM") });
  });

  it("speak to the process that started it", async () => {
    expect(await attempt("return String(process.send)")).toBe("undefined");
  });
});

it("says what is waited for where a module's top level never ends, and ends it with the call or the runtime", async () => {
  const module = await moduleOf('  @func()\n  text(): string {\n    return "x"\n  }', "while (Date.now() > 0) {}");
  const told = deferred<string>();
  const runtime = startFunctionRuntime({ module, session, onNotice: told.resolve, slowLoadMs: 1 });
  const controller = new AbortController();
  const call = runtime.call({ function: "text", args: {}, callId: "endless", signal: controller.signal });
  expect(await told.promise).toContain("the module it is still loading");
  controller.abort(new Error("Ctrl-C"));
  await expect(call).rejects.toThrow("Ctrl-C");
  await runtime.close();
  await expect(runtime.call({ function: "text", args: {}, callId: "later" })).rejects.toThrow("closed");
});
