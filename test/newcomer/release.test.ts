/**
 * The release's publishing, to a real registry on loopback (Verdaccio). With FASTLOOP_NEWCOMER only (nightly), as it installs
 * that registry first.
 */
import { execFileSync, spawn, spawnSync, type SpawnSyncReturns } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../src/paths/index.ts";
import { startNpmRegistry, type NpmRegistry } from "./npm-registry.ts";

const isAsked = (process.env["FASTLOOP_NEWCOMER"] ?? "") !== "";
const engine = "@fastloop/engine-linux-x64";
let folder: string;
let registry: NpmRegistry;
let address: string;

beforeAll(async () => {
  if (!isAsked) return;
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-release-"));
  registry = await startNpmRegistry(folder);
  ({ address } = registry);
}, 10 * 60_000);

afterAll(() => {
  registry?.stop();
  if (isAsked) rmSync(folder, { recursive: true, force: true });
});

/** A folder with fastloop and an engine package of a version, as small as a package can be. */
function packed(name: string, version: string, text = ""): string {
  const target = path.join(folder, name);
  mkdirSync(target, { recursive: true });
  const manifests = [
    { name: engine, version },
    { name: "fastloop", version, optionalDependencies: { [engine]: version } },
  ];
  for (const manifest of manifests) {
    const source = path.join(folder, `${name}-sources`, manifest.name);
    mkdirSync(source, { recursive: true });
    writeFileSync(path.join(source, "package.json"), JSON.stringify(manifest));
    writeFileSync(path.join(source, "text.txt"), text);
    execFileSync("npm", ["pack", "--silent", "--pack-destination", target], { cwd: source });
  }
  return target;
}

const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => {
  const outside = Object.entries(process.env).filter(
    ([name]) => !/^(GITHUB|ACTIONS|CI$|NPM_CONFIG|npm_config)/.test(name),
  );
  return { ...Object.fromEntries(outside), NPM_CONFIG_USERCONFIG: registry.npmrc, ...more };
};

const publishing = [path.join(packageRoot(), "tools/release/packages.mjs"), "publish"];
const publish = (target: string, more?: NodeJS.ProcessEnv): SpawnSyncReturns<string> =>
  spawnSync(process.execPath, [...publishing, target], { env: environment(more), encoding: "utf8" });

const published = async (name: string): Promise<string[]> => {
  const answer = await fetch(`${address}${name.replace("/", "%2f")}`);
  return answer.ok ? Object.keys(((await answer.json()) as { versions: object }).versions) : [];
};

describe.skipIf(!isAsked)("publishing", () => {
  test("puts all packages into the registry, and a second time says that they are there", async () => {
    const target = packed("one", "1.0.0");
    expect(publish(target)).toMatchObject({ status: 0, stderr: "" });
    expect(await published("fastloop")).toEqual(["1.0.0"]);
    expect(await published(engine)).toEqual(["1.0.0"]);
    const again = publish(target);
    expect(again.status).toBe(0);
    expect(again.stdout.match(/is published already/g)).toHaveLength(2);
  });

  test("goes on where it stopped", async () => {
    const target = packed("half", "1.1.0");
    const file = path.join(target, "fastloop-engine-linux-x64-1.1.0.tgz");
    execFileSync("npm", ["publish", file, "--silent"], { cwd: folder, env: environment() });
    const rest = publish(target);
    expect(rest).toMatchObject({ status: 0 });
    expect(rest.stdout).toContain(`${engine}@1.1.0 is published already`);
    expect(await published("fastloop")).toContain("1.1.0");
  });

  test("refuses what is published with another content, and publishes nothing then", async () => {
    const first = packed("first", "1.2.0");
    execFileSync("npm", ["publish", path.join(first, "fastloop-1.2.0.tgz"), "--silent"], {
      cwd: folder,
      env: environment(),
    });
    const other = publish(packed("other", "1.2.0", "another"));
    expect(other.status).toBe(1);
    expect(other.stderr).toContain("fastloop@1.2.0 is published with another content");
    expect(await published(engine)).not.toContain("1.2.0");
  });

  test("refuses a tag that is not the version", async () => {
    const refused = publish(packed("tagged", "1.3.0"), { GITHUB_REF_TYPE: "tag", GITHUB_REF_NAME: "v1.2.9" });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("the tag is v1.2.9, and package.json says 1.3.0");
    expect(await published("fastloop")).not.toContain("1.3.0");
  });

  test("refuses a set that lacks an engine", async () => {
    const target = packed("lacking", "1.4.0");
    rmSync(path.join(target, "fastloop-engine-linux-x64-1.4.0.tgz"));
    expect(publish(target).stderr).toContain(`${engine}@1.4.0 is not in ${target}`);
    expect(await published("fastloop")).not.toContain("1.4.0");
  });

  test("publishes what precedes a version under a tag of its own", async () => {
    expect(publish(packed("next", "2.0.0-rc.1"))).toMatchObject({ status: 0 });
    const tags = (await (await fetch(`${address}-/package/fastloop/dist-tags`)).json()) as object;
    expect(tags).toMatchObject({ next: "2.0.0-rc.1" });
    expect(tags).not.toMatchObject({ latest: "2.0.0-rc.1" });
  });
});

describe.skipIf(!isAsked)("in a workflow", () => {
  const workflow = {
    GITHUB_ACTIONS: "true",
    GITHUB_SERVER_URL: "https://github.example",
    GITHUB_REPOSITORY: "some/where",
    GITHUB_REF: "refs/tags/v3.0.0",
    GITHUB_REF_TYPE: "tag",
    GITHUB_REF_NAME: "v3.0.0",
  };

  test("without the right to prove where packages come from, nothing is published", async () => {
    expect(publish(packed("unproved", "3.0.0"), workflow).stderr).toContain("id-token: write");
    expect(await published("fastloop")).not.toContain("3.0.0");
  });

  test("npm asks the workflow's service for the proof", async () => {
    const asked: (string | undefined)[] = [];
    const service: Server = createServer((request, response) => {
      asked.push(request.headers.authorization);
      response.writeHead(403).end();
    });
    await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
    const { port } = service.address() as AddressInfo;
    const env = environment({
      ...workflow,
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/token?x=1`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "of-the-job",
    });
    const child = spawn(process.execPath, [...publishing, packed("proved", "3.0.0")], { env, stdio: "ignore" });
    const status = await new Promise((resolve) => child.once("exit", resolve));
    service.close();
    // The service refuses, so there is no proof and no package.
    expect(status).toBe(1);
    expect(asked).toContain("Bearer of-the-job");
    expect(await published("fastloop")).not.toContain("3.0.0");
  });

  test("packages name the repository that they are built in", async () => {
    // @ts-expect-error plain JavaScript
    const { repositoryFields } = (await import("../../tools/release/repository.mjs")) as {
      repositoryFields: (env: NodeJS.ProcessEnv) => object;
    };
    expect(repositoryFields(workflow)).toEqual({
      repository: { type: "git", url: "git+https://github.example/some/where.git" },
      homepage: "https://github.example/some/where#readme",
      bugs: "https://github.example/some/where/issues",
    });
    expect(repositoryFields({})).toEqual({});
    expect(JSON.parse(readFileSync(path.join(packageRoot(), "package.json"), "utf8"))).not.toHaveProperty("repository");
  });
});
