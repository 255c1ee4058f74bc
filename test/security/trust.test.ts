import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AskingProject } from "./asking-project.ts";

let project: AskingProject;
beforeEach(() => {
  project = new AskingProject();
});
afterEach(() => project.remove());

/** Call of a target -> what it is told to ask for. */
const asks = (): Record<string, [call: string, told: string]> => ({
  variable: ["secret --s env://TOKEN_OF_USER", "secret --s reads your variable TOKEN_OF_USER"],
  bare: ["secret --s TOKEN_OF_USER", "secret --s reads your variable TOKEN_OF_USER"],
  command: [
    `secret --s 'cmd://touch ${project.base}/ran'`,
    `secret --s runs the command \`touch ${project.base}/ran\``,
  ],
  home: ["secret --s file://~/.ssh/id", `secret --s reads ${project.home}/.ssh/id, which is outside`],
  above: ["folder --d ../home", `folder --d reads ${project.home}, which is outside`],
  absolute: [`folder --d ${project.home}/.ssh`, `folder --d reads ${project.home}/.ssh, which is outside`],
  url: [`folder --d file://${project.home}/.ssh`, `folder --d reads ${project.home}/.ssh, which is outside`],
  link: ["folder --d docs", `folder --d reads ${project.home}/.ssh, which is outside`],
  through: ["secret --s file://docs/id", `secret --s reads ${project.home}/.ssh/id, which is outside`],
  dots: ["folder --d inside/../../home", `folder --d reads ${project.home}, which is outside`],
  defaultFolder: ["linked-folder", `linked-folder --d reads ${project.home}/.ssh, which is outside`],
  defaultFile: ["linked-file", `linked-file --f reads ${project.home}/.ssh/id, which is outside`],
  socket: ["socket --s /var/run/docker.sock", "socket --s connects to the socket /"],
  service: ["service --s tcp://localhost:5432", "service --s connects to tcp://localhost:5432 from this machine"],
  export: ["made export --path ../home", `export writes to ${project.home}, which is not the repository's own`],
  hook: [
    "made export --path .git/hooks",
    `export writes to ${project.root}/.git/hooks, which is not the repository's own`,
  ],
  capitals: ["made export --path .GIT", `export writes to ${project.root}/.GIT, which is not the repository's own`],
  linked: [
    "made export --path docs/new",
    `export writes to ${project.home}/.ssh/new, which is not the repository's own`,
  ],
  core: [
    "made with-file --path x --source ../home/.ssh/id",
    `with-file --source reads ${project.home}/.ssh/id, which is outside`,
  ],
  push: [
    "made docker-build publish --address registry.example/x",
    "publish pushes registry.example/x with your credentials",
  ],
  ports: ["made docker-build up --ports 8080:80", "up opens ports of this machine (8080:80)"],
  root: [
    "made docker-build with-exec --args id --insecure-root-capabilities",
    "with-exec runs containers with root capabilities",
  ],
  environment: ["made file --path made as-env-file", "as-env-file asks the engine for `asEnvFile` with your rights"],
});

describe("what the fastloop.yaml or the module of a clone asks for", () => {
  it("is refused one by one by run, with what and where and the command; everything else runs", async () => {
    project.watch({
      ...Object.fromEntries(Object.entries(asks()).map(([name, [call]]) => [name, call])),
      fine: "fine",
      inside: "secret --s file://inside/token",
    });
    const { exitCode, stdout } = await project.run(["run"]);
    for (const [name, [, told]] of Object.entries(asks())) {
      expect(stdout, name).toContain(`run       ${name} `);
      expect(stdout, name).toMatch(
        new RegExp(
          `(fastloop\\.yaml|ci/src/index\\.ts):\\d+(:\\d+)?: ${told.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}`,
        ),
      );
    }
    expect(stdout).toMatch(/passed {4}fine/);
    expect(stdout).toMatch(/passed {4}inside/);
    expect(stdout).toContain("allow them with `fastloop trust`");
    expect(stdout).not.toContain("key-of-the-user");
    expect(stdout).not.toContain("value-of-the-user");
    expect(exitCode).toBe(2);
    expect(existsSync(path.join(project.base, "ran"))).toBe(false);
    expect(existsSync(path.join(project.root, ".git/hooks/made"))).toBe(false);
  });

  it("is looked at by no command that only asks", async () => {
    project.watch(Object.fromEntries(Object.entries(asks()).map(([name, [call]]) => [name, call])));
    for (const words of [
      ["validate"],
      ["functions"],
      ["plan"],
      ["graph"],
      ["affected"],
      ["watches", "-v"],
      ["why", "above"],
      ["run", "--help"],
      ["trust", "--show"],
    ]) {
      const { stdout, stderr } = await project.run(words);
      expect(`${stdout}${stderr}`, words.join(" ")).not.toMatch(
        /key-of-the-user|value-of-the-user|\bid\b.*\.ssh\/id\n/,
      );
    }
    expect(existsSync(path.join(project.base, "ran"))).toBe(false);
    expect((await project.run(["watches", "-v"])).stdout).not.toContain(".ssh");
    expect((await project.run(["plan"])).stdout).toMatch(
      /^refused {2}variable .*needs your trust: secret --s reads your variable TOKEN_OF_USER$/m,
    );
  });

  it("is allowed by `fastloop trust` for exactly what it is: unrelated edits need no word, another ask does", async () => {
    project.watch({ token: "secret --s env://TOKEN_OF_USER", above: "folder --d ../home" });
    const shown = await project.run(["trust", "--show"]);
    expect(shown).toMatchObject({
      exitCode: 2,
      stdout: expect.stringMatching(/^\+ secret --s reads your variable TOKEN_OF_USER {2}fastloop\.yaml:4:\d+$/m),
    });
    expect(await project.run(["trust"])).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining("is trusted with"),
    });
    expect(await project.run(["run"])).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/passed {4}token/) });
    project.watch(
      { added: "fine", renamed: "secret --s env://TOKEN_OF_USER", above: "folder --d ../home" },
      "# an unrelated line\n",
    );
    expect(await project.run(["run", "--all"])).toMatchObject({ exitCode: 0 });
    project.watch({ renamed: "secret --s env://TOKEN_OF_USER", other: "secret --s env://HOME" });
    const changed = await project.run(["trust", "--show"]);
    expect(changed.stdout).toMatch(/^ {2}secret --s reads your variable TOKEN_OF_USER/m);
    expect(changed.stdout).toMatch(/^\+ secret --s reads your variable HOME/m);
    expect(changed.stdout).toMatch(/^- folder --d reads /m);
    expect(await project.run(["run", "--all"])).toMatchObject({
      exitCode: 2,
      stdout: expect.stringMatching(/passed {4}renamed[^]*refused {3}other|refused {3}other[^]*passed {4}renamed/),
    });
    expect(await project.run(["trust", "--list"])).toMatchObject({ stdout: expect.stringContaining(project.root) });
    expect(await project.run(["trust", "--remove"])).toMatchObject({ exitCode: 0 });
    expect(await project.run(["run", "renamed"])).toMatchObject({ exitCode: 2 });
  });

  it("is asked for anew when a link leads elsewhere, or a command's script changed", async () => {
    project.write("token.sh", "echo one");
    project.watch({ link: "folder --d docs", script: "secret --s 'cmd://sh token.sh'" });
    await project.run(["trust"]);
    expect(await project.run(["run"])).toMatchObject({ exitCode: 0 });
    project.write("token.sh", `echo two; touch ${project.base}/ran`);
    rmSync(path.join(project.root, "docs"));
    symlinkSync(project.home, path.join(project.root, "docs"));
    const { exitCode, stdout } = await project.run(["run", "--all"]);
    expect({ exitCode, refused: stdout.match(/^refused +\w+/gm) }).toEqual({
      exitCode: 2,
      refused: [expect.stringContaining("link"), expect.stringContaining("script")],
    });
    expect(existsSync(path.join(project.base, "ran"))).toBe(false);
  });

  it("is allowed for one command by --trust, in CI by a variable, and never with --no-trust", async () => {
    project.watch({ token: "secret --s env://TOKEN_OF_USER" });
    expect(await project.run(["run", "--trust"])).toMatchObject({ exitCode: 0 });
    expect(await project.run(["run", "--all"])).toMatchObject({ exitCode: 2 });
    expect(await project.run(["run", "--all"], { FASTLOOP_TRUST: "1" })).toMatchObject({ exitCode: 0 });
    const { digest } = JSON.parse((await project.run(["trust", "--show", "--json"])).stdout) as { digest: string };
    expect(await project.run(["run", "--all"], { FASTLOOP_TRUST: digest })).toMatchObject({ exitCode: 0 });
    project.watch({ token: "secret --s env://TOKEN_OF_USER", more: "secret --s env://HOME" });
    expect(await project.run(["run", "--all"], { FASTLOOP_TRUST: digest })).toMatchObject({ exitCode: 2 });
    await project.run(["trust"]);
    expect(await project.run(["run", "--all", "--no-trust"])).toMatchObject({ exitCode: 2 });
  });

  it("is not needed for what the user types, but for what the module adds to it", async () => {
    project.watch({ fine: "fine" });
    expect(await project.run(["call", "secret", "--s", "env://TOKEN_OF_USER"])).toMatchObject({
      exitCode: 0,
      stdout: "got value-of-the-user",
    });
    expect(await project.run(["call", "folder", "--d", "../home/.ssh"])).toMatchObject({
      exitCode: 0,
      stdout: '["id"]',
    });
    const refused = await project.run(["call", "linked-folder"]);
    expect(refused).toMatchObject({
      exitCode: 2,
      stdout: "",
      stderr: expect.stringMatching(/ci\/src\/index\.ts:\d+: linked-folder --d reads .*this needs your trust/),
    });
    expect(await project.run(["call", "linked-folder", "--trust"])).toMatchObject({ exitCode: 0, stdout: '["id"]' });
    expect(await project.run(["call", "linked-folder", "--d", "docs"])).toMatchObject({ exitCode: 0 });
  });

  it("is no way into the home of a user whose home is a git repository", async () => {
    mkdirSync(path.join(project.home, ".git"));
    const inner = path.join(project.home, "download");
    mkdirSync(path.join(inner, "ci/src"), { recursive: true });
    for (const name of ["dagger.json", "ci/src/index.ts"])
      writeFileSync(path.join(inner, name), readFileSync(path.join(project.root, name)));
    writeFileSync(
      path.join(inner, "fastloop.yaml"),
      "version: 1\nwatch: { targets: { above: { call: secret --s file://../.ssh/id } } }\n",
    );
    expect(await project.run(["-C", inner, "run"])).toMatchObject({
      exitCode: 2,
      stdout: expect.stringContaining("needs your trust"),
    });
  });
});

describe("what the configuration itself asks for", () => {
  let server: http.Server;
  let requests: string[];
  let address: string;
  beforeEach(async () => {
    requests = [];
    server = http.createServer((request, response) => {
      requests.push(request.url ?? "");
      response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => void server.close());

  it("another engine: nothing runs on it and nothing connects to it", async () => {
    let connections = 0;
    server.on("connection", () => connections++);
    project.watch({ fine: "fine" }, `engine: { buildkit: "tcp://${address}" }\n`);
    expect(await project.run(["plan"])).toMatchObject({ stdout: expect.stringContaining("needs your trust") });
    expect(await project.run(["run"])).toMatchObject({
      exitCode: 2,
      stdout: expect.stringMatching(
        /fastloop\.yaml:5:\d+: engine\.buildkit runs everything on the BuildKit daemon tcp:/,
      ),
    });
    expect(connections).toBe(0);
  });

  it("shared caches: they are not used, which is said, and everything runs", async () => {
    project.watch({ fine: "fine" }, `cache: { from: ["${address}/a:cache"], to: ["${address}/b:cache"] }\n`);
    const ran = await project.run(["run"]);
    expect(ran).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/cache\.from uses the shared cache 127[^]*cache\.to uses the shared cache 127/),
    });
    expect((await project.run(["call", "folder", "--d", "inside"])).stderr).toContain("cache.to uses the shared cache");
    expect((await project.run(["session", "--", "true"])).stderr).toContain("cache.from uses the shared cache");
    expect(requests).toEqual([]);
  });
});
