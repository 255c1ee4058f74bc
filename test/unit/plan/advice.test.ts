import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { adviceOf, resolveTargets } from "../../../src/plan/index.ts";
import { sharingReads } from "../../../src/tree/index.ts";
import { makeTree } from "../tree/fixture.ts";
import { configAt, moduleAt } from "./fixture.ts";

beforeEach(() => {
  vi.stubEnv("HOME", makeTree({ ".keep": "" }));
  vi.stubEnv("XDG_CONFIG_HOME", "");
});
afterEach(() => vi.unstubAllEnvs());

function project(): string {
  const root = makeTree({
    "src/a.ts": "1",
    "src/b.ts": "1",
    "app/[id]/page.tsx": "1",
    "app/(group)/page.tsx": "1",
    "gen/a.ts": "1",
    "gen/b.ts": "1",
    ".env.local": "1",
    ".gitignore": "gen/\n.env*\nnode_modules/\n*.cache\n",
    "vendor/node_modules/left/index.js": "1",
    "web/node_modules/x/index.js": "1",
    "deep/one.cache": "1",
    "README.md": "1",
    "cfg/a.local": "1",
  });
  symlinkSync("src", path.join(root, "now"));
  symlinkSync("nowhere", path.join(root, "gone"));
  symlinkSync("/tmp", path.join(root, "out"));
  execFileSync("git", ["init", "-q"], { cwd: root });
  execFileSync("git", ["add", "-f", "vendor/node_modules/left/index.js"], { cwd: root });
  return root;
}

function advise(
  root: string,
  inputs: string[] | undefined,
  call = "test --source . --part x",
  ignored: string[] = [],
): string[] {
  const config = configAt(root, { t: { call, ...(inputs === undefined ? {} : { inputs }) } });
  const [item] = resolveTargets(
    { ...config, config: { ...config.config, watch: { ...config.config.watch, ignore: ignored } } },
    moduleAt(root),
  );
  return adviceOf(item!, root, ignored).map(({ text }) => text.replace("watch.targets.t: ", ""));
}

test.each<[string, string[], RegExp | undefined]>([
  ["what is there", ["src/"], undefined],
  ["a leading ./", ["./src/"], undefined],
  ["a typo", ["scr/"], /"scr\/" matches nothing; did you mean "src\/"\?/],
  ["another case", ["Src/a.ts"], /did you mean "src\/a.ts"\?/],
  ["a folder of Next.js", ["app/[id]/"], /for this very name write 'app\/\\\[id\\\]\/'/],
  ["the same, escaped", [String.raw`app/\[id\]/page.tsx`], undefined],
  ["a group of Next.js", ["app/(group)/"], undefined],
  ["braces", ["src/*.{ts,js}"], /braces are no wildcards; write "src\/\*\.ts" and "src\/\*\.js"/],
  ["only exceptions", ["!src/b.ts"], /every entry of inputs takes out/],
  ["an exception before what it takes from", ["!src/b.ts", "src/"], /"!src\/b.ts" takes nothing out/],
  ["an exception after it", ["src/", "!src/b.ts"], undefined],
  ["a wildcard in a folder that is ignored", ["gen/**"], undefined],
  ["an ignored folder less one of its files", ["gen/", "!gen/a.ts"], undefined],
  [
    "a wildcard on ignored files",
    [".env*"],
    /git ignores ".env.local", and a wildcard does not reach what is ignored; name it: inputs: \[".env.local"\]/,
  ],
  ["the same, named", [".env.local"], undefined],
  ["a committed node_modules", ["vendor/node_modules/left/"], undefined],
  ["an installed one, named", ["web/node_modules/x/"], undefined],
  ["git's own files, named", [".git/HEAD"], undefined],
  ["no entry", [], /inputs is empty/],
  ["a folder of Next.js with a wildcard below", ["app/[id]/*"], /for this very name write 'app\/\\\[id\\\]\/\*'/],
  [
    "exceptions that leave nothing",
    ["src/*.ts", "!src/"],
    /"!src\/" takes out the last of what the entries before it name/,
  ],
  ["the same in what is ignored", ["gen/*", "!gen/a.ts", "!gen/b*"], /"!gen\/b\*" takes out the last/],
  ["an exception with a typo in its folder", ["src/", "!scr/b.ts"], /takes nothing out; did you mean "!src\/b.ts"\?/],
  ["an exception for what may come", ["src/", "!src/generated/"], undefined],
  ["a class negated as shells do", ["src/[!b].ts"], /what a class is not begins with \^; write "src\/\[\^b\]\.ts"/],
  ["names in round brackets", ["src/@(a|b).ts"], /names in round brackets are no wildcards/],
  ["a path of Windows", [String.raw`src\a.ts`], /a backslash makes .* write "src\/a.ts"/],
  ["a link inside of the project", ["now/"], undefined],
  ["a wildcard that only a link matches", ["no?/*.ts"], undefined],
  ["a link that leads nowhere", ["gone/"], /"gone" is a link that leads nowhere/],
  ["what lies behind one", ["gone/a/*.ts"], /"gone" is a link that leads nowhere/],
  ["what lies behind a link out of the project", ["out/x*"], /"out" is a link out of the project/],
  ["what is not there at all", ["wholly-elsewhere/"], /nothing of that name is there/],
])("of %s it is said what was meant, or nothing", (_what, inputs, said) => {
  const texts = advise(project(), inputs);
  if (said === undefined) expect(texts).toEqual([]);
  else expect(texts).toEqual([expect.stringMatching(said)]);
});

test("of a thousand targets that share what was read, each is told what it would be told alone", () => {
  const root = project();
  const all = [
    ["src/"],
    ["gen/"],
    ["src/", "!src/b.ts"],
    ["src/", "!src"],
    ["gen/a.ts", "src/a.ts"],
    ["cfg/"],
    ["deep"],
  ];
  const ignored = ["cfg", "src/*.ts"];
  const alone = all.map((inputs) => advise(root, inputs, undefined, ignored));
  expect(sharingReads(() => all.map((inputs) => advise(root, inputs, undefined, ignored)))).toEqual(alone);
  expect(alone.flat()).not.toEqual([]);
});

test("an entry that watch.ignore takes is told with that reason", () => {
  expect(advise(project(), ["src/*.ts"], undefined, ["src"])).toEqual([expect.stringContaining("watch.ignore leaves")]);
});

test("a call that reads .git without a word about it is told how to leave it out; one with inputs or ignore is not", () => {
  const root = project();
  expect(advise(root, undefined)).toEqual([
    expect.stringMatching(/--source reads \.git: each git command .*watch\.ignore: \["\*\*\/\.git"\]/),
  ]);
  expect(advise(root, undefined, undefined, ["**/.git"])).toEqual([]);
  expect(advise(root, ["src/"])).toEqual([]);
  expect(advise(root, undefined, "lint")).toEqual([]);
});

test("a call that exports into its own inputs is told before it runs for ever", () => {
  const root = project();
  const call = (target: string): string => `box directory --path / export --path ${target}`;
  expect(advise(root, ["src/"], call("src/out"))).toEqual([
    expect.stringMatching(/writes "src\/out".*inputs: \[\.\.\., "!src\/out"\]/),
  ]);
  expect(advise(root, ["src/", "!src/out"], call("src/out"))).toEqual([]);
  expect(advise(root, ["src/"], call(path.join(root, "dist")))).toEqual([]);
});
