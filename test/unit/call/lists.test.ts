import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseCall, type GivenValue } from "../../../src/call/index.ts";
import { loadModule, type ModuleInfo } from "../../../src/module/index.ts";
import { removeCache, useBuiltPrograms } from "../module/built.ts";
import { removeTemporaryModules, temporaryModule } from "../module/temporary-module.ts";

let module: ModuleInfo;

beforeAll(async () => {
  await useBuiltPrograms();
  const source = `
    export enum Level { Low = "low", VeryHigh = "high" }
    @object() export class It {
      @func() lists(words: string[] = [], numbers: number[] = [], ratios: float[] = [], flags: boolean[] = [], levels: Level[] = [],
        places: Directory[] = [], platforms: Platform[] = []): void {}
      @func() one(n: number = 0, ratio: float = 0, on: boolean = false): void {}
    }`;
  module = await loadModule(temporaryModule("it", source.replace("export enum", "type float = number\nexport enum")));
}, 60_000);
afterAll(() => {
  removeTemporaryModules();
  removeCache();
});

function given(...words: string[]): unknown {
  const plain = (value: GivenValue): unknown => {
    if (value.kind === "list") return value.items.map(plain);
    if (value.kind === "literal") return value.value;
    return value.kind === "enum" ? value.member : value.kind === "directory" ? value.path : value;
  };
  const step = parseCall(words, { module, cwd: "/project" }).own.at(-1);
  return step?.kind === "function" && step.given[0] !== undefined ? plain(step.given[0].value) : undefined;
}

const failure = (...words: string[]): unknown => {
  try {
    given(...words);
  } catch (error) {
    return error;
  }
  return undefined;
};

describe("a list is read as `dagger call` reads it:", () => {
  it.each<[flag: string, text: string, expected: unknown]>([
    ["words", "a,b", ["a", "b"]],
    ["words", 'a,"b,c"', ["a", "b,c"]],
    ["words", '"say ""hi""",x', ['say "hi"', "x"]],
    ["words", '"two\nlines",x', ["two\nlines", "x"]],
    ["words", '"",', ["", ""]],
    ["words", ",", ["", ""]],
    ["words", "", []],
    ["words", " a , b ", [" a ", " b "]],
    ["words", "it's,`x`", ["it's", "`x`"]],
    ["words", "a,b\n", ["a", "b"]],
    ["numbers", "1,-2,+3", [1, -2, 3]],
    ["numbers", "010", [10]],
    ["ratios", "1,.5,2e3,-1.", [1, 0.5, 2000, -1]],
    ["flags", "true, F,'1',\"0\"", [true, false, true, false]],
    ["levels", " low ,VERY_HIGH", ["Low", "VeryHigh"]],
    ["levels", '"low,very_high"', ["Low", "VeryHigh"]],
    ["places", " ./a ,/b", ["/project/a", "/b"]],
    // Quotes go before the commas are looked for.
    ["places", '"a,b"', ["/project/a", "/project/b"]],
    ["platforms", "linux/amd64, 'linux/arm64'", ["linux/amd64", "linux/arm64"]],
  ])("--%s %j", (flag, text, expected) => {
    expect(given("lists", `--${flag}`, text)).toEqual(expected);
  });

  it("and grows with each time that it is given", () => {
    expect(given("lists", "--words", "a,b", "--words=", "--words", '"c,d"')).toEqual(["a", "b", "c,d"]);
  });

  it.each([
    ["words", 'a"b', "a double quote stands inside an item"],
    ["words", '"a"b,c', "a double quote stands inside an item"],
    ["words", 'x,"a,b', "a double quote is not closed"],
    ["words", "a\nb", "a line break stands between items"],
    ["numbers", "1, 2", 'a whole number was expected, not " 2"'],
    ["numbers", "", 'a whole number was expected, not ""'],
    ["numbers", "0x10", 'a whole number was expected, not "0x10"'],
    ["ratios", "1,,2", 'a number was expected, not ""'],
    ["flags", "yes", 'true or false was expected, not "yes"'],
    ["levels", "low,", 'one of LOW, VERY_HIGH was expected, not ""'],
  ])("--%s %j is refused at its flag", (flag, text, message) => {
    expect(failure("lists", `--${flag}`, text)).toMatchObject({
      name: "UserError",
      place: `--${flag}`,
      message: expect.stringContaining(message),
    });
  });
});

describe("one number is read with its prefix:", () => {
  it.each([
    ["n", "12", 12],
    ["n", "-0x1F", -31],
    ["n", "0b101", 5],
    ["n", "0o17", 15],
    ["n", "017", 15],
    ["n", "1_000", 1000],
    ["n", "0", 0],
    ["ratio", "-1.5e3", -1500],
    ["on", "T", true],
  ])("--%s=%s", (flag, text, expected) => {
    expect(given("one", `--${flag}=${text}`)).toBe(expected);
  });

  it.each([
    ["n", "08"],
    ["n", "1__0"],
    ["n", "1.0"],
    ["n", " 1"],
    ["n", "0x"],
    ["n", "abc"],
    // TypeScript would make another number of it.
    ["n", "9007199254740993"],
    ["ratio", "0x10"],
    ["ratio", "Inf"],
    ["ratio", " 1"],
    ["on", "tRuE"],
  ])("--%s=%s is refused", (flag, text) => {
    expect(failure("one", `--${flag}=${text}`)).toMatchObject({ name: "UserError", place: `--${flag}` });
  });
});
