/** Modules in the shapes that public ones have: what they are made of, what they offer, what calls of them give. */

export interface ModuleCase {
  name: string;
  /** By path in the repository. */
  files: Record<string, string>;
  /** Where the commands run; default: the repository. */
  at?: string;
  env?: Record<string, string>;
  /** A line that `fastloop functions -v` has. */
  functions?: readonly string[];
  /** Words of `fastloop call`, and what that prints; an error by a part of it. */
  calls?: readonly [words: string, result: string | { error: string }][];
  /** The names that `fastloop check -l` prints. */
  checks?: readonly string[];
  /** All that `fastloop functions` prints. */
  lists?: string;
  /** The names that `fastloop up -l` prints. */
  services?: readonly string[];
  /** What keeps the module from being read. */
  broken?: string;
}

const sdk = { source: "typescript" };
const json = (name: string, more: object = {}): string =>
  JSON.stringify({ name, engineVersion: "v0.21.4", sdk, ...more });
const imports =
  'import { argument, check, dag, type Directory, type File, func, generate, object, type Platform, type Workspace } from "@dagger.io/dagger";\n';
const main = (body: string, name = "My", before = ""): string =>
  `${imports}${before}\n@object()\nexport class ${name} {\n${body}\n}\n`;
const my = (body: string, more: object = {}, before = ""): Record<string, string> => ({
  "dagger.json": json("my", more),
  "src/index.ts": main(body, "My", before),
});
const upImport = 'import { type Service, up } from "@dagger.io/dagger";\n';
const hello = (name: string, text: string): Record<string, string> => ({
  [`${name.toLowerCase()}/dagger.json`]: json(name.toLowerCase()),
  [`${name.toLowerCase()}/src/index.ts`]: main(`@func() hello(): string { return ${JSON.stringify(text)}; }`, name),
});
const depends = (...names: string[]): object => ({
  dependencies: names.map((name) => ({ name, source: `../${name}` })),
});

const tool = {
  "tool/dagger.json": json("tool"),
  "tool/src/index.ts": main(
    `@func() level: string;
  constructor(level = "low") { this.level = level; }
  @func() @check() async lint(@argument({ defaultPath: "/" , ignore: ["**", "!*.md"] }) source: Directory, times = 1): Promise<string> {
    return [this.level, times, ...(await source.entries())].join(" ");
  }
  @func() @check() slow(): string { return "slow"; }`,
    "Tool",
  ),
};

export const modules: readonly ModuleCase[] = [
  { name: "one function", files: my("@func() hello(): string { return 'hello'; }"), calls: [["hello", "hello"]] },
  {
    name: "sources in a folder of their own",
    files: {
      "dagger.json": json("my", { source: ".dagger" }),
      ".dagger/src/index.ts": main("@func() hello(): string { return 'hello'; }"),
    },
    calls: [["hello", "hello"]],
  },
  {
    name: "functions in another order than their names",
    files: my(
      "/** Last.\n * And more. */\n@func() zulu(): string { return ''; }\n@func() alphaBeta(): string { return ''; }\n@func() field: string;\n@func() @check() alpha(): string { return ''; }",
    ),
    lists: "Name         Description\nalpha        -\nalpha-beta   -\nfield        -\nzulu         Last.\n",
  },
  {
    name: "services of its own and of a toolchain",
    files: {
      "dagger.json": json("my", { toolchains: [{ name: "tool", source: "tool" }] }),
      "src/index.ts": main(
        '@func() @up() web(): Service { return dag.container().from("debian").withExposedPort(80).asService(); }',
        "My",
        upImport,
      ),
      "tool/dagger.json": json("tool"),
      "tool/src/index.ts": main(
        '@func() @up() database(): Service { return dag.container().from("debian").withExposedPort(81).asService(); }',
        "Tool",
        upImport,
      ),
    },
    services: ["my:web", "tool:database"],
  },
  {
    name: "a name of several words",
    files: {
      "dagger.json": json("my-own-ci2"),
      "src/index.ts": main("@func() buildAll(): string { return 'built'; }", "MyOwnCi2"),
    },
    functions: ["build-all"],
    calls: [["build-all", "built"]],
  },
  {
    name: "code in several files",
    files: {
      ...my(
        "@func() part(): Part { const part = new Part(); part.size = 3; return part; }",
        {},
        'import { Part } from "./part.ts";',
      ),
      "src/part.ts": `${imports}@object()\nexport class Part { @func() size: number; @func() twice(): number { return this.size * 2; } }\n`,
    },
    calls: [
      ["part size", "3"],
      ["part twice", "6"],
    ],
  },
  {
    name: "arguments with defaults, optional and variadic ones",
    files: my(
      "@func() all(a: string, b = 2, c?: boolean, ...rest: string[]): string { return [a, b, String(c), ...rest].join(); }",
    ),
    functions: ["--a string (required)", "--b integer = 2"],
    calls: [
      ["all --a x", "x,2,undefined"],
      ["all --a x --b 5 --c --rest p,q", "x,5,true,p,q"],
      ["all", { error: "--a is missing" }],
    ],
  },
  {
    name: "lists of objects chained into",
    files: my(
      "@func() parts(): Part[] { return ['a', 'b'].map((name) => { const part = new Part(); part.name = name; return part; }); }",
      {},
      "@object()\nexport class Part { @func() name: string; }",
    ),
    calls: [["parts name", "a\nb\n"]],
  },
  {
    name: "an enum as argument and result",
    files: my(
      "@func() next(level: Level): Level { return level === Level.Low ? Level.High : Level.Low; }",
      {},
      'export enum Level { Low = "low", High = "high" }',
    ),
    calls: [
      ["next --level LOW", "HIGH"],
      ["next --level middle", { error: "LOW" }],
    ],
  },
  {
    name: "an interface that a class of its own fills",
    files: my(
      "@func() pet(): Pet { const dog = new Dog(); dog.word = 'wuff'; return dog; }\n@func() dog(): Dog { const dog = new Dog(); dog.word = 'w'; return dog; }",
      {},
      "export interface Pet { says(): Promise<string> }\n@object()\nexport class Dog { @func() word: string; @func() async says(): Promise<string> { return this.word; } }",
    ),
    calls: [["pet says", "wuff"]],
  },
  {
    name: "a constructor with arguments",
    files: my(
      "@func() who: string;\nconstructor(who = 'world') { this.who = who; }\n@func() greet(): string { return `hello ${this.who}`; }",
    ),
    calls: [
      ["greet", "hello world"],
      ["--who you greet", "hello you"],
      ["who", "world"],
    ],
  },
  {
    name: "state that is not offered",
    files: my(
      "private count = 0;\n@func() more(): My { this.count = (this.count ?? 0) + 1; return this; }\n@func() read(): number { return this.count; }",
    ),
    calls: [["more more read", "2"]],
  },
  {
    name: "an alias",
    files: my('@func({ alias: "short" }) veryLongName(): string { return "s"; }'),
    functions: ["short"],
    calls: [
      ["short", "s"],
      ["very-long-name", { error: 'My has no function "very-long-name"' }],
    ],
  },
  { name: "nothing given back", files: my("@func() async nothing(): Promise<void> {}"), calls: [["nothing", ""]] },
  {
    name: "numbers with fractions",
    files: my(
      "@func() half(of: float): float { return of / 2; }",
      {},
      'import type { float } from "@dagger.io/dagger";',
    ),
    calls: [["half --of 3", "1.5"]],
  },
  {
    name: "an error that is thrown",
    files: my("@func() fail(): string { throw new Error('no luck'); }"),
    calls: [["fail", { error: "no luck" }]],
  },
  {
    name: "a directory given, and one by defaultPath",
    files: {
      ...my(
        '@func() async names(@argument({ defaultPath: "/docs", ignore: ["*.txt"] }) docs: Directory): Promise<string[]> { return docs.entries(); }',
      ),
      "docs/a.md": "a\n",
      "docs/b.txt": "b\n",
    },
    calls: [
      ["names", "a.md\n"],
      ["names --docs docs", "a.md\n"],
    ],
  },
  {
    name: "a file given",
    files: { ...my("@func() read(file: File): Promise<string> { return file.contents(); }"), "x.txt": "x\n" },
    calls: [["read --file x.txt", "x\n"]],
  },
  {
    name: "a platform",
    files: my("@func() on(platform: Platform): string { return platform; }"),
    calls: [["on --platform linux/arm64", "linux/arm64"]],
  },
  {
    name: "checks",
    files: my("@func() @check() good(): string { return 'good'; }\n@func() plain(): string { return ''; }"),
    checks: ["my:good"],
  },
  {
    name: "a directory made and chained into",
    files: my('@func() made(): Directory { return dag.directory().withNewFile("a/b", "c"); }'),
    calls: [
      ["made file --path a/b contents", "c"],
      ["made entries", "a/\n"],
    ],
  },
  {
    name: "files exported into the body's own file system",
    files: {
      ...my(
        `@func() async again(): Promise<string> {
    const made = dag.directory().withNewFile("a/b.txt", "text").withNewFile("run.sh", "", { permissions: 0o755 });
    await made.export("/tmp/out");
    await made.file("a/b.txt").export("/tmp/deep/er/c.txt");
    await made.file("a/b.txt").export("/tmp/out", { allowParentDirPath: true });
    await dag.directory().withNewFile("only", "").export("/tmp/wiped");
    await dag.directory().withNewFile("new", "").export("/tmp/wiped", { wipe: true });
    const read = (name: string) => fs.readFileSync("/tmp/" + name, "utf8");
    const mode = (fs.statSync("/tmp/out/run.sh").mode & 0o777).toString(8);
    return [read("out/a/b.txt"), read("deep/er/c.txt"), read("out/b.txt"), mode, fs.readdirSync("/tmp/wiped")].join(" ");
  }
  @func() async bytes(): Promise<number[]> {
    await dag.container().from("debian:bookworm-slim").withExec(["sh", "-c", "printf '\\\\377\\\\000\\\\201' >/f"]).file("/f").export("/tmp/f");
    return [...fs.readFileSync("/tmp/f")];
  }
  @func() async elsewhere(): Promise<string> { return dag.file("x", "y").export("/home/x"); }`,
        {},
        'import fs from "node:fs";',
      ),
    },
    calls: [
      ["again", "text text text 755 new"],
      ["bytes", "255\n0\n129\n"],
      ["elsewhere", { error: "a body's own files are below /tmp" }],
    ],
  },
  {
    name: "a workspace",
    files: {
      ...my("@func() title(ws: Workspace): Promise<string> { return ws.file('README').contents(); }"),
      README: "T\n",
    },
    functions: ["--ws Workspace filled in: what it reads of the repository"],
    calls: [["title", "T\n"]],
  },
  {
    name: "a module of the repository that it depends on",
    at: "app",
    files: {
      ...hello("Lib", "from lib"),
      "app/dagger.json": json("app", depends("lib")),
      "app/src/index.ts": main("@func() hello(): Promise<string> { return dag.lib().hello(); }", "App"),
    },
    calls: [["hello", "from lib"]],
  },
  {
    name: "dependencies three deep",
    at: "a",
    files: {
      ...hello("D", "d"),
      "c/dagger.json": json("c", depends("d")),
      "c/src/index.ts": main("@func() async hello(): Promise<string> { return 'c' + (await dag.d().hello()); }", "C"),
      "b/dagger.json": json("b", depends("c")),
      "b/src/index.ts": main("@func() async hello(): Promise<string> { return 'b' + (await dag.c().hello()); }", "B"),
      "a/dagger.json": json("a", depends("b")),
      "a/src/index.ts": main("@func() async hello(): Promise<string> { return 'a' + (await dag.b().hello()); }", "A"),
    },
    calls: [["hello", "abcd"]],
  },
  {
    name: "a diamond",
    at: "top",
    files: {
      ...hello("Base", "base"),
      "left/dagger.json": json("left", depends("base")),
      "left/src/index.ts": main(
        "@func() async hello(): Promise<string> { return 'l ' + (await dag.base().hello()); }",
        "Left",
      ),
      "right/dagger.json": json("right", depends("base")),
      "right/src/index.ts": main(
        "@func() async hello(): Promise<string> { return 'r ' + (await dag.base().hello()); }",
        "Right",
      ),
      "top/dagger.json": json("top", depends("left", "right")),
      "top/src/index.ts": main(
        "@func() async hello(): Promise<string> { return (await Promise.all([dag.left().hello(), dag.right().hello()])).join(', '); }",
        "Top",
      ),
    },
    calls: [["hello", "l base, r base"]],
  },
  {
    name: "a dependency on another machine",
    files: my(
      "@func() far(): Promise<string> { return (dag as any).far().hello(); }\n@func() near(): string { return 'near'; }",
      {
        dependencies: [{ name: "far", source: "github.com/example/far@v1", pin: "0".repeat(40) }],
      },
    ),
    calls: [
      ["near", "near"],
      [
        "far",
        {
          error: "dag.far(): https://github.com/example/far at 0000000000000000000000000000000000000000 is not fetched",
        },
      ],
    ],
  },
  {
    name: "a dependency in another language",
    files: {
      ...my("@func() go(): Promise<string> { return (dag as any).gopher().hello(); }", {
        dependencies: [{ name: "gopher", source: "gopher" }],
      }),
      "gopher/dagger.json": JSON.stringify({ name: "gopher", sdk: { source: "go" } }),
    },
    calls: [["go", { error: "a module in go needs a Dagger engine" }]],
  },
  {
    name: "a toolchain with the project's defaults",
    at: "app",
    files: {
      ...tool,
      "app/dagger.json": json("app", {
        toolchains: [
          {
            name: "tool",
            source: "../tool",
            customizations: [
              { argument: "level", default: "high" },
              { function: ["lint"], argument: "source", defaultPath: "docs" },
              { function: ["lint"], argument: "times", default: "3" },
            ],
            ignoreChecks: ["slow"],
          },
        ],
      }),
      "app/src/index.ts": main("@func() @check() own(): string { return 'own'; }", "App"),
      "app/docs/x.md": "x\n",
    },
    functions: ["tool  the module tool [toolchain]"],
    checks: ["app:own", "tool:lint"],
    calls: [
      ["own", "own"],
      ["tool lint", "high 3 x.md"],
      ["tool --level mid lint --times 2", "mid 2 x.md"],
      ["tool level", "high"],
      ["tool nothing", { error: 'Tool has no function "nothing"' }],
    ],
  },
  {
    name: "a customization of what is not there",
    at: "app",
    files: {
      ...tool,
      "app/dagger.json": JSON.stringify({
        name: "app",
        engineVersion: "v0.21.4",
        toolchains: [{ name: "tool", source: "../tool", customizations: [{ argument: "levl", default: "high" }] }],
      }),
    },
    broken: "tool has no argument levl to customize",
  },
  {
    name: "toolchains and no code",
    files: {
      ...tool,
      "dagger.json": JSON.stringify({
        name: "only",
        engineVersion: "v0.21.4",
        toolchains: [{ name: "tool", source: "tool" }],
      }),
      "a.md": "a\n",
    },
    checks: ["tool:lint", "tool:slow"],
    calls: [["tool lint", "low 1 a.md"]],
  },
  {
    name: "a blueprint",
    at: "app",
    files: {
      ...tool,
      "app/dagger.json": JSON.stringify({
        name: "app",
        engineVersion: "v0.21.4",
        blueprint: { name: "tool", source: "../tool" },
      }),
      "b.md": "b\n",
    },
    checks: ["tool:lint", "tool:slow"],
    calls: [["lint", "low 1 b.md"]],
  },
  {
    name: "a blueprint with a generator",
    at: "app",
    files: {
      "maker/dagger.json": json("maker"),
      "maker/src/index.ts": main(
        "@func() @check() fine(): void {}\n@func() @generate() same(): Changeset { return dag.directory().changes(dag.directory()); }\n" +
          '@func() @generate() make(@argument({ defaultPath: ".", ignore: ["**", "!out.txt"] }) at: Directory): Changeset ' +
          '{ return at.withNewFile("out.txt", "new").changes(at); }',
        "Maker",
        'import { type Changeset } from "@dagger.io/dagger";\n',
      ),
      "app/dagger.json": JSON.stringify({
        name: "app",
        engineVersion: "v0.21.4",
        blueprint: { name: "base", source: "../maker" },
      }),
    },
    checks: ["base:fine", "", "Generators", "app:same", "app:make"],
  },
  {
    name: "a module of Dagger 1.0",
    files: {
      "dagger-module.toml":
        'name = "my"\nengineVersion = "v1.0.0-beta.10"\n[runtime]\nsource = "typescript"\n[[dependencies]]\nname = "lib"\nsource = "lib"\n',
      "src/index.ts": main("@func() hello(): Promise<string> { return dag.lib().hello(); }"),
      ...hello("Lib", "from lib"),
    },
    calls: [["hello", "from lib"]],
  },
  {
    name: "a main class with a base class that offers nothing",
    files: {
      "dagger.json": json("my"),
      "src/index.ts": `${imports}abstract class Base { protected greet(who: string) { return "hello " + who; } }
@object() export class My extends Base { @func() hi(who: string): string { return this.greet(who); } }`,
    },
    calls: [["hi --who you", "hello you"]],
  },
  {
    name: "defaults that are constants and templates",
    files: my(
      "@func() version(v: string = V, t = T, n = 3, b = false): string { return [v, t, n, b].join(' '); }",
      {},
      "const V = '1.2.3';\nconst T = `v${V}`;",
    ),
    calls: [["version", "1.2.3 v1.2.3 3 false"]],
  },
  {
    name: "functions that call each other, one of which fails",
    files: my(`@func() async all(): Promise<string> {
    return (await Promise.allSettled([this.one(), this.two()])).map(({ status }) => status).join(",");
  }
  @func() async one(): Promise<string> { return "1"; }
  @func() async two(): Promise<string> { throw new Error("no"); }`),
    calls: [["all", "fulfilled,rejected"]],
  },
  {
    name: "a string that is thrown",
    files: my('@func() err(): string { throw "a plain string"; }'),
    calls: [["err", { error: "a plain string" }]],
  },
  {
    name: "its own sources, which it lists",
    files: my(`@func() async own(): Promise<string[]> { return dag.currentModule().source().entries(); }`),
    calls: [["own", "dagger.json\nsrc/\n"]],
  },
  {
    name: "an agent of Dagger 1.0",
    files: {
      "dagger-module.toml": 'name = "my"\nengineVersion = "v1.0.0-beta.14"\n[runtime]\nsource = "typescript"\n',
      "src/index.ts": main(
        "@func() @agent() helper(base: LLM): LLM { return base; }\n@func() hello(): string { return 'hello'; }",
        "My",
        'import { agent, type LLM } from "@dagger.io/dagger";',
      ),
    },
    functions: ["--base LLM (required)"],
    calls: [["hello", "hello"]],
  },
  {
    name: "a dagger.json beside a dagger-module.toml",
    files: { ...my("@func() hello(): string { return 'json'; }"), "dagger-module.toml": 'name = "other"\n' },
    functions: ["warning: dagger-module.toml is not read: the dagger.json beside it counts"],
    calls: [["hello", "json"]],
  },
  {
    name: "a dagger-module.toml without a name",
    files: { "dagger-module.toml": '[runtime]\nsource = "typescript"\n', "src/index.ts": main("") },
    broken: '"name": expected string',
  },
  {
    name: "a dagger-module.toml in another language",
    files: { "dagger-module.toml": 'name = "my"\n[runtime]\nsource = "python"\n' },
    broken: "a module in python needs a Dagger engine",
  },
  {
    name: "a dagger-module.toml that is no TOML",
    files: { "dagger-module.toml": 'name = "my"\n[runtime\n' },
    broken: "not valid TOML",
  },
  {
    name: "a workspace of Dagger 1.0",
    files: {
      ...tool,
      "dagger.toml":
        '[modules.tool]\nsource = "./tool"\ncheck = { skip = ["slow"] }\n[modules.tool.settings]\nlevel = "set"\n' +
        '[modules.my]\nsource = "./my"\nentrypoint = true\n[modules.far]\nsource = "github.com/example/far"\n',
      "my/dagger.json": json("my"),
      "my/src/index.ts": main("@func() @check() hello(): string { return 'hello'; }"),
      "c.md": "c\n",
    },
    functions: ["warning: functions of far can't run here: github.com/example/far can lead to another commit later"],
    checks: ["my:hello", "tool:lint"],
    calls: [
      ["hello", "hello"],
      ["tool lint", "set 1 c.md"],
    ],
  },
  {
    name: "keys of a workspace that have no effect here",
    files: {
      ...tool,
      "dagger.toml":
        'ignore = ["**/tmp"]\ndefaults_from_dotenv = true\n[modules.tool]\nsource = "./tool"\nlegacy-default-path = true\n',
    },
    functions: [
      "warning: dagger.toml: `ignore` has no effect in fastloop",
      "warning: dagger.toml: `defaults_from_dotenv` has no effect in fastloop",
      "warning: dagger.toml: `modules.tool.legacy-default-path` has no effect in fastloop",
    ],
  },
  {
    name: "an environment of a workspace, and a lock",
    env: { FASTLOOP_ENV: "ci" },
    files: {
      ...tool,
      "dagger.toml":
        '[modules.tool]\nsource = "./tool"\nup = { skip = ["*"] }\n[modules.tool.settings]\nlevel = "set"\n' +
        '[modules.far]\nsource = "github.com/example/far@v1"\n[env.ci.modules.tool.settings]\nlevel = "of ci"\n' +
        '[env.ci.modules.more]\nsource = "./more"\n[ports.3000]\nbackendService = "tool:web"\nbackendPort = 80\n',
      "dagger.lock":
        '[["version","2"]]\nno json\n["","git.ref",["https://github.com/example/far","refs/tags/v1"],{"ref":"refs/tags/v1","sha":"' +
        `${"1".repeat(40)}"}]\n`,
      "more/dagger.json": json("more"),
      "more/src/index.ts": main("@func() @check() extra(): string { return 'extra'; }", "More"),
      "c.md": "c\n",
    },
    functions: [`far can't run here: https://github.com/example/far at ${"1".repeat(40)} is not fetched`],
    checks: ["tool:lint", "tool:slow", "more:extra"],
    calls: [["tool lint", "of ci 1 c.md"]],
  },
  {
    name: "an environment that is not there",
    env: { FASTLOOP_ENV: "constructor" },
    files: { ...tool, "dagger.toml": '[modules.tool]\nsource = "./tool"\n[env.ci]\n' },
    broken: "there is no environment constructor, which FASTLOOP_ENV names",
  },
  {
    name: "a module that has every object's name",
    files: { ...tool, "dagger.toml": '[modules.tool]\nsource = "./tool"\n[modules.__proto__]\nsource = "./tool"\n' },
    broken: 'no module can be called "__proto__"',
  },
  {
    name: "a dependency that has every object's name",
    files: my("@func() a(): string { return ''; }", { dependencies: [{ name: "has-own-property", source: "tool" }] }),
    broken: 'no module can be called "has-own-property"',
  },
  {
    name: "a toolchain with codes of a terminal in its name",
    files: my("@func() a(): string { return ''; }", {
      toolchains: [{ name: "\u001b[31mred\u001b]0;title\u0007", source: "github.com/example/far" }],
    }),
    functions: ["functions of \\u001b[31mred"],
  },
  {
    name: "a workspace without modules",
    files: { "dagger.toml": "ignore = []\n" },
    broken: "this workspace has no modules",
  },
  {
    name: "a workspace with two entrypoints",
    files: {
      "dagger.toml": '[modules.a]\nsource = "a"\nentrypoint = true\n[modules.b]\nsource = "b"\nentrypoint = true\n',
      ...hello("A", ""),
      ...hello("B", ""),
    },
    broken: "there is one entrypoint, not a and b",
  },
];
