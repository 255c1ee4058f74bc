// The npm package as its users get it: packed from a copy of the checkout, installed in an empty folder, used from there.
import { execFileSync, spawnSync, type SpawnSyncReturns } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../src/paths/index.ts";

const root = packageRoot();
let folder: string;
let packed: string[];
let project: string;
/** A state folder of its own: the package is another build, and would end the engine that the other tests share. */
const env = (): NodeJS.ProcessEnv => ({
  ...process.env,
  XDG_STATE_HOME: path.join(folder, "state"),
  FASTLOOP_DIST: "",
});

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-package-"));
  const copy = path.join(folder, "checkout");
  const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  }).split("\0");
  for (const file of files) {
    if (file !== "" && statSync(path.join(root, file), { throwIfNoEntry: false })?.isFile() === true)
      cpSync(path.join(root, file), path.join(copy, file));
  }
  symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"));
  const [told] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--pack-destination", folder], {
      cwd: copy,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).replace(/^[^[]*/, ""),
  ) as { filename: string; files: { path: string }[] }[];
  packed = told!.files.map((file) => file.path);
  project = path.join(folder, "project");
  mkdirSync(project);
  execFileSync("git", ["init", "-q"], { cwd: project });
  writeFileSync(
    path.join(project, "package.json"),
    JSON.stringify({ name: "empty", private: true, type: "module", scripts: { test: "node --test" } }),
  );
  writeFileSync(path.join(project, ".gitignore"), "node_modules\n");
  writeFileSync(
    path.join(project, "sum.test.js"),
    'import { strictEqual } from "node:assert";\nimport { test } from "node:test";\ntest("sum", () => strictEqual(1 + 1, 2));\n',
  );
  // Beside the project: an archive outside of it in its lock file is nothing that a container could install.
  execFileSync("npm", ["install", "--prefix", folder, "--no-audit", "--no-fund", path.join(folder, told!.filename)], {
    cwd: folder,
    stdio: "ignore",
  });
  execFileSync("npm", ["install", "--package-lock-only", "--no-audit", "--no-fund"], { cwd: project, stdio: "ignore" });
}, 10 * 60_000);

afterAll(() => {
  run("engine", "stop", "--force");
  rmSync(folder, { recursive: true, force: true });
});

const run = (...args: string[]): SpawnSyncReturns<string> =>
  spawnSync(path.join(folder, "node_modules/.bin/fastloop"), args, { cwd: project, env: env(), encoding: "utf8" });

const sizeOf = (place: string): number => {
  const entries = readdirSync(place, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).size, 0);
};

describe("what is packed", () => {
  test("has no benches, no chaos runs, no tests, no source maps and none of the tools that build it", () => {
    expect(
      packed.filter((file) =>
        /\.map$|^test\/|^src\/|bench|chaos|tools\/(build(-sdk)?\.|test|release|generate)/.test(file),
      ),
    ).toEqual([]);
  });

  test("has the demo's project, the module, what set-up builds from, and the licences of what is bundled", () => {
    for (const file of [
      "examples/shop/fastloop.yaml",
      "pipelines/src/index.ts",
      "pipelines/vendor/config.mjs",
      "dagger.json",
      "tools/setup.mjs",
      "tools/shim/main.go",
      "tools/buildkitd/main.go",
      "dist/licences.txt",
      "LICENSE",
    ]) {
      expect(packed).toContain(file);
    }
    const licences = readFileSync(path.join(folder, "node_modules/fastloop/dist/licences.txt"), "utf8");
    for (const name of ["commander", "zod", "yaml", "@grpc/grpc-js", "@dagger.io/dagger", "graphql"])
      expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, "m"));
  });

  test("takes under 60 MB with all that it depends on", () => {
    expect(sizeOf(path.join(folder, "node_modules"))).toBeLessThan(60e6);
  });
});

describe("the installed package", () => {
  test("writes a configuration and a module that are valid", () => {
    expect(run("init", "--module")).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("wrote pipelines/src/index.ts") as unknown,
    });
    expect(readFileSync(path.join(project, "pipelines/.gitignore"), "utf8")).toContain("/sdk");
    expect(run("validate")).toMatchObject({ status: 0 });
    expect(
      run("functions")
        .stdout.split("\n")
        .map((line) => line.split(" ")[0]),
    ).toEqual(expect.arrayContaining(["build-base", "test", "scan", "publish"]));
  });

  test("the module that it writes has the functions of fastloop's own", () => {
    const names = (dir: string): string[] =>
      run("functions", "-m", dir)
        .stdout.split("\n")
        .map((line) => line.split(" ")[0]!);
    expect(names(project)).toEqual(names(path.join(folder, "node_modules/fastloop")));
  });

  test(
    "runs the tests that it found, and then has nothing to do",
    () => {
      const first = run("run");
      expect(first.stderr + first.stdout).toContain("app");
      expect(first.status, first.stderr + first.stdout).toBe(0);
      expect(run("plan", "--json").stdout).toContain('"current"');
    },
    15 * 60_000,
  );

  test(
    "shows the demo",
    () => {
      const demo = run("demo", "--once");
      expect(demo.status, demo.stderr + demo.stdout).toBe(0);
    },
    15 * 60_000,
  );

  test("lends its building blocks to a module of one's own", () => {
    const module = path.join(project, "own");
    mkdirSync(path.join(module, "src"), { recursive: true });
    writeFileSync(path.join(module, "dagger.json"), '{ "name": "own", "sdk": { "source": "typescript" } }');
    writeFileSync(
      path.join(module, "package.json"),
      '{ "type": "module", "dependencies": { "fastloop": "*", "@dagger.io/dagger": "*" } }',
    );
    writeFileSync(
      path.join(module, "src/index.ts"),
      `import { type Directory, func, object } from "@dagger.io/dagger";
import { nameOf, readProject } from "fastloop/pipelines";

@object()
export class Own {
  @func()
  async projectName(source: Directory): Promise<string> {
    return nameOf(await readProject(source));
  }
}
`,
    );
    const called = run("call", "-m", "own", "project-name", "--source", ".");
    expect(called, called.stderr).toMatchObject({ status: 0, stdout: expect.stringContaining("project") as unknown });
    const types = readFileSync(path.join(folder, "node_modules/fastloop/dist/pipelines.d.ts"), "utf8");
    expect(types).toContain("declare function baseImage(");
  });

  test("is imported with its types", () => {
    writeFileSync(
      path.join(project, "use.ts"),
      'import { loadConfig, Loop, UserError } from "fastloop";\nconst { config } = await loadConfig({ cwd: "." });\nconst version: 1 = config.version;\nconsole.log(version, typeof Loop, new UserError("usage", "x").exitCode);\n',
    );
    const tsc = path.join(folder, "node_modules/typescript/bin/tsc");
    const options = [
      "--module",
      "nodenext",
      "--target",
      "es2023",
      "--strict",
      "--skipLibCheck",
      "false",
      "--lib",
      "es2023,dom",
      "use.ts",
    ];
    const compiled = spawnSync(process.execPath, [tsc, ...options], { cwd: project, encoding: "utf8" });
    expect(compiled.stdout + compiled.stderr).toMatch(
      /^(?:.*Cannot find (?:name|type definition).*(?:NodeJS|node:|'node').*\n?)*$/,
    );
    expect(execFileSync(process.execPath, ["use.js"], { cwd: project, env: env(), encoding: "utf8" })).toBe(
      "1 function 2\n",
    );
  });
});
