/** Every file that a command reads by its name, and whatever may lie in its place: one sentence, soon, and nothing else. */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, expect, test } from "vitest";
import { cliFile, type CliResult } from "../e2e/cli-process.ts";
import { contents, noFiles } from "./hostile-kinds.ts";

const top = mkdtempSync(path.join(tmpdir(), "fastloop-files-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));

const manifest = '{"name":"ci","engineVersion":"v0.21.4","sdk":"typescript","source":"ci"}';
const source = `import { check, func, object } from "@dagger.io/dagger"
@object() export class Ci { @func() @check() ok(): string { return "ok" } }
`;
const config = "version: 1\nwatch:\n  targets:\n    ok: { call: ok, inputs: [src/] }\n";
const code = { "ci/src/index.ts": source, "src/a.txt": "a" };
const project = { "fastloop.yaml": config, "dagger.json": manifest, ...code };
const workspace = {
  "dagger.toml": '[modules.ci]\nsource = "./ci"\nentrypoint = true\n',
  "ci/dagger.json": manifest.replace(',"source":"ci"', ""),
  ...code,
};
const oneModule = { "dagger-module.toml": 'name = "ci"\nsource = "ci"\n[runtime]\nsource = "typescript"\n', ...code };
const npm = { "package.json": '{"name":"x","version":"1.0.0","scripts":{"test":"node --test"}}', "a.test.js": "" };
const compose = { "compose.yaml": "services:\n  web:\n    image: alpine\n    env_file: web.env\n" };
const bills = {
  "a.json": '{"spdxVersion":"SPDX-2.3","packages":[]}',
  "b.json": '{"spdxVersion":"SPDX-2.3","packages":[]}',
};
const deployed = {
  ...project,
  "fastloop.yaml": `${config}deploy:
  apps: { web: { manifests: [k8s/] } }
  environments: { dev: { context: x, namespace: y } }
`,
  "k8s/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n",
  kubeconfig:
    "apiVersion: v1\nkind: Config\nclusters: [{ name: x, cluster: { server: 'http://127.0.0.1:9' } }]\n" +
    "contexts: [{ name: x, context: { cluster: x } }]\nusers: []\n",
};
const lockFiles = [
  "package-lock.json yarn.lock pnpm-lock.yaml bun.lock uv.lock poetry.lock pdm.lock go.sum Cargo.lock requirements.txt",
  "pnpm-workspace.yaml .npmrc .nvmrc .node-version .python-version .tool-versions tsconfig.json lerna.json turbo.json",
  "Dockerfile .dockerignore compose.yaml docker-compose.yml .env Makefile deno.json bunfig.toml .gitlab-ci.yml",
  "Chart.yaml chart/Chart.yaml kustomization.yaml k8s/deployment.yaml .github/workflows/ci.yml go.work",
].flatMap((line) => line.split(" "));
const manifests = "package.json pyproject.toml setup.py setup.cfg tox.ini go.mod Cargo.toml requirements.txt".split(
  " ",
);
const runOf = "20260101T000000.000Z-ok-aaaaaa";

interface Row {
  /** Which files are replaced, all at once. */
  files: readonly string[];
  in: Record<string, string>;
  words: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** Without it nothing can be said: what is no file ends with 2. */
  isNeeded?: true;
}

const rows: Row[] = [
  { files: ["fastloop.yaml"], in: project, words: ["plan"], isNeeded: true },
  { files: ["fastloop.yaml"], in: project, words: ["validate"], isNeeded: true },
  { files: ["dagger.json"], in: project, words: ["functions"], isNeeded: true },
  { files: ["dagger.toml"], in: workspace, words: ["functions"], isNeeded: true },
  { files: ["dagger-module.toml"], in: oneModule, words: ["functions"], isNeeded: true },
  { files: ["ci/dagger.json"], in: workspace, words: ["functions"] },
  { files: ["ci/src/index.ts"], in: project, words: ["functions"], isNeeded: true },
  { files: ["ci/package.json", "ci/tsconfig.json"], in: project, words: ["functions"] },
  { files: [".gitignore", "src/.gitignore", ".git/info/exclude"], in: project, words: ["plan"] },
  { files: [".git/index", ".git/config", ".git/packed-refs"], in: project, words: ["plan"] },
  { files: [".git/HEAD", ".gitattributes", ".gitmodules"], in: project, words: ["affected", "--since", "HEAD"] },
  { files: manifests, in: {}, words: ["init", "--dry-run"] },
  { files: lockFiles, in: npm, words: ["init", "--dry-run"] },
  { files: ["compose.yaml"], in: compose, words: ["up", "--from", "compose.yaml", "--explain", "web"], isNeeded: true },
  { files: [".env", "web.env"], in: compose, words: ["up", "--from", "compose.yaml", "--explain", "web"] },
  { files: ["a.json"], in: bills, words: ["diff", "a.json", "b.json"] },
  {
    files: ["kubeconfig"],
    in: deployed,
    words: ["deploy-status", "dev", "--trust"],
    env: { KUBECONFIG: "kubeconfig" },
    isNeeded: true,
  },
  { files: ["k8s/a.yaml", "fastloop.lock"], in: deployed, words: ["validate"] },
  {
    files: ["hashes", "config.json", `runs/${runOf}.json`, `reads/${"a".repeat(64)}.json`, "lock"].map(inState),
    in: project,
    words: ["plan"],
  },
  {
    files: ["history/20260101T000000.000Z.json", "baselines/main.json", `spans/${runOf}.json`].map(inState),
    in: project,
    words: ["stats"],
  },
];

function inState(name: string): string {
  return `.fastloop/${name}`;
}

/** Of computing by the command, its threads included; a scan of the module is a process of its own with as much.
 * A command takes one on a slow and busy machine; what doesn't end takes all. */
const mostSeconds = 8;

/** Ends when it has computed for so long, or waited for a minute. */
function limited(cwd: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CliResult> {
  return new Promise((resolve) => {
    const child = spawn(
      "sh",
      ["-c", `ulimit -t ${mostSeconds}; exec "$@"`, "sh", process.execPath, cliFile, ...words],
      {
        cwd,
        env: { ...process.env, ...env },
        stdio: ["ignore", "pipe", "pipe"],
        timeout: 60_000,
        killSignal: "SIGKILL",
      },
    );
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("close", (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
}

function laidOut(files: Record<string, string>): string {
  const folder = mkdtempSync(path.join(top, "project-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.join(folder, path.dirname(name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  const git = (...words: string[]): unknown =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...words], { cwd: folder, stdio: "ignore" });
  git("init", "-q");
  git("add", "-A");
  git("commit", "-qm", "x", "--allow-empty");
  return folder;
}

/** A stack, a name of an error that is Node's, a path into our code, or an end that nobody meant. */
const bug =
  /fastloop has a bug|node:internal|\/dist\/|Error: E[A-Z]+\b|\n {4}at |Maximum call stack|heap out of memory/;
// eslint-disable-next-line no-control-regex
const control = /[\0-\x08\x0b-\x1f\x7f]/;

test.each(rows.map((row) => [`${row.files.slice(0, 3).join(", ")} for ${row.words[0]}`, row] as const))(
  "whatever is in the place of %s",
  async (_, { files, in: others, words, env, isNeeded }) => {
    const wrong: string[] = [];
    const tried = async ([kind, lay]: [string, (file: string) => void | Promise<void>]): Promise<void> => {
      const folder = laidOut(others);
      for (const name of files) {
        const file = path.join(folder, name);
        mkdirSync(path.dirname(file), { recursive: true });
        rmSync(file, { recursive: true, force: true });
        await lay(file);
      }
      const { exitCode, stdout, stderr } = await limited(folder, words, env);
      const said = stdout + stderr;
      const problems = [
        ![0, 2].includes(exitCode!) && "ends otherwise",
        isNeeded && kind in noFiles && exitCode !== 2 && "is taken for a file",
        exitCode === 2 && !/^error: |^fastloop\.yaml has \d+ problem/m.test(said) && "has no sentence",
        bug.test(said) && "shows a stack",
        control.test(said) && "writes to the terminal",
        said.length > 20_000 && "says too much",
        said.includes("polluted") && "believes a name",
      ].filter((problem) => typeof problem === "string");
      if (problems.length > 0) wrong.push(`${kind}: ${problems.join(", ")}: ${exitCode} ${said.slice(0, 500)}`);
      rmSync(folder, { recursive: true, force: true });
    };
    const left = Object.entries({ ...noFiles, ...contents });
    const worker = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) await tried(next);
    };
    await Promise.all([worker(), worker()]);
    expect(wrong).toEqual([]);
  },
  300_000,
);

test("a file of gigabytes that is an input is named while it is read", async () => {
  const folder = laidOut(project);
  truncateSync(path.join(folder, "src/a.txt"), 1e12);
  const child = spawn(process.execPath, [cliFile, "plan"], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  const said = await new Promise<string>((resolve) => child.stderr.setEncoding("utf8").once("data", resolve));
  expect(said).toBe("reading src/a.txt (1000.0 GB), which is an input\n");
  child.kill("SIGINT");
  expect(await new Promise((resolve) => child.once("close", (code, signal) => resolve(code ?? signal)))).toBe("SIGINT");
}, 60_000);
