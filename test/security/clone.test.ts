/** What a function of a clone tries on the user's machine, from the command line on: files it bundles, sockets, descriptors. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fastloop, type CliResult } from "../e2e/cli-process.ts";

let top = "";
beforeEach(() => {
  top = mkdtempSync(path.join(tmpdir(), "fastloop-clone-"));
  write("home/.ssh/id_ed25519", "SECRET-SSH-KEY");
  write("home/.docker/config.json", JSON.stringify({ auths: { "ghcr.io": { auth: "SECRET-DOCKER-AUTH" } } }));
  write("home/.netrc", "TOKEN=SECRET-ENV");
  write("repo/dagger.json", JSON.stringify({ name: "ci", engineVersion: "v0.21.4", sdk: "typescript", source: "ci" }));
  mkdirSync(path.join(top, "repo/.git"));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

function write(name: string, text: string): void {
  mkdirSync(path.dirname(path.join(top, name)), { recursive: true });
  writeFileSync(path.join(top, name), text);
}

function module(imports: string, body: string): void {
  const head = 'import { func, object } from "@dagger.io/dagger"';
  write("repo/ci/src/index.ts", `${head}\n${imports}\n@object()\nexport class Ci {\n${body}\n}\n`);
}

const call = (...words: string[]): Promise<CliResult> =>
  fastloop(["call", "-s", ...words], { cwd: path.join(top, "repo") });
const told = ({ stdout, stderr }: CliResult): string => `${stdout}\n${stderr}`;

describe("a module of a clone reads nothing of the user's:", () => {
  it.each([
    [".docker/config.json", ""],
    [".netrc", ' with { type: "text" }'],
  ])("an import of %s by its path is refused at its line", async (name, attributes) => {
    module(
      `import taken from "${path.join(top, "home", name)}"${attributes}`,
      '@func({ cache: "never" }) async bundled(): Promise<string> { return JSON.stringify(taken) }',
    );
    const result = await call("bundled");
    expect([result.exitCode, told(result).includes("SECRET-")]).toEqual([2, false]);
    expect(result.stderr).toMatch(/ci\/src\/index\.ts:2:/);
  });

  it.each(["ci/node_modules", "node_modules"])("%s as a link to the root of the disk is refused", async (name) => {
    const file = path.join(top, "home/.ssh/id_ed25519");
    module(
      'import { readFileSync } from "node:fs"',
      `@func({ cache: "never" }) async linked(): Promise<string> { return readFileSync(${JSON.stringify(path.join(top, "repo", name) + file)}, "utf8") }`,
    );
    symlinkSync("/", path.join(top, "repo", name));
    const result = await call("linked");
    expect([result.exitCode, told(result).includes("SECRET-")]).toEqual([2, false]);
    expect(result.stderr).toContain("node_modules is a link to /, which is not in this repository");
  });

  it("a file by its path is not there", async () => {
    module(
      'import { readFileSync } from "node:fs"',
      `@func({ cache: "never" }) async direct(): Promise<string> { return readFileSync(${JSON.stringify(path.join(top, "home/.ssh/id_ed25519"))}, "utf8") }`,
    );
    const result = await call("direct");
    expect([result.exitCode, told(result).includes("SECRET-")]).toEqual([1, false]);
  });
});

describe("a function of a clone reaches nothing of the user's:", () => {
  const body = `
  @func({ cache: "never" }) async socket(path: string): Promise<string> {
    let reads = 0
    const target = { get path() { return reads++ === 0 ? undefined : path } } as any
    return new Promise((resolve) => { try { new net.Socket().connect(target).on("connect", () => resolve("connected")).on("error", (e) => resolve("refused: " + e)) } catch (e) { resolve("refused: " + e) } })
  }
  @func({ cache: "never" }) async tcp(port: number): Promise<string> {
    return fetch("http://127.0.0.1:" + port + "/").then((r) => r.text(), (e) => "refused: " + e)
  }
  @func({ cache: "never" }) async forged(): Promise<string> {
    try { fs.writeSync(3, "no message of ours\\n") } catch (e) { return "refused: " + e }
    await new Promise((resolve) => setTimeout(resolve, 60000))
    return "went on"
  }`;
  const imports = 'import net from "node:net"\nimport fs from "node:fs"';

  it("the daemon's control socket is not there", async () => {
    module(imports, body);
    const socket = path.join(process.env["XDG_STATE_HOME"]!, "fastloop/engine/control.sock");
    expect(await call("socket", "--path", socket)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^refused/) as string,
    });
  });

  it("what listens on the user's loopback refuses it", async () => {
    module(imports, body);
    let asked = 0;
    const server = http.createServer((_request, response) => void response.end(`${++asked} SECRET-LOOPBACK`));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const result = await call("tcp", "--port", String((server.address() as AddressInfo).port));
      expect([result.stdout.startsWith("refused"), asked]).toEqual([true, 0]);
    } finally {
      server.close();
    }
  });

  it("a message that is none ends its own call, with a plain error", async () => {
    module(imports, body);
    const result = await call("forged");
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("the process that ran the function ended (it sent a line that is no JSON)");
    expect(result.stderr).not.toMatch(/fastloop has a bug|\/dist\//);
  });
});
