/** Shapes of modules that public ones have: what a scan says of them, and that their bodies run. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  loadModule,
  startFunctionRuntime,
  type RuntimeCall,
  type FunctionRuntime,
  type ReturnedValue,
} from "../../../src/module/index.ts";
import { removeCache, useBuiltPrograms } from "./built.ts";
import { startFakeSession, type FakeSession } from "./fake-session.ts";
import { removeTemporaryModules, temporaryModule } from "./temporary-module.ts";

let session: FakeSession;
const runtimes: FunctionRuntime[] = [];

beforeAll(useBuiltPrograms, 60_000);
beforeEach(async () => {
  session = await startFakeSession();
});
afterEach(async () => {
  await Promise.all(runtimes.splice(0).map((runtime) => runtime.close()));
  await session.close();
});
afterAll(() => {
  removeTemporaryModules();
  removeCache();
});

async function started(name: string, source: string): Promise<(call: Partial<RuntimeCall>) => Promise<ReturnedValue>> {
  const runtime = startFunctionRuntime({ module: await loadModule(temporaryModule(name, source)), session });
  runtimes.push(runtime);
  return (call) => runtime.call({ function: "", args: {}, callId: "one", ...call });
}

const problemOf = (name: string, source: string): Promise<unknown> =>
  loadModule(temporaryModule(name, source)).catch((error: unknown) => error);

describe("a class with the name of a core type", () => {
  it.each([
    "Label",
    "Workspace",
    "Container",
    "Directory",
    "File",
    "Check",
    "Env",
    "Stat",
    "Up",
    "Service",
    "Module",
    "Query",
    "Error",
  ])("%s is the module's own", async (name) => {
    const imported = name === "Container" ? "" : "@func() image(): Container { return dag.container() }";
    const source = `@object() export class ${name} { @func() text = ""
      @func() withText(text: string): ${name} { this.text = text; return this }
      @func() shown(): string { return this.text } ${imported} }`;
    const withoutImport = source.replace("dag.container()", "null as never");
    const root = temporaryModule(name.toLowerCase(), "", {
      "src/index.ts": `import { func, object${imported === "" ? "" : ", Container"} } from "@dagger.io/dagger"\n${withoutImport}`,
    });
    const module = await loadModule(root);
    expect(Object.keys(module.objects)).toEqual([name]);
    expect(module.objects[name]?.functions.withText?.returns).toEqual({ kind: "object", name });
    const runtime = startFunctionRuntime({ module, session });
    runtimes.push(runtime);
    const parent = await runtime.call({ function: "withText", args: { text: "hi" }, callId: "one" });
    expect(parent).toEqual({ $object: name, fields: { text: "hi" } });
    expect(await runtime.call({ object: name, parent, function: "shown", args: {}, callId: "two" })).toBe("hi");
  });

  it("is taken also where it stands in another file, and so is an enum", async () => {
    const root = temporaryModule(
      "it",
      'import { Label, NetworkProtocol } from "./parts.ts"\n@object() export class It { @func() label(n: NetworkProtocol = NetworkProtocol.Fast): Label { return new Label() } }',
      {
        "src/parts.ts":
          'import { func, object } from "@dagger.io/dagger"\nexport enum NetworkProtocol { Fast = "fast" }\n@object() export class Label { @func() own(): string { return "" } }',
      },
    );
    const module = await loadModule(root);
    expect(Object.keys(module.objects.Label?.functions ?? {})).toEqual(["own"]);
    expect(Object.keys(module.enums.NetworkProtocol?.members ?? {})).toEqual(["Fast"]);
  });
});

describe("a constructor that gives a promise of the object", () => {
  const source = `@object() export class It { @func() version: string
    constructor(fails = false) {
      return (async () => { await Promise.resolve(); if (fails) throw new Error("no version"); this.version = "12"; return this })() as unknown as It
    }
    @func() shown(): string { return "v" + this.version } }`;

  it("is waited for, for its fields and for its functions", async () => {
    const call = await started("it", source);
    expect(await call({})).toEqual({ $object: "It", fields: { version: "12" } });
    expect(await call({ function: "shown" })).toBe("v12");
  });

  it("fails as the promise does", async () => {
    const call = await started("it", source);
    await expect(call({ function: "shown", constructorArgs: { fails: true } })).rejects.toThrow("no version");
  });
});

describe("a function that gives an interface", () => {
  const source = `
    export interface Shape { area(scale?: number): Promise<number>; grown(by: number): Shape; title(): Promise<string>; says(what: string): Promise<string> }
    @object() export class Square { @func() width = 0; @func("title") heading = "a square"
      constructor(width: number) { this.width = width; this.heading = "a square" }
      @func() area(extra = 0, scale = 1): number { return this.width * this.width * scale + extra }
      @func() grown(by: number): Square { return new Square(this.width + by) }
      @func("says") spoken(what: string): string { return what + " " + this.width } }
    @object() export class It { @func() square(): Square { return new Square(2) } @func() shape(): Shape { return new Square(2) as never }
      @func() shapes(): Shape[] { return [new Square(1), new Square(3)] as never }
      @func() ctr(): Shape { return dag.container() as never } }`;

  it("is followed by the functions and fields of the object behind it, by name and not by place", async () => {
    const call = await started("it", source);
    const parent = await call({ function: "shape" });
    expect(parent).toEqual({ $object: "Square", fields: { width: 2, title: "a square" } });
    const through = { object: "Shape", parent };
    expect(await call({ ...through, function: "area", args: { scale: 3 } })).toBe(12);
    const grown = await call({ ...through, function: "grown", args: { by: 1 } });
    expect(await call({ ...through, parent: grown, function: "area" })).toBe(9);
    expect(await call({ ...through, function: "title" })).toBe("a square");
    expect(await call({ ...through, function: "says", args: { what: "width" } })).toBe("width 2");
    expect(await call({ function: "shapes" })).toMatchObject([{ fields: { width: 1 } }, { fields: { width: 3 } }]);
  });

  it("is told when the object behind it lacks what the interface promises", async () => {
    const call = await started("it", source.replace('@func("says") spoken', "@func() spoken"));
    const parent = await call({ function: "shape" });
    await expect(call({ object: "Shape", parent, function: "says", args: { what: "x" } })).rejects.toThrow(
      "Square has no function says, which its interface promises",
    );
  });

  it("is told when no signature names the object behind it", async () => {
    const call = await started("it", source.replace("@func() square(): Square { return new Square(2) }", ""));
    await expect(call({ function: "shape" })).rejects.toThrow(
      "Square is in no signature of the module, so it can't be given as Shape",
    );
  });

  it("may have an object of the core API behind it", async () => {
    session.answer = ({ query }) =>
      query.includes("stdout") ? { node: { stdout: "out" } } : { container: { id: "ctr-1" } };
    const call = await started(
      "it",
      source.replace("title(): Promise<string>;", "title(): Promise<string>; stdout(): Promise<string>;"),
    );
    const parent = await call({ function: "ctr" });
    expect(parent).toEqual({ $id: "ctr-1", $type: "Container" });
    expect(await call({ object: "Shape", parent, function: "stdout" })).toBe("out");
  });
});

describe("@deprecated", () => {
  it("is kept with its reason wherever an engine keeps it", async () => {
    const module = await loadModule(
      temporaryModule(
        "it",
        `
      /** Old. @deprecated use New */
      export enum Level {
        /** @deprecated use High */
        Low = "low", High = "high" }
      /** @deprecated */
      @object() export class It {
        /** @deprecated see other */
        @func() text = ""
        /** Builds. @deprecated use make */
        @func() build(level: Level,
          /** @deprecated not read */
          quick?: boolean): string { return "" }
        @func() make(): string { return "" } }`,
      ),
    );
    const it = module.objects.It;
    expect([
      it?.deprecated,
      it?.fields.text?.deprecated,
      it?.functions.build?.deprecated,
      it?.functions.make?.deprecated,
    ]).toEqual(["", "see other", "use make", undefined]);
    expect(it?.functions.build?.description).toBe("Builds.");
    expect(it?.functions.build?.arguments.map(({ deprecated }) => deprecated)).toEqual([undefined, "not read"]);
    expect([module.enums.Level?.members.Low?.deprecated, module.enums.Level?.members.High?.deprecated]).toEqual([
      "use High",
      undefined,
    ]);
  });

  it("is refused on an argument that has to be given", async () => {
    const problem = await problemOf(
      "it",
      "@object() export class It { @func() a(\n/** @deprecated x */\nb: string): void {} }",
    );
    expect(problem).toMatchObject({
      place: "src/index.ts:4:1",
      message: "argument b is required and cannot be deprecated.",
    });
  });
});

describe("a name that no engine takes", () => {
  const main = (members: string, before = ""): string => `${before}\n@object() export class It {\n${members}\n}`;
  it.each([
    [
      "a function id",
      main("@func() id(): string { return '' }"),
      'cannot define function with reserved name "id" on object "It"',
      4,
    ],
    [
      "a function ID",
      main("@func() ID(): string { return '' }"),
      'cannot define function with reserved name "id" on object "It"',
      4,
    ],
    [
      "an alias",
      main("@func({ alias: 'id' }) own(): string { return '' }"),
      'cannot define function with reserved name "id" on object "It"',
      4,
    ],
    ["a field", main("@func() id: string"), 'cannot define field with reserved name "id" on object "It"', 4],
    [
      "a field of a type",
      main("@func() a(): Row { return { id: '' } }", "export type Row = { id: string }"),
      'cannot define field with reserved name "id" on object "Row"',
      2,
    ],
    [
      "an interface",
      main("@func() a(i: Named): void {}", "export interface Named {\n  id(): Promise<string> }"),
      'cannot define function with reserved name "id" on interface "Named"',
      3,
    ],
    ["nothing in ASCII", main("@func() äöü(): void {}"), "the function äöü of It has no name in an engine", 4],
    [
      "an argument of nothing",
      main("@func() a($: string): void {}"),
      "the argument $ of a has no name in an engine",
      4,
    ],
    [
      "a Workspace that is kept",
      main("@func() ws: Workspace"),
      'object "It" field "ws": Workspace cannot be stored as a field on a module object; declare it as a function argument instead',
      4,
    ],
  ])("is refused in the engine's words: %s", async (_what, source, message, line) => {
    expect(await problemOf("it", source)).toMatchObject({ name: "UserError", message, place: `src/index.ts:${line}` });
  });

  it("is none where the member is not exposed", async () => {
    const module = await loadModule(
      temporaryModule("it", main("private id = 1\nws?: Workspace\n@func() a(): number { return this.id }")),
    );
    expect(Object.keys(module.objects.It?.functions ?? {})).toEqual(["a"]);
  });

  it("is told where two are one on the command line", async () => {
    const module = await loadModule(
      temporaryModule("it", main("@func() fooBar(): void {}\n@func() foo_bar(x_y: string, xY: string): void {}")),
    );
    expect(module.warnings).toEqual([
      "src/index.ts:3: fooBar and foo_bar of It are both foo-bar on the command line",
      "src/index.ts:3: x_y and xY of It.foo_bar are both x-y on the command line",
    ]);
  });
});

describe("an error of a scan has its line:", () => {
  const main = (members: string, before = ""): string => `${before}\n@object() export class It {\n${members}\n}`;
  it.each([
    ["a type that is inferred", main("@func() a() { return new Map<string, string>() }"), 4],
    ["a field that is a function", main("\n@func() a = (): string => ''"), 5],
    ["any of a list", main("@func() a(b: string,\n c: any[]): void {}"), 5],
    ["a union of texts", main("@func() a(\nb: 'x' | 'y'): void {}"), 5],
    ["a wrapper", main("@func() a(b: String): void {}"), 4],
    ["a type of an interface", main("@func() a(b: Own): void {}", "export interface Own {\n  c(): Promise<Nope> }"), 3],
    ["a type of a type", main("@func() a(): Own { return null as never }", "export type Own = {\n  c: unknown }"), 3],
    [
      "a list in a decorator that names a constant",
      main(
        "@func() a(\n@argument({ defaultPath: '/', ignore: [...BASE, 'x'] }) b: Directory): void {}",
        "const BASE = ['y']",
      ),
      5,
    ],
    ["an enum without values", main("@func() a(b: Bare): void {}", "export enum Bare {\n  A }"), 3],
    ["a decorator without a call", main("@func a(): void {}"), 4],
    ["a class that is not exposed", main("@func() a(): Own { return null as never }", "\nclass Own {}"), 3],
    ["a default that is not exported", main("@func() a(b: string = nowhere): void {}"), 4],
    ["no main object", "\n@object() export class Other { }", 3],
  ])("%s", async (_what, source, line) => {
    const problem = (await problemOf("it", source)) as { place?: string; exitCode: number };
    expect(problem).toMatchObject({ name: "UserError", exitCode: 2 });
    expect(problem.place).toMatch(new RegExp(`^src/index\\.ts:${line}(:\\d+)?$`));
  });
});
