import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseGitSource } from "../../../src/module/git/git-source.ts";
import { folderOfRemote } from "../../../src/module/git-dependencies.ts";
import { readManifest } from "../../../src/module/manifest/manifest.ts";
import { startFastloop, fastloop, type CliResult } from "../cli/fastloop.ts";

const commit = "0123456789abcdef0123456789abcdef01234567";

describe("the address of a module in a git repository", () => {
  it.each([
    ["github.com/owner/name", "https://github.com/owner/name", ""],
    ["github.com/owner/name/a/b@v1.2", "https://github.com/owner/name", "a/b"],
    ["https://github.com/owner/name.git/a@a/v1.2", "https://github.com/owner/name.git", "a"],
    ["git@github.com:owner/name.git/a@v1", "ssh://git@github.com/owner/name.git", "a"],
    ["ssh://git@host.example:2222/team/deep/name.git", "ssh://git@host.example:2222/team/deep/name.git", ""],
    ["https://host.example/team/deep/name.git/a", "https://host.example/team/deep/name.git", "a"],
    ["github.com/owner/name/.dagger/mod@v1", "https://github.com/owner/name", ".dagger/mod"],
    ["github.com/owner/name/...a", "https://github.com/owner/name", "...a"],
  ])("%s", (source, url, folder) => {
    expect(parseGitSource(source, commit)).toEqual({ url, folder, commit });
  });

  it("may name the commit itself, and has none by a name that moves", () => {
    expect(parseGitSource(`github.com/owner/name@${commit}`)).toMatchObject({ commit });
    expect(parseGitSource("github.com/owner/name@main")).not.toHaveProperty("commit");
    expect(parseGitSource("github.com/owner/name@0123456")).not.toHaveProperty("commit");
  });

  it.each([
    ["ext::sh -c id", "host"],
    ["file:///etc", "https"],
    ["git://github.com/owner/name", "https"],
    ["http://github.com/owner/name", "https"],
    ["ssh://-oProxyCommand=id/owner/name.git", "host"],
    ["https://user:secret@github.com/owner/name", "password"],
    ["git@-oProxyCommand=id:name.git", "path"],
    ["https://github.com/owner/../../name", "path"],
    ["https://github.com/--upload-pack=id/name", "path"],
    ["https://github.com/owner/na\nme", "path"],
    ["https://github.com/owner/name/..%2f", "path"],
    ["github.com/owner/name/a/../../b", "path"],
    ["github.com/owner/name/./a", "path"],
    ["github.com/owner/name.git/.Git/hooks", "path"],
    ["github.com/owner/name/-a", "path"],
    ["github.com/.owner/name", "path"],
    ["https://github.com", "path"],
    ["https://host.example/team/name", ".git"],
    ["https://gíthub.com/owner/name", "host"],
  ])("%j is refused", (source, why) => {
    expect(parseGitSource(source, commit)).toContain(why);
  });

  it.each(["main", "--help", commit.slice(1), commit.toUpperCase(), `${commit}\n`])("so is the pin %j", (pin) => {
    expect(parseGitSource("github.com/owner/name", pin)).toContain("pin");
  });
});

describe("a dependency in a git repository", () => {
  let folder: string;
  let env: Record<string, string>;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "fastloop-git-modules-"));
    const origin = path.join(folder, "origin");
    write("git-config", `[url "${origin}"]\n  insteadOf = https://github.com/owner/name\n`);
    env = { GIT_CONFIG_GLOBAL: path.join(folder, "git-config"), XDG_CACHE_HOME: path.join(folder, "cache") };
    env["XDG_STATE_HOME"] = path.join(folder, "state");
    mkdirSync(path.join(folder, "project", ".git"), { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("is fetched once it is allowed, and is there without being asked again", async () => {
    const pin = published({ "tool/dagger.json": manifest("tool"), "tool/src/index.ts": main("Tool") });
    depends({ name: "tool", source: "github.com/owner/name/tool@v1", pin });
    const refused = await functions();
    expect(refused.stderr).toContain(`https://github.com/owner/name at ${pin} is not fetched`);
    expect(refused).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("hello") as unknown });

    expect((await answering("n")).stderr).toContain(
      "dependency tool fetches the module https://github.com/owner/name@",
    );
    expect((await answering("n")).stderr).toContain("[y/N]");
    const allowed = await answering("y");
    expect(allowed.stderr).not.toContain("can't be called here");
    const again = await answering("");
    expect(again.stderr).not.toContain("[y/N]");
    expect(JSON.parse((await functions("--json")).stdout)).toMatchObject({
      dependencies: [{ name: "tool", module: { name: "tool", objects: { Tool: { functions: { hello: {} } } } } }],
    });

    // The word holds when the cache is gone.
    rmSync(env["XDG_CACHE_HOME"]!, { recursive: true });
    expect((await functions()).stderr).not.toContain("not fetched");
  });

  it("leads to others beside it in its repository, and to no folder above that", async () => {
    const files = {
      "tool/dagger.json": manifest("tool", [{ name: "base", source: "../base" }]),
      "tool/src/index.ts": main("Tool"),
      "base/dagger.json": manifest("base"),
      "base/src/index.ts": main("Base"),
    };
    depends({ name: "tool", source: "github.com/owner/name/tool", pin: published(files) });
    expect(JSON.parse((await functions("--trust", "--json")).stdout)).toMatchObject({
      dependencies: [{ module: { dependencies: [{ name: "base", module: { name: "base" } }] } }],
    });
    const away = { ...files, "tool/dagger.json": manifest("tool", [{ name: "base", source: "../../base" }]) };
    depends({ name: "tool", source: "github.com/owner/name/tool", pin: published(away) });
    const left = await functions("--trust");
    expect(left.stderr).toContain("leads out of the repository");
    expect(left.exitCode).not.toBe(0);
  });

  it("is refused where its folder is a link out of the repository", async () => {
    const pin = published({ "README.md": "" }, () => symlinkSync("/etc", path.join(folder, "origin", "tool")));
    depends({ name: "tool", source: "github.com/owner/name/tool", pin });
    expect((await functions("--trust")).stderr).toContain("is a link");
  });

  it("is written as it was committed, by none of the user's filters, hooks and submodule settings", async () => {
    const ran = path.join(folder, "ran");
    const config = `[filter "own"]\n  smudge = touch ${ran}\n  required = true\n[submodule]\n  recurse = true\n[core]\n  hooksPath = ${folder}/hooks\n`;
    write(
      "git-config",
      `[url "${path.join(folder, "origin")}"]\n  insteadOf = https://github.com/owner/name\n${config}`,
    );
    for (const hook of ["post-checkout", "reference-transaction"]) {
      write(`hooks/${hook}`, `#!/bin/sh\ntouch ${ran}\n`);
      chmodSync(path.join(folder, "hooks", hook), 0o755);
    }
    Object.assign(env, {
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "filter.other.smudge",
      GIT_CONFIG_VALUE_0: `touch ${ran}`,
    });
    const pin = published({
      "tool/dagger.json": manifest("tool"),
      "tool/src/index.ts": main("Tool"),
      ".gitattributes": "*.ts filter=own\n*.json filter=other\n",
    });
    depends({ name: "tool", source: "github.com/owner/name/tool", pin });
    expect((await functions("--trust", "--json")).stdout).toContain('"hello"');
    expect(readdirSync(folder)).not.toContain("ran");
  });

  it("asks nobody for a password, prints no control characters of a remote, and sweeps after a kill", async () => {
    write("git-config", "");
    write("ssh", `#!/bin/sh\necho "$@" > ${folder}/words\nprintf 'fatal: \\033[31mred\\033[0m\\n' >&2\nexit 1\n`);
    chmodSync(path.join(folder, "ssh"), 0o755);
    env["PATH"] = `${folder}:${process.env["PATH"]}`;
    const modules = path.join(folder, "cache", "fastloop", "git-modules");
    const left = `${"0".repeat(24)}-${commit}.${"0".repeat(8)}-0000-4000-8000-${"0".repeat(12)}`;
    for (const name of [left, left.replace("0", "1"), "of-the-user"])
      mkdirSync(path.join(modules, name), { recursive: true });
    for (const name of [left, "of-the-user"]) utimesSync(path.join(modules, name), 0, 0);
    depends({ name: "tool", source: "git@github.com:owner/name.git", pin: commit });
    const { stderr } = await functions("--trust");
    expect(stderr).toContain("can't be fetched: \\u001b[31mred");
    expect(readFileSync(path.join(folder, "words"), "utf8")).toContain("BatchMode=yes");
    expect(readdirSync(modules).sort()).toEqual([left.replace("0", "1"), "of-the-user"].sort());
  });

  it("runs nothing of the repository when it is fetched", async () => {
    const ran = path.join(folder, "ran");
    const pin = published({
      "tool/dagger.json": manifest("tool"),
      "tool/src/index.ts": main("Tool"),
      ".gitattributes": "* filter=evil diff=evil\n",
      ".gitmodules": `[submodule "x"]\n  path = x\n  url = ext::touch ${ran}\n  update = !touch ${ran}\n`,
      ".lfsconfig": `[lfs]\n  url = ext::touch ${ran}\n`,
    });
    depends({ name: "tool", source: "github.com/owner/name/tool", pin });
    expect((await functions("--trust")).stderr).not.toContain("can't be");
    expect(readdirSync(folder)).not.toContain("ran");
  });

  it("without a pin is refused, and one that is not there is told in git's words", async () => {
    published({ "README.md": "" });
    depends({ name: "tool", source: "github.com/owner/name/tool@main" });
    expect((await functions("--trust")).stderr).toContain('give it a "pin"');
    depends({ name: "tool", source: "github.com/owner/name/tool", pin: commit });
    expect((await functions("--trust")).stderr).toMatch(
      /can't be fetched: .*not our ref|can't be fetched: .*reference/,
    );
    expect(readdirSync(path.join(folder, "cache", "fastloop", "git-modules"))).toEqual([]);
    depends({ name: "tool", source: "https://github.com/--upload-pack=id/name", pin: commit });
    const hostile = await functions("--trust");
    expect(hostile.stderr).toMatch(/dagger\.json:\d+:\d+: tool has an unsupported address/);
    expect(hostile.exitCode).not.toBe(0);
  });

  const functions = (...words: string[]): Promise<CliResult> =>
    fastloop(["functions", ...words], { cwd: path.join(folder, "project"), env });

  async function answering(answer: string): Promise<CliResult> {
    const running = startFastloop(["functions"], {
      cwd: path.join(folder, "project"),
      env,
      isTTY: true,
      onOutput: (_stream, text) => {
        if (text.includes("[y/N]")) running.press(`${answer}\r`);
      },
    });
    return running.ended;
  }

  function write(name: string, text: string): void {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }

  /** Commits the files in a repository of their own. */
  function published(files: Record<string, string>, prepare?: () => void): string {
    rmSync(path.join(folder, "origin"), { recursive: true, force: true });
    for (const [name, text] of Object.entries(files)) write(`origin/${name}`, text);
    prepare?.();
    const git = (...words: string[]): string =>
      execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b.c", ...words], {
        cwd: path.join(folder, "origin"),
        encoding: "utf8",
        env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" },
      });
    git("init", "-q");
    git("add", "-A");
    git("commit", "-qm", "all");
    return git("rev-parse", "HEAD").trim();
  }

  function depends(dependency: object): void {
    write("project/dagger.json", manifest("my", [dependency]));
    write("project/src/index.ts", main("My"));
  }
});

const manifest = (name: string, dependencies: object[] = []): string =>
  JSON.stringify({ name, engineVersion: "v0.21.4", sdk: { source: "typescript" }, dependencies });
const main = (name: string): string =>
  `import { func, object } from "@dagger.io/dagger";\n@object()\nexport class ${name} {\n@func() hello(): string { return "hello"; }\n}\n`;

it("thousands of dependencies in git repositories are refused in a time that grows with their number", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-many-"));
  try {
    const dependencies = Array.from({ length: 5000 }, (_, index) => {
      return { name: `a${index}`, source: `github.com/owner/name${index}`, pin: commit };
    });
    mkdirSync(path.join(folder, "src"));
    const manifest = { name: "ci", engineVersion: "v0.21.4", sdk: "typescript", dependencies };
    writeFileSync(path.join(folder, "dagger.json"), JSON.stringify(manifest));
    const read = await readManifest(folder);
    const before = process.cpuUsage();
    for (const one of read.dependencies)
      expect(await folderOfRemote(one, { XDG_CACHE_HOME: folder }, async () => false)).toHaveProperty("refused");
    expect(process.cpuUsage(before).user).toBeLessThan(3_000_000);
    expect(await read.dependencies[4999]!.place()).toMatch(/dagger\.json:1:\d+$/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
