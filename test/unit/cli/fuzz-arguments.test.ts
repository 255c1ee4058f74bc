/** The command line against lines that nobody would type, made of the commands and options that there are. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import type { Command, CommanderError, Option } from "commander";
import { array, asyncProperty, constant, constantFrom, oneof, string, type Arbitrary } from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createContext } from "../../../src/cli/context.ts";
import { createProgram } from "../../../src/cli/program.ts";
import { asSystemError } from "../../../src/cli/system-error.ts";
import type { UserError } from "../../../src/errors/index.ts";
import { fuzz, fuzzTimeoutMs } from "../fuzz.ts";
import { fastloop } from "./fastloop.ts";

/** What stands where a name, a number, a time or a file is expected. No path leads out of the project. */
const words = oneof(
  constantFrom(
    "",
    " ",
    "-",
    "--",
    "--nope",
    "-x",
    "=",
    "--json=yes",
    "\u001b[2J",
    "__proto__",
    "constructor",
    "toString",

    "-1",
    "0",
    "1e999",
    "NaN",
    "99999999999999999999",
    "0x10",
    "5m",
    "-5m",
    "1e9d",
    "∞",
    "true",
    "null",
    "{}",
    "[]",
    "lib",
    "lib~1",
    "lib~99999999999",
    "last",
    "previous",
    "baseline:",
    "baseline:x",
    "fast",
    "json",
    "tree",
    "html",
    "fastloop.yaml",
    "missing.yaml",
    "src",
    "src/a.txt",
    "a,b,,",
    "**/*",
    "[",
    "$(touch made)",
    "`id`",
    "a\nb",
    "🙂",
  ),
  string({ unit: "grapheme", maxLength: 12 }).filter((text) => !/[/\\\0]/.test(text)),
  constant("x".repeat(400)),
);

/** Every command with those below it; options and arguments as the program has them. */
function allCommands(program: Command): { names: string[]; command: Command }[] {
  const below = (command: Command, names: string[]): { names: string[]; command: Command }[] =>
    command.commands.flatMap((child) => {
      const own = [...names, child.name()];
      return [{ names: own, command: child }, ...below(child, own)];
    });
  return below(program, []);
}

const optionWords = (option: Option): Arbitrary<string[]> => {
  const name = option.long ?? option.short ?? "";
  if (!option.required && !option.optional) return constant([name]);
  const value = option.argChoices === undefined ? words : oneof(constantFrom(...option.argChoices), words);
  return oneof(
    value.map((text) => [name, text]),
    value.map((text) => [`${name}=${text}`]),
  );
};

/** Lines of one command: some of its options, some words, in any order. */
function linesOf(names: readonly string[], options: readonly Option[]): Arbitrary<string[]> {
  const pieces = oneof({ weight: 3, arbitrary: words.map((word) => [word]) }, ...options.map(optionWords));
  return array(pieces, { maxLength: 5 }).map((some) => [...names, ...some.flat()]);
}

describe("any line", { timeout: fuzzTimeoutMs }, () => {
  it("is taken or refused in a sentence", async () => {
    const context = createContext();
    const print: string[] = [];
    const program = await createProgram([], "0.0.0", context, "all");
    const all = allCommands(program);
    expect(all.length).toBeGreaterThan(40);
    // What commands do is none of this; their options are parsed as ever.
    for (const { command } of all) command.action(() => undefined);
    for (const command of [program, ...all.map((each) => each.command)])
      command.configureOutput({ writeOut: (text) => print.push(text), writeErr: (text) => print.push(text) });
    const folder = process.cwd();
    const line = oneof(...all.map(({ names, command }) => linesOf(names, command.options)), array(words));
    await fuzz(
      asyncProperty(line, async (argv) => {
        print.length = 0;
        context.cwd = folder;
        try {
          await program.parseAsync(argv, { from: "user" });
        } catch (error) {
          // As the program tells it.
          const { name, message } = asSystemError(error) ?? (error as Error);
          expect([name, message], (error as Error).stack).toEqual([
            expect.stringMatching(/^(?:UserError|CommanderError|InvalidArgumentError)$/),
            expect.not.stringMatching(/is not a function|Cannot read|undefined/),
          ]);
          expect((asSystemError(error) ?? (error as UserError | CommanderError)).exitCode).toBeLessThanOrEqual(3);
        }
      }),
    );
  });
});

describe("a line of a command that needs no engine", { timeout: fuzzTimeoutMs }, () => {
  let folder = "";
  let project = "";
  /** Those that only look, and `init`, `cache` and `trust`, which write: in the project, or in a home of their own. */
  const acting = [
    "affected",
    "cache",
    "complete",
    "completion",
    "diff",
    "doctor",
    "functions",
    "init",
    "logs",
    "overview",
  ];
  const looking = [...acting, "plan", "graph", "stats", "status", "trust", "validate", "watches", "why"];
  /** What the user says in as many words: repairs and deletions of this machine, files anywhere, another folder. */
  const meant = new Set(["--fix", "--yes", "--directory", "--module", "--output", "--watch", "--follow"]);

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "fastloop-fuzz-lines-"));
    project = path.join(folder, "around/project");
    for (const [name, text] of Object.entries({
      ".git/HEAD": "ref: refs/heads/main\n",
      "dagger.json": '{"name":"big","engineVersion":"v0.21.4","sdk":{"source":"typescript"},"source":"ci"}',
      "ci/package.json": '{"type":"module"}',
      "ci/src/index.ts":
        'import { Directory, func, object } from "@dagger.io/dagger"\n@object()\nexport class Big {\n  @func()\n  test(source: Directory): string { return "" }\n}\n',
      "src/a.txt": "a",
      "fastloop.yaml": 'version: 1\nwatch: { targets: { lib: { call: "test --source src" } } }\n',
    })) {
      mkdirSync(path.dirname(path.join(project, name)), { recursive: true });
      writeFileSync(path.join(project, name), text);
    }
    mkdirSync(path.join(folder, "home"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("ends with 0 to 3, shows no stack, and writes nothing outside of the project", async () => {
    const program = await createProgram([], "0.0.0", createContext(), "all");
    const all = allCommands(program).filter(({ names }) => looking.includes(names[0] ?? ""));
    expect(new Set(all.map(({ names }) => names[0]))).toEqual(new Set(looking));
    const home = path.join(folder, "home");
    const env = {
      HOME: home,
      XDG_STATE_HOME: path.join(home, "state"),
      XDG_CACHE_HOME: path.join(home, "cache"),
      XDG_CONFIG_HOME: path.join(home, "config"),
    };
    const line = oneof(
      ...all.map(({ names, command }) =>
        linesOf(
          names,
          command.options.filter(({ long }) => !meant.has(long ?? "")),
        ),
      ),
    );
    const parent = statSync(folder).mtimeMs;
    await fuzz(
      asyncProperty(line, async (argv) => {
        if (argv.some((word) => meant.has(word.split("=")[0] ?? "") || /^-[A-Za-z]*[Cmofy]/.test(word))) return;
        const { exitCode, stdout, stderr } = await fastloop(argv, { cwd: project, env });
        expect([0, 1, 2, 3], `${stdout}\n${stderr}`).toContain(exitCode);
        expect(stderr).not.toMatch(/this is a bug in fastloop|"code":"bug"|^ +at .*:\d+:\d+\)?$/m);
        expect(readdirSync(path.dirname(project))).toEqual(["project"]);
      }),
      150,
    );
    expect([statSync(folder).mtimeMs, readdirSync(folder)]).toEqual([parent, ["around", "home"]]);
  });
});
