import path from "node:path";
import { buildSchema, graphql } from "graphql";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { toQueryError } from "../../../src/graphql/errors.ts";
import { serveModule, type EngineSession } from "../../../src/engine/index.ts";
import { loadModule, type ModuleInfo, type ReturnedValue } from "../../../src/module/index.ts";
import { useBuiltPrograms } from "../module/built.ts";

/** What a Dagger engine serves for the module, as far as these calls go: its own names and wrappers. */
const schema = buildSchema(`
  scalar Void
  enum ConformLevel { LOW VERY_HIGH }
  interface Node { id: ID! }
  type Container implements Node { id: ID! }
  type ConformPerson implements Node { id: ID! name: String! age: Int! hello(greeting: String = "hello"): String! older(years: Int = 1): ConformPerson! card: Container! }
  type Conform implements Node {
    id: ID!
    who: String!
    greet(greeting: String, times: Int): String!
    levels(levels: [ConformLevel!]!): [ConformLevel!]!
    people: [ConformPerson!]!
    person(name: String!, age: Int): ConformPerson!
    half(value: Float!): Float!
    tree(dir: ID!): [String!]!
    nothing: Void
    throws: String!
    exits(code: Int!): String!
    base: Container!
  }
  type Served { serve: Void }
  type ModuleSource { asModule: Served! }
  type Query { conform(who: String = "world"): Conform! node(id: ID!): Node moduleSource(refString: String!, disableFindUp: Boolean): ModuleSource! }
`);

class Failure extends Error {
  extensions: Record<string, unknown>;
  constructor(message: string, extensions: Record<string, unknown> = {}) {
    super(`${message} [traceparent:99cf233483d18c5a1d3c6841c0672fdf-034548ed31c6af0c]`);
    this.extensions = extensions;
  }
}

const person = (name: string, age: number): Record<string, unknown> => ({
  __typename: "ConformPerson",
  id: `person ${name} ${age}`,
  name,
  age,
  hello: ({ greeting }: { greeting: string }) => `${greeting} ${name}`,
  older: ({ years }: { years: number }) => person(name, age + years),
  card: { __typename: "Container", id: `card of ${name}` },
});
const conform = ({ who }: { who: string }): Record<string, unknown> => ({
  __typename: "Conform",
  id: `conform ${who}`,
  who,
  greet: ({ greeting = "hey", times = 1 }: { greeting?: string; times?: number }) =>
    `${greeting}, ${who}`.repeat(times),
  levels: ({ levels }: { levels: string[] }) => levels,
  people: [person("ada", 36), person("bob", 7)],
  person: ({ name, age = 1 }: { name: string; age?: number }) => person(name, age),
  half: ({ value }: { value: number }) => value / 2,
  tree: ({ dir }: { dir: string }) => [dir],
  nothing: null,
  throws: () => {
    throw new Failure("on purpose");
  },
  exits: ({ code }: { code: number }) => {
    throw new Failure(`exit code: ${code}`, {
      _type: "EXEC_ERROR",
      cmd: ["sh"],
      exitCode: code,
      stdout: "out",
      stderr: "err",
    });
  },
  base: { __typename: "Container", id: "base" },
});
const objects = (id: string): unknown => {
  const [kind, name = "", age] = id.split(" ");
  return kind === "person" ? person(name, Number(age)) : conform({ who: name });
};

let module: ModuleInfo;
let served: string[];
let session: EngineSession;

beforeAll(async () => {
  await useBuiltPrograms();
  module = await loadModule(path.resolve(import.meta.dirname, "../../fixtures/modules/conform"));
}, 60_000);
beforeEach(() => {
  served = [];
  const rootValue = {
    conform,
    node: ({ id }: { id: string }) => objects(id),
    moduleSource: ({ refString }: { refString: string }) => ({
      asModule: { serve: () => void served.push(refString) },
    }),
  };
  session = {
    engine: { kind: "dagger", version: "dagger v0.21.8", reason: "" },
    port: 0,
    token: "",
    body: { port: 0, token: "" },
    async query<T>(source: string, variableValues?: Record<string, unknown>): Promise<T> {
      const { data, errors } = await graphql({ schema, source, rootValue, variableValues });
      const [error] = errors ?? [];
      if (error !== undefined) throw toQueryError({ message: error.message, extensions: error.extensions });
      return data as T;
    },
    onEvent: () => () => undefined,
    close: () => Promise.resolve(),
  };
});

const call = (
  name: string,
  args: Record<string, unknown> = {},
  more: { object?: string; parent?: ReturnedValue; constructorArgs?: Record<string, unknown> } = {},
) => serveModule(session, module).call({ function: name, args, callId: "c", ...more });

describe("a served module", () => {
  it("is served once, from its folder, and called with its constructor's arguments", async () => {
    const host = serveModule(session, module);
    expect(await host.call({ function: "greet", args: {}, callId: "1" })).toBe("hey, world");
    const args = { greeting: "hi", times: 2 };
    expect(await host.call({ function: "greet", args, constructorArgs: { who: "you" }, callId: "2" })).toBe(
      "hi, youhi, you",
    );
    expect(served).toEqual([module.root]);
  });

  it("goes on being served when the call that began it is cancelled", async () => {
    const { query } = session;
    let go = (): void => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    session.query = async <T>(
      source: string,
      variables?: Record<string, unknown>,
      options: { signal?: AbortSignal } = {},
    ): Promise<T> => {
      if (source.includes("ServeModule")) await gate;
      options.signal?.throwIfAborted();
      return query<T>(source, variables);
    };
    const host = serveModule(session, module);
    const aborter = new AbortController();
    const first = host.call({ function: "greet", args: {}, callId: "1", signal: aborter.signal });
    const second = host.call({ function: "greet", args: {}, callId: "2" });
    aborter.abort(new Error("stale"));
    await expect(first).rejects.toThrow("stale");
    go();
    expect(await second).toBe("hey, world");
    expect(served).toEqual([module.root]);
  });

  it("speaks of enum members as the engine does, and gives them back as they are in code", async () => {
    expect(await call("levels", { levels: ["VeryHigh", "Low"] })).toEqual(["VeryHigh", "Low"]);
  });

  it("writes a whole number as a fraction where one is wanted", async () => {
    const query = session.query;
    const sent: string[] = [];
    session = { ...session, query: (document, ...more) => (sent.push(document), query(document, ...more)) };
    expect(await call("half", { value: 3 })).toBe(1.5);
    expect(sent.at(-1)).toContain("half(value: 3.0)");
  });

  it("passes objects by their ids and gives core objects as ids", async () => {
    expect(await call("tree", { dir: { $id: "dir-1" } })).toEqual(["dir-1"]);
    expect(await call("base")).toEqual({ $id: "base", $type: "Container" });
    expect(await call("nothing")).toBeNull();
  });

  it("gives its own objects with their exposed fields, and calls on them", async () => {
    const host = serveModule(session, module);
    const root = await host.call({ function: "", args: { who: "me" }, callId: "1" });
    expect(root).toEqual({ $object: "Conform", fields: { who: "me" } });
    const people = (await host.call({ function: "people", parent: root, args: {}, callId: "2" })) as ReturnedValue[];
    expect(people).toEqual([
      { $object: "Person", fields: { name: "ada", age: 36 } },
      { $object: "Person", fields: { name: "bob", age: 7 } },
    ]);
    const older = await host.call({
      object: "Person",
      function: "older",
      parent: people[1],
      args: { years: 3 },
      callId: "3",
    });
    expect(older).toEqual({ $object: "Person", fields: { name: "bob", age: 10 } });
    expect(
      await host.call({ object: "Person", function: "hello", parent: older, args: { greeting: "hi" }, callId: "4" }),
    ).toBe("hi bob");
    expect(await host.call({ object: "Person", function: "card", parent: older, args: {}, callId: "5" })).toEqual({
      $id: "card of bob",
      $type: "Container",
    });
  });

  it("tells errors as the function runtime does: with the function's place, a command's exit code, no trace", async () => {
    await expect(call("throws")).rejects.toMatchObject({
      code: "function-failed",
      message: "on purpose",
      place: expect.stringMatching(/^ci\/src\/index\.ts:\d+/) as string,
    });
    await expect(call("exits", { code: 7 })).rejects.toMatchObject({
      exitCode: 7,
      message: "sh failed with exit code 7",
      detail: "err",
    });
  });

  it("is refused where the engine serves none", () => {
    const embedded = { ...session, engine: { ...session.engine, kind: "embedded" as const } };
    expect(() => serveModule(embedded, module)).toThrow("--via module needs a Dagger engine");
  });
});
