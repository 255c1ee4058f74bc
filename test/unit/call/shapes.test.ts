/** Names of every shape, options that collide with arguments, interfaces, and what only an engine can give. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { choicesOf, moduleOption, parseCall, type ParsedCall } from "../../../src/call/index.ts";
import { loadModule, type ModuleInfo } from "../../../src/module/index.ts";
import { removeCache, useBuiltPrograms } from "../module/built.ts";
import { removeTemporaryModules, temporaryModule } from "../module/temporary-module.ts";

let module: ModuleInfo;

beforeAll(async () => {
  await useBuiltPrograms();
  const source = `
    export enum Proto { HTTP2 = "h2", veryOld = "v0" }
    export interface Shape { area(scale?: number): Promise<number>; grown(by: number): Shape; image(): Container }
    class Base { @func() build(): string { return "" } @func() version = "1" }
    @object() export class Square { @func() area(): number { return 1 } @func() grown(): Square { return this } @func() image(): Container { return dag.container() } }
    @object() export class It extends Base {
      @func() URLPath(URLPath: string, x1: string = "", _under: string = "", $dollar: string = "", größe: string = ""): string { return "" }
      @func() e2e(proto: Proto = Proto.HTTP2): string { return "" }
      @func() taken(json: boolean = false, output: string = "", module: string = "", help: string = "", x: string = "", via: string = "", m: string = ""): string { return "" }
      @func() shape(): Shape { return new Square() }
      @func() shapes(): Shape[] { return [] }
      @func() here(ws: Workspace): string { return "" }
      @func() maybe(ws?: Workspace): string { return "" }
    }`;
  module = await loadModule(temporaryModule("it", source));
}, 60_000);
afterAll(() => {
  removeTemporaryModules();
  removeCache();
});

const parse = (...words: string[]): ParsedCall => parseCall(words, { module, cwd: "/work" });

function given(...words: string[]): Record<string, unknown> {
  const step = parse(...words).own.at(-1);
  if (step?.kind !== "function") throw new Error("no function");
  return Object.fromEntries(
    step.given.map(({ argument, value }) => [
      argument.name,
      "value" in value ? value.value : "member" in value ? value.member : value,
    ]),
  );
}

function failure(...words: string[]): unknown {
  try {
    parse(...words);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("names", () => {
  it("are those of `dagger call`", () => {
    expect(given("urlpath", "--urlpath=a", "--x-1=b", "--under=c", "--dollar=d", "--gre=e")).toEqual({
      URLPath: "a",
      x1: "b",
      _under: "c",
      $dollar: "d",
      größe: "e",
    });
    expect(given("e-2-e", "--proto", "http2")).toEqual({ proto: "HTTP2" });
    expect(given("e-2-e", "--proto", "VERY_OLD")).toEqual({ proto: "veryOld" });
  });

  it("may be typed as they are in the code where that says the same", () => {
    expect(given("urlpath", "--urlpath=a", "--x1=b")).toEqual({ URLPath: "a", x1: "b" });
    expect(given("e2e")).toEqual({});
    expect(failure("urlpath", "--URLPath=a")).toMatchObject({
      message: '"urlpath" has no argument --url-path',
      hint: "did you mean --urlpath?",
    });
  });

  it("list an enum's members as an engine has them", () => {
    expect(failure("e-2-e", "--proto", "h3")).toMatchObject({
      message: 'one of HTTP2, VERY_OLD was expected, not "h3"',
    });
  });
});

describe("an argument that has the name of an option of ours", () => {
  it("is the function's; the short form stays ours", () => {
    const call = parse(
      "taken",
      "--json",
      "--output",
      "a",
      "--help",
      "h",
      "--via",
      "v",
      "--module",
      "mm",
      "--m=n",
      "-o",
      "file",
      "-j",
      "-m",
      "elsewhere",
    );
    expect(call).toMatchObject({ output: "file", json: true, help: false, via: "host" });
    expect(given("taken", "--json", "--output", "a", "--help", "h", "--module", "mm", "--m=n")).toEqual({
      json: true,
      output: "a",
      help: "h",
      module: "mm",
      m: "n",
    });
  });

  it("has two dashes, and who writes one is told so", () => {
    expect(failure("taken", "-x", "1")).toMatchObject({
      message: "unknown option -x",
      place: "-x",
      hint: "arguments have two dashes: --x",
    });
  });

  it.each([
    [["-m", "a", "taken"], "a"],
    [["taken", "-m", "a"], "a"],
    [["-ma", "taken"], "a"],
    [["--module", "a", "taken"], "a"],
    [["--module=a", "taken"], "a"],
    [["--who", "ada", "--module", "a", "taken"], "a"],
    [["taken", "--module", "a"], undefined],
    [["taken", "--module=a"], undefined],
  ])("never chooses the module: %j", (words, expected) => {
    expect(moduleOption(words)).toBe(expected);
  });

  it("is missing where the module is named behind a function without it", () => {
    expect(failure("e-2-e", "--module", "a")).toMatchObject({
      message: '"e-2-e" has no argument --module',
      hint: "name the module before its functions, or with -m",
    });
    expect(parse("--module", "a", "e-2-e").own.at(-1)).toMatchObject({ fn: { name: "e2e" } });
  });
});

describe("an interface", () => {
  it("is followed by its functions, and by what they give", () => {
    expect([...(choicesOf({ kind: "interface", name: "Shape" }, module)?.functions.keys() ?? [])]).toEqual([
      "area",
      "grown",
      "image",
    ]);
    const call = parse("shape", "grown", "--by", "2", "grown", "--by=3", "image", "stdout");
    expect(call.own.map((step) => (step.kind === "function" ? `${step.object}.${step.fn.name}` : ""))).toEqual([
      "It.shape",
      "Shape.grown",
      "Shape.grown",
      "Shape.image",
    ]);
    expect(call.core.map((step) => step.fn.name)).toEqual(["stdout"]);
    expect(parse("shapes", "area", "--scale", "2").returns).toEqual({ kind: "integer" });
    expect(failure("shape", "volume")).toMatchObject({ message: 'Shape has no function "volume"' });
    expect(failure("shape", "grown")).toMatchObject({ message: "--by is missing" });
  });
});

describe("what a class inherits", () => {
  it("is no function of it, and that is told with where it stands", () => {
    expect(failure("build")).toMatchObject({
      message:
        'It has no function "build": it is inherited from Base, and an engine sees only what a class declares itself',
      place: expect.stringMatching(/^src\/index\.ts:\d+$/),
      hint: "declare it in It with @func(), and call super.build there",
    });
    expect(module.warnings).toEqual([
      expect.stringContaining("build of Base is no function of It"),
      expect.stringContaining("version of Base is no function of It"),
    ]);
  });
});

describe("a Workspace", () => {
  it("is never missing: it is filled in", () => {
    expect(parse("here").own.at(-1)).toMatchObject({ fn: { name: "here" }, given: [] });
    expect(parse("maybe").own.at(-1)).toMatchObject({ fn: { name: "maybe" } });
  });
});
