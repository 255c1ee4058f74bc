import { beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../../src/errors/index.ts";
import { loadModule, type ModuleInfo } from "../../../src/module/index.ts";
import { callName, parseCall } from "../../../src/call/index.ts";
import type { GivenValue, ParsedCall } from "../../../src/call/index.ts";
import { useBuiltPrograms } from "../module/built.ts";
import path from "node:path";

let module: ModuleInfo;

beforeAll(async () => {
  await useBuiltPrograms();
  module = await loadModule(path.resolve(import.meta.dirname, "../../fixtures/modules/everything"));
}, 60_000);

const parse = (line: string | string[]): ParsedCall =>
  parseCall(typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line, { module, cwd: "/work" });

/** `greet(greeting=hi)`, the constructor left out when nothing was given. */
function shown(call: ParsedCall): string {
  const value = (given: GivenValue): string => {
    switch (given.kind) {
      case "literal":
        return String(given.value);
      case "enum":
        return given.member;
      case "list":
        return `[${given.items.map(value).join(" ")}]`;
      case "directory":
      case "file":
        return `${given.kind}:${given.path}`;
      default:
        return JSON.stringify(given);
    }
  };
  return [...call.own, ...call.core]
    .map((step) => {
      if (step.kind === "field") return `.${step.name}`;
      const args = step.given.map((given) => `${given.argument.name}=${value(given.value)}`);
      return step.fn.name === "" && args.length === 0 ? "" : `${step.fn.name || "new"}(${args.join(", ")})`;
    })
    .filter((text) => text !== "")
    .join(" ");
}

describe("the words of a call", () => {
  it.each([
    ["greet --greeting hi", "greet(greeting=hi)"],
    ["greet --greeting=hi --times=3", "greet(greeting=hi, times=3)"],
    ["greet --greeting hi --loud", "greet(greeting=hi, loud=true)"],
    ["greet --loud=false --greeting=-x-", "greet(loud=false, greeting=-x-)"],
    ["greet --greeting a --greeting b", "greet(greeting=b)"],
    ["--who ada greet --greeting hi", "new(who=ada) greet(greeting=hi)"],
    ["join --words a,b --words c", "join(words=[a b c])"],
    ["join --words=", "join(words=[])"],
    ["join --level HIGH", "join(level=High)"],
    ["join --level H-i_gh", "join(level=High)"],
    ["join --level=low", "join(level=Low)"],
    ["shout-it --site ./x --tag alpine", "shout(site=directory:/work/x, tag=alpine)"],
    ["shoutIt --site /abs", "shout(site=directory:/abs)"],
    [
      "verify --manifest pkg.json --ratio 1.5 --flags true,false",
      "verify(manifest=file:/work/pkg.json, ratio=1.5, flags=[true false])",
    ],
    ["greeter --name a hello", "greeter(name=a) hello()"],
    ["greeter --name a rename --name b name", "greeter(name=a) rename(name=b) .name"],
    ["report --proto tcp boxes width", "report(proto=Tcp) .boxes .width"],
    ["who", ".who"],
    ["inferred --image x stdout", "inferred(image=x) stdout()"],
    ["inferred --image x with-exec --args ls,-l stdout", "inferred(image=x) withExec(args=[ls -l]) stdout()"],
    [
      "inferred --image x with-exec --args=echo --expect any stderr",
      "inferred(image=x) withExec(args=[echo], expect=ANY) stderr()",
    ],
    ["inferred --image x file --path /a contents", "inferred(image=x) file(path=/a) contents()"],
    ["inferred --image x directory --path /a entries", "inferred(image=x) directory(path=/a) entries()"],
    ["inferred --image x publish --address r/y", "inferred(image=x) publish(address=r/y)"],
    ["inferred --image x as-tarball size", "inferred(image=x) asTarball() size()"],
    ["inferred --image x with-directory --path /a --directory .", undefined],
    [
      "inferred --image x as-service up --ports 8080:80",
      'inferred(image=x) asService() up(ports=[{"kind":"input","fields":{"frontend":8080,"backend":80}}])',
    ],
    [
      "secretly --token env://T --platform linux/arm64",
      'secretly(token={"kind":"secret","scheme":"env","rest":"T","uri":"env://T"}, platform=linux/arm64)',
    ],
    ["secretly --token T", 'secretly(token={"kind":"secret","scheme":"env","rest":"T","uri":"env://T"})'],
    [
      "secretly --token file:~/x --db tcp://db:5432",
      'secretly(token={"kind":"secret","scheme":"file","rest":"~/x","uri":"file://~/x"}, db={"kind":"service","host":"db","port":5432,"protocol":"TCP"})',
    ],
    [
      "shout-it --site https://h.example/r.git#main:sub",
      'shout(site={"kind":"git","url":"https://h.example/r.git","ref":"main","subdir":"sub","wanted":"directory"})',
    ],
  ])("%s", (line, expected) => {
    if (expected === undefined) expect(() => parse(line)).toThrow(UserError);
    else expect(shown(parse(line))).toBe(expected);
  });

  it("keep a quoted comma in a list", () => {
    expect(shown(parse(["join", "--words", 'a,"b,c",d']))).toBe("join(words=[a b,c d])");
  });

  it.each([
    ["greet --greeting hi", "greet"],
    ["greeter --name a rename --name b name", "greeter rename"],
    ["--who ada shoutIt --site .", "shout-it"],
    ["inferred --image x stdout", "inferred"],
    ["", ""],
  ])("name their functions as they are written: %s", (line, name) => {
    expect(callName(parse(line))).toBe(name);
  });

  it("ask for nothing that they do not say", () => {
    const { json, noCache, offline, verbose, silent, help, via, words } = parse("greet --greeting hi");
    expect({ json, noCache, offline, verbose, silent, help, via }).toEqual({
      json: false,
      noCache: false,
      offline: false,
      verbose: false,
      silent: false,
      help: false,
      via: "host",
    });
    expect(words).toEqual(["greet", "--greeting", "hi"]);
  });

  it("carry call's own options anywhere", () => {
    expect(parse("-o out.txt greet --greeting hi -j --no-cache")).toMatchObject({
      output: "out.txt",
      json: true,
      noCache: true,
    });
    expect(parse("greet --greeting hi -oout.txt")).toMatchObject({ output: "out.txt" });
    expect(parse("greet --greeting hi --output=out.txt -jv")).toMatchObject({
      output: "out.txt",
      json: true,
      verbose: true,
    });
    expect(parse("greet --progress plain --greeting hi").own.at(-1)).toMatchObject({
      given: [{ value: { value: "hi" } }],
    });
  });

  it("give a short option its value in the same word, with or without =, once", () => {
    expect(parse("greet --greeting hi -o=out.txt").output).toBe("out.txt");
    expect(parse("greet --greeting hi -oa=b").output).toBe("a=b");
    expect(parse("greet --greeting hi -vo out.txt")).toMatchObject({ output: "out.txt", verbose: true });
  });

  it("end the options of a function with --", () => {
    expect(shown(parse("inferred --image x -- stdout"))).toBe("inferred(image=x) stdout()");
    expect(() => parse("greet --greeting hi -- --loud")).toThrow('nothing can follow "greet"');
  });

  it("take options of call after a field, but no argument", () => {
    expect(parse("report --proto tcp boxes -j width")).toMatchObject({ json: true });
    expect(() => parse("report --proto tcp boxes --size 3 width")).toThrow("--size");
  });

  it("ask for help without their required arguments", () => {
    expect(parse("greet --help")).toMatchObject({ help: true, returns: { kind: "string" } });
    expect(parse("inferred with-exec -h")).toMatchObject({
      help: true,
      returns: { kind: "object", name: "Container" },
    });
  });
});

describe("words that make no call are one error with a hint:", () => {
  it.each([
    ["gret --greeting hi", { message: 'Everything2Go has no function "gret"', hint: "did you mean greet?" }],
    ["greet --greting hi", { message: '"greet" has no argument --greting', hint: "did you mean --greeting?" }],
    ["--whom x greet", { message: "the module has no argument --whom", hint: "did you mean --who?" }],
    ["greet", { message: "--greeting is missing", place: "greet", hint: "fastloop call greet --help" }],
    ["greet --greeting", { message: "a value is missing", place: "--greeting" }],
    ["greet --greeting hi --times x", { message: 'a whole number was expected, not "x"', place: "--times" }],
    ["greet --greeting hi --loud=perhaps", { message: 'true or false was expected, not "perhaps"', place: "--loud" }],
    ["join --level loud", { message: 'one of LOW, MEDIUM, HIGH was expected, not "loud"', place: "--level" }],
    ["secretly --token vault://x", { hint: "secrets of vault:// need a Dagger engine", place: "--token" }],
    ["secretly --token T --db here", { message: 'tcp://HOST:PORT or udp://HOST:PORT was expected, not "here"' }],
    ["secretly --token T --platform arm", { message: 'a platform such as linux/arm64 was expected, not "arm"' }],
    ["greet --greeting hi stdout", { message: 'nothing can follow "greet": it gives a string', place: "stdout" }],
    ["greet --greeting hi true", { place: "true", hint: undefined }],
    ["greet --greeting hi --loud true", { place: "true", hint: "write --loud=true" }],
    ["greet --greeting hi --loud no", { place: "no", hint: undefined }],
    ["greet --greeting hi --loud untrue", { place: "untrue", hint: undefined }],
    ["greet --greeting hi --loud truer", { place: "truer", hint: undefined }],
    ["greet --greeting hi -", { message: 'nothing can follow "greet": it gives a string', place: "-" }],
    ["inferred --image x stdot", { message: 'Container has no function "stdot"', hint: "did you mean stdout?" }],
    [
      "inferred --image x with-exec stdout",
      {
        message: "--args is missing",
        place: "with-exec",
        hint: "fastloop call inferred with-exec stdout --help",
      },
    ],
    ["-x", { message: "unknown option -x", place: "-x" }],
    ["greet -greeting hi", { message: "unknown option -g", hint: "arguments have two dashes: --greeting" }],
    ["greet --greeting hi -o", { message: "a value is missing", place: "-o" }],
    ["greet --greeting hi -o --loud", { place: "-o" }],
    ["greet --module . --greeting hi", { message: '"greet" has no argument --module', place: "--module" }],
    ["name-of --named x", { message: expect.stringContaining("nothing that a command line can give") }],
    ["greet --greeting hi -x", { message: "unknown option -x" }],
  ])("%s", (line, expected) => {
    let error: unknown;
    try {
      parse(line);
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ name: "UserError", exitCode: 2, ...expected });
  });
});

describe("the way a call takes", () => {
  it("is the function runtime unless another is named", () => {
    expect(parse("greet --greeting hi").via).toBe("host");
    expect(parse("--via module greet --greeting hi").via).toBe("module");
    expect(() => parse("greet --greeting hi --via somehow")).toThrow("host, module or call was expected");
  });

  it("hands `dagger call` the words that are not fastloop's alone", () => {
    const call = parse([
      "--via=call",
      "-m",
      ".",
      "-s",
      "greet",
      "--greeting",
      "a b",
      "--engine",
      "dagger",
      "--no-cache",
      "-o",
      "x",
    ]);
    expect(call.words).toEqual(["-s", "greet", "--greeting", "a b", "-o", "x"]);
    expect(call).toMatchObject({ via: "call", engine: "dagger", output: "x" });
  });
});
