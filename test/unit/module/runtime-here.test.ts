/** What the function runtime does with a call, in this process: values, objects, dependencies, errors, requests. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { clientGen, globalConnection } from "sdk:runtime";
import { loadModule, type ModuleInfo } from "../../../src/module/index.ts";
import { Asks } from "../../../src/module/runtime/asks.ts";
import { calls } from "../../../src/module/runtime/call-context.ts";
import { offerDependencies } from "../../../src/module/runtime/dependencies.ts";
import { describeError } from "../../../src/module/runtime/describe-error.ts";
import { createGQLClient } from "../../../src/module/runtime/graphql-client.ts";
import { Invoker } from "../../../src/module/runtime/invoke.ts";
import type { DependencyCall, DependencyValue, FromRuntime } from "../../../src/module/runtime/protocol.ts";
import { removeCache, useBuiltPrograms } from "./built.ts";
import { startFakeSession, type FakeSession } from "./fake-session.ts";
import { removeTemporaryModules, temporaryModule } from "./temporary-module.ts";

type Chain = Record<string, (...given: unknown[]) => Promise<unknown>>;

let session: FakeSession;

beforeAll(async () => {
  await useBuiltPrograms();
  session = await startFakeSession();
  globalConnection.setGQLClient(createGQLClient(session.port, session.token));
}, 60_000);
afterEach(() => {
  session.seen.length = 0;
  session.answer = () => ({});
});
afterAll(async () => {
  await session.close();
  removeTemporaryModules();
  removeCache();
});

/** As the function runtime has it while a body runs. */
const during = <T>(work: () => Promise<T>, signal = new AbortController().signal): Promise<T> =>
  calls.run({ callId: "call-1", id: 1, signal }, work);

describe("a call of a function body", () => {
  /** Classes as a module's bundle has them; the signatures are read from the same lines. */
  class Box {
    width = 1;
    label = "";
    area(): number {
      return this.width * this.width;
    }
  }
  class It {
    who: string;
    constructor(who = "world") {
      this.who = who;
    }
    greet(greeting: string, times = 1): string {
      return Array.from({ length: times }, () => `${greeting}, ${this.who}`).join(" ");
    }
    box(width: number): Box {
      return Object.assign(new Box(), { width, label: `of ${this.who}` });
    }
    boxes(): Box[] {
      return [this.box(1), this.box(2)];
    }
    half(value: number): number {
      return value / 2;
    }
    nothing(): void {}
    level(level: string): string {
      return `${level}!`;
    }
    raised(): string {
      return "high-value";
    }
    image(source: { id(): Promise<string> }): unknown {
      return clientGen.dag.container().withDirectory("/src", source as never);
    }
    all(...words: string[]): string[] {
      return words;
    }
  }
  const source = `
export enum Level { Low = "low-value", High = "high-value" }
@object() export class Box { @func() width: number = 1; @func() label: string = ""; @func() area(): number { return 0 } }
@object() export class It {
  @func() who: string
  constructor(who: string = "world") { this.who = who }
  @func() greet(greeting: string, times: number = 1): string { return "" }
  @func() box(width: number): Box { return new Box() }
  @func() boxes(): Box[] { return [] }
  @func() half(value: number): number { return 0 }
  @func() nothing(): void {}
  @func() level(level: Level): string { return "" }
  @func() raised(): Level { return Level.High }
  @func() image(source: Directory): Container { return dag.container() }
  @func() all(...words: string[]): string[] { return words }
}`;
  let invoker: Invoker;
  beforeAll(async () => {
    const module: ModuleInfo = await loadModule(temporaryModule("it", source));
    invoker = new Invoker(module, [{ It, Box }]);
  });
  const invoke = (name: string, args: Record<string, unknown> = {}, more: object = {}): Promise<unknown> =>
    during(() => invoker.invoke({ function: name, args, callId: "call-1", ...more }));

  it("constructs the main object, with what is given or with defaults", async () => {
    expect(await invoke("greet", { greeting: "hi" })).toBe("hi, world");
    const constructorArgs = { who: "you" };
    expect(await invoke("greet", { greeting: "hi", times: 2 }, { constructorArgs })).toBe("hi, you hi, you");
    expect(await invoke("all", { words: ["a", "b"] })).toEqual(["a", "b"]);
    expect(await invoke("nothing")).toBeNull();
  });

  it("returns objects of the module with their fields, and runs functions on them", async () => {
    const box = { $object: "Box", fields: { width: 3, label: "of world" } };
    expect(await invoke("box", { width: 3 })).toEqual(box);
    expect(await invoke("boxes")).toMatchObject([{ fields: { width: 1 } }, { fields: { width: 2 } }]);
    expect(await invoke("area", {}, { object: "Box", parent: box })).toBe(9);
  });

  it("has enums by their values in code and by their members outside", async () => {
    expect(await invoke("level", { level: "High" })).toBe("high-value!");
    expect(await invoke("raised")).toBe("High");
  });

  it("takes core objects by id and returns them as ids", async () => {
    session.answer = ({ query }) => ({ container: { withDirectory: { id: query } } });
    const result = (await invoke("image", { source: "dir-1" })) as { $id: string; $type: string };
    expect(result.$type).toBe("Container");
    expect(result.$id).toContain('"dir-1"');
    expect(session.seen[0]?.callId).toBe("call-1");
  });

  it("refuses what no signature has", async () => {
    await expect(invoke("half", { value: 3 })).rejects.toThrow("cannot return float '1.5'");
    await expect(invoke("missing")).rejects.toThrow("could not find method missing");
    await expect(invoke("area", {}, { object: "Nothing" })).rejects.toThrow("could not find object Nothing");
  });
});

describe("the client of a module's dependencies", () => {
  const asked: DependencyCall[] = [];
  let answers: (request: DependencyCall) => DependencyValue;
  const dag = clientGen.dag as unknown as Chain;
  beforeAll(() => {
    offerDependencies(
      [
        {
          name: "lib",
          main: "Lib",
          parameters: [
            { name: "who", optional: false, type: { kind: "string" } },
            { name: "level", optional: true, type: { kind: "enum", name: "LibLevel" } },
          ],
          objects: {
            Lib: {
              text: { parameters: [], returns: { kind: "string" } },
              level: { parameters: [], returns: { kind: "enum", name: "LibLevel" } },
              parts: { parameters: [], returns: { kind: "list", of: { kind: "object", name: "LibPart" } } },
              words: { parameters: [], returns: { kind: "list", of: { kind: "string" } } },
              tree: { parameters: [], returns: { kind: "object", name: "Directory" } },
              take: {
                parameters: [{ name: "part", optional: false, type: { kind: "object", name: "LibPart" } }],
                returns: { kind: "void" },
              },
            },
            LibPart: { name: { parameters: [], returns: { kind: "string" } } },
          },
          enums: { LibLevel: { VERY_HIGH: "very-high" } },
        },
        {
          name: "closed",
          main: "Closed",
          parameters: [],
          objects: {},
          enums: {},
          refused: "it is no TypeScript module",
        },
      ],
      false,
      (request) => {
        asked.push(request);
        return Promise.resolve(answers(request));
      },
    );
  });
  afterEach(() => {
    asked.length = 0;
  });
  const lib = (...given: unknown[]): Chain => dag["lib"]!("me", ...given) as unknown as Chain;
  const main = { $handle: "h1", $type: "Lib" };

  it("asks nothing until the end of a chain is wanted, and then step by step", async () => {
    answers = ({ function: name }) => (name === "" ? main : "said");
    const chain = lib({ level: "very-high" });
    expect(asked).toEqual([]);
    expect(await chain["text"]!()).toBe("said");
    expect(asked).toEqual([
      { dependency: "lib", function: "", args: { who: "me", level: "VERY_HIGH" } },
      { dependency: "lib", handle: "h1", function: "text", args: {} },
    ]);
    expect(await chain["id"]!()).toBe("h1");
    expect((chain["with"]!((self: unknown) => self) as unknown) === chain).toBe(true);
  });

  it("has enums as values in code, lists, and nothing for void", async () => {
    answers = ({ function: name }) => ({ "": main, level: "VERY_HIGH", words: ["a", "b"], take: null })[name] as never;
    expect(await lib()["level"]!()).toBe("very-high");
    expect(await lib()["words"]!()).toEqual(["a", "b"]);
    expect(await lib()["take"]!("h2")).toBeUndefined();
  });

  it("goes on with objects of a list, by their handles", async () => {
    answers = ({ function: name, handle }) =>
      name === "" ? main : name === "parts" ? [{ $handle: "p1", $type: "LibPart" }] : `name of ${handle}`;
    const [part] = (await lib()["parts"]!()) as Chain[];
    expect(await part!["name"]!()).toBe("name of p1");
    // A chain among the arguments is asked for first.
    await lib()["take"]!(part);
    expect(asked.at(-1)).toMatchObject({ function: "take", args: { part: "p1" } });
  });

  it("asks the session where a chain comes to an object of the core API", async () => {
    answers = ({ function: name }) => (name === "" ? main : { $id: "dir-9", $type: "Directory" });
    session.answer = () => ({ node: { entries: ["a"] } });
    const tree = lib()["tree"]!() as unknown as Chain;
    expect(await tree["entries"]!()).toEqual(["a"]);
    expect(session.seen[0]?.query).toContain('"dir-9"');
    session.answer = () => ({ container: { withDirectory: { stdout: "of it" } } });
    const used = clientGen.dag.container().withDirectory("/src", tree as never);
    expect(await used.stdout()).toBe("of it");
  });

  it("says why a module can't be called", () => {
    expect(() => dag["closed"]!()).toThrow("dag.closed(): it is no TypeScript module; with a Dagger engine");
  });
});

describe("a question to the parent", () => {
  it("belongs to the call that asks, and is answered or refused by number", async () => {
    const sent: FromRuntime[] = [];
    const asks = new Asks((message) => sent.push(message));
    const request = { dependency: "lib", function: "", args: {} };
    await expect(asks.ask(request)).rejects.toThrow("can be called while a function runs, not before");
    const [first, second] = [during(() => asks.ask(request)), during(() => asks.ask(request))];
    expect(sent).toMatchObject([
      { kind: "ask", ask: 1, call: 1 },
      { kind: "ask", ask: 2, call: 1 },
    ]);
    asks.settle({ kind: "answer", ask: 1, value: "yes" });
    expect(await first).toBe("yes");
    const exec = { command: ["false"], exitCode: 1, stdout: "out", stderr: "err" };
    asks.settle({ kind: "refusal", ask: 2, error: { message: "no", name: "ExecError", frames: [], exec } });
    await expect(second).rejects.toMatchObject({ name: "ExecError", message: "no", cmd: ["false"], exitCode: 1 });
  });
});

describe("an error of a body", () => {
  it("has the frames of the module's own sources, without their folder", () => {
    const error = new TypeError("wrong");
    error.stack = `TypeError: wrong
    at It.greet (file:///srv/my%20module/src/index.ts:3:9)
    at other (/srv/my module/node_modules/x/index.js:1:1)
    at node:internal/x:1:1`;
    expect(describeError(error, "/srv/my module")).toEqual({
      message: "wrong",
      name: "TypeError",
      frames: ["at It.greet (src/index.ts:3:9)"],
      place: undefined,
      exec: undefined,
    });
  });

  it("says what is behind the SDK's and Node's wrapping, and what the boundary has to do with it", () => {
    const refused = Object.assign(new Error("connect ECONNREFUSED 10.0.0.1:5432"), {
      code: "ECONNREFUSED",
      address: "10.0.0.1",
    });
    expect(describeError(new Error("fetch failed", { cause: refused }), "/m").message).toMatch(
      /^fetch failed: connect ECONNREFUSED .* \(functions reach the internet and the services that they are given/,
    );
    const far = Object.assign(new Error("refused"), { code: "ECONNREFUSED", address: "93.184.216.34" });
    expect(describeError(new Error("fetch failed", { cause: far }), "/m").message).toBe("fetch failed: refused");
    const traced = new Error("exit code: 1 [traceparent:00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01]");
    expect(describeError(traced, "/m").message).toBe("exit code: 1");
  });

  it("keeps what a command printed, a place, and what was thrown that is no error", () => {
    const exec = Object.assign(new Error("failed"), { cmd: ["sh", 1], exitCode: 3, stdout: "out", place: "a.ts:1" });
    expect(describeError(exec, "/m")).toMatchObject({
      place: "a.ts:1",
      exec: { command: ["sh", "1"], exitCode: 3, stdout: "out", stderr: "" },
    });
    expect(describeError("a text", "/m").message).toBe("a text");
    expect(describeError({ code: 7 }, "/m").message).toBe('{"code":7}');
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(describeError(circle, "/m").message).toBe("[object Object]");
  });
});
