// The module's life of an image, on a real registry: publish, verify, lock, fall back, prune.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { packageRoot } from "../../src/paths/index.ts";
import { startRegistry, type BenchRegistry } from "../bench/registry.ts";
import { fastloop, type CliResult } from "./cli-process.ts";
import { pushTiny } from "./tiny-image.ts";

let folder: string;
let registry: BenchRegistry;
let project: string;
let count = 0;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-pipelines-"));
  registry = await startRegistry(folder);
});
afterAll(async () => {
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  count++;
  project = path.join(folder, `project-${count}`);
  mkdirSync(path.join(project, ".git"), { recursive: true });
  mkdirSync(path.join(project, "src"));
  writeFileSync(path.join(project, "deps.txt"), `one ${folder} ${count}\n`);
  writeFileSync(path.join(project, "src/main.txt"), "hello\n");
  configure({});
});

const repository = (): string => `${registry.address}/acme/project-${count}`;

/** Writes fastloop.yaml with a base that needs no network: its tool is a script. */
function configure({
  says = "1.0",
  expected = "1.0",
  version = "1.0.0",
  at = repository(),
  tags = "",
  extra = "",
  from = "debian:bookworm-slim",
  packages = "",
  globals = "",
  user = "developer",
}): void {
  writeFileSync(
    path.join(project, "fastloop.yaml"),
    `version: 1
name: project-${count}
images:
  base:
    from: ${from}
    version: ${version}
${packages === "" ? "" : `    packages: ${packages}\n`}${globals === "" ? "" : `    globals: ${globals}\n`}    tools:
      - name: greet
        version: "${expected}"
        install: printf '#!/bin/sh\\necho greet ${says}\\n' > /usr/local/bin/greet && chmod +x /usr/local/bin/greet
        check: greet
    user: ${user}
    workdir: /app
    registry: ${at}
${tags === "" ? "" : `    tags: ${tags}\n`}  dev:
    layers:
      - name: dependencies
        files: [deps.txt]
        run: cp deps.txt /deps && cat /proc/sys/kernel/random/uuid > /installed
    sources: [src/]
${extra}`,
  );
}

const call = (...words: string[]): Promise<CliResult> =>
  fastloop(["-m", packageRoot(), "call", ...words], { cwd: project, env: reaching(words) });

/**
 * The registry and the advisories of these tests are on loopback, which a body reaches only where whoever starts it lets it
 * run without the boundary. What publishes does so through the engine.
 */
const reaching = (words: readonly string[]): NodeJS.ProcessEnv =>
  words[0] === "prune-base" || words.includes("--advisories") ? { FASTLOOP_BODIES: "host" } : {};

async function answer(...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await call(...words);
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

/** What this repository's workflow of the base image calls, on this test's registry and without a password. */
function workflowCommands(): string[] {
  const text = readFileSync(path.join(packageRoot(), ".github/workflows/base-image.yml"), "utf8");
  return [...text.matchAll(/npx fastloop call ((?:publish|prune)-base .*)$/gm)].map(([, words]) =>
    words!
      .replaceAll('"$REGISTRY"', repository())
      .replace("linux/amd64,linux/arm64", "linux/amd64")
      .replace(/ --username .*$/, ""),
  );
}

const tagsNow = async (): Promise<string[]> => {
  const response = await fetch(`http://${repository().replace("/", "/v2/")}/tags/list`);
  return ((await response.json()) as { tags: string[] | null }).tags?.toSorted() ?? [];
};
const digestOf = async (tag: string): Promise<string | null> => {
  const response = await fetch(`http://${repository().replace("/", "/v2/")}/manifests/${tag}`, {
    headers: {
      accept:
        "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json",
    },
  });
  return response.headers.get("docker-content-digest");
};

/** Has the key tags name an older image, as if that were what had been published for the description. */
async function putUnderKeys(digest: string): Promise<void> {
  const manifests = `http://${repository().replace("/", "/v2/")}/manifests`;
  const accept =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json";
  const old = await fetch(`${manifests}/${digest}`, { headers: { accept } });
  const headers = { "content-type": old.headers.get("content-type") ?? "" };
  const body = await old.text();
  for (const tag of (await tagsNow()).filter((each) => each.startsWith("key-")))
    expect((await fetch(`${manifests}/${tag}`, { method: "PUT", headers, body })).status).toBe(201);
}

describe("the base image", () => {
  test("has its tools, its user and its workdir", async () => {
    const text = await answer(
      "build-base",
      "--source",
      ".",
      "with-exec",
      "--args",
      "sh,-c,greet; id -un; pwd",
      "stdout",
    );
    expect(text).toBe("greet 1.0\ndeveloper\n/app\n");
  });

  test("and the dev image are told by the command of fastloop.yaml where one fails, in every function", async () => {
    const tool = '{ name: greet, version: "1.0", install: ["echo starting", "echo gone >&2; exit 22"] }';
    const broken = `images: { base: { from: "debian:bookworm-slim", tools: [${tool}] }, dev: {} }`;
    writeFileSync(path.join(project, "fastloop.yaml"), `version: 1\nname: broken\n${broken}\n`);
    for (const words of [
      ["build-base", "--source", ".", "sync"],
      ["explain-dev", "--source", "."],
    ]) {
      const { exitCode, stderr } = await call(...words);
      expect({ exitCode, told: stderr.slice(stderr.indexOf("error:")) }).toEqual({
        exitCode: 22,
        told: "error: echo starting; echo gone >&2; exit 22 failed with exit code 22\ngone\n",
      });
    }
  });

  test("is published under all its tags with a summary, and not built again while its description stands", async () => {
    const summary = await answer("publish-base", "--source", ".");
    expect(summary).toContain("| linux/amd64 | greet | 1.0 | greet 1.0 | ok |");
    const [base, latest, key] = await tagsNow();
    expect([base, latest, key?.slice(0, 4)]).toEqual(["base-1.0.0", "base-latest", "key-"]);
    expect(await answer("publish-base", "--source", ".")).toContain("Nothing was built.");
    configure({ extra: "# a comment changes nothing\n" });
    expect(await answer("publish-base", "--source", ".")).toContain("Nothing was built.");
  });

  test("that is not what it says is published under no tag, and the moving tag stays", async () => {
    await answer("publish-base", "--source", ".");
    const before = await digestOf("base-latest");
    configure({ says: "1.9", expected: "2.0", version: "2.0.0" });
    const { exitCode, stderr } = await call("publish-base", "--source", ".");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("greet on linux/amd64: expected 2.0, found greet 1.9");
    expect(await digestOf("base-latest")).toBe(before);
    expect(await tagsNow()).not.toContain("base-2.0.0");
  });

  test("has every form of tag that its templates ask for", async () => {
    configure({
      tags: '["base-{version}", "base-{toolchain}{toolchainVersion}", "base-{YYYY.MM.DD}", "weekly-{YYYY-MM-DD}", base-latest]',
    });
    await answer("publish-base", "--source", ".");
    expect(
      (await tagsNow()).map((tag) =>
        tag.replaceAll(/\d{4}([.-])\d\d[.-]\d\d/g, "DATE$1").replace(/[0-9a-f]{16}$/, "KEY"),
      ),
    ).toEqual(["base-DATE.", "base-1.0.0", "base-greet1.0", "base-latest", "key-KEY", "weekly-DATE-"].toSorted());
    configure({ version: "1.0.1", says: "1.0  " });
    expect(await answer("publish-base", "--source", ".", "--tags", "other-{version}")).toContain("`other-1.0.1`");
    expect(await tagsNow()).toContain("other-1.0.1");
  });

  test("that is published already gets every tag that is asked for, on the digest that is there", async () => {
    await answer("publish-base", "--source", ".");
    const digest = await digestOf("base-latest");
    const told = await answer("publish-base", "--source", ".", "--tags", "base-{version},other-{version},extra");
    expect(told).toMatch(/Nothing was built\.\nTags put on it: `other-1\.0\.0`, `extra`\n$/);
    expect([await digestOf("other-1.0.0"), await digestOf("extra"), await digestOf("base-1.0.0")]).toEqual([
      digest,
      digest,
      digest,
    ]);
    // A version that names the same content is the same image under another tag.
    configure({ version: "1.0.1" });
    expect(await answer("publish-base", "--source", ".")).toContain("Tags put on it: `base-1.0.1`\n");
    expect(await digestOf("base-1.0.1")).toBe(digest);
  });

  test("that lacks a platform that is asked for is published with all of them, and not again after that", async () => {
    await pushTiny(`${repository()}-tiny`);
    writeFileSync(
      path.join(project, "fastloop.yaml"),
      `version: 1\nname: tiny\nimages: { base: { from: "${repository()}-tiny:1", registry: ${repository()} } }\n`,
    );
    const publish = (platforms: string): Promise<string> =>
      answer("publish-base", "--source", ".", "--platforms", platforms);
    expect(await publish("linux/amd64")).toContain("## Base image");
    expect(await publish("linux/amd64")).toContain("Nothing was built.");
    expect(await publish("linux/amd64,linux/arm64")).toContain("## Base image");
    const response = await fetch(`http://${repository().replace("/", "/v2/")}/manifests/base-latest`, {
      headers: { accept: "application/vnd.oci.image.index.v1+json" },
    });
    const index = (await response.json()) as { manifests: { platform: { architecture: string } }[] };
    expect(index.manifests.map(({ platform }) => platform.architecture)).toEqual(["amd64", "arm64"]);
    expect(await publish("linux/amd64,linux/arm64")).toContain("Nothing was built.");
  });

  test(
    "is built anew by --refresh where the image that it starts from moved, and else not",
    async () => {
      const upstream = `${repository()}-upstream`;
      configure({ at: upstream, user: "root" });
      await answer("publish-base", "--source", ".");
      const onUpstream = { from: `${upstream}:base-latest` };
      configure(onUpstream);
      await answer("publish-base", "--source", ".");
      const [before, key] = [await digestOf("base-latest"), (await tagsNow()).find((tag) => tag.startsWith("key-"))!];
      expect(await answer("publish-base", "--source", ".", "--refresh")).toContain("Nothing was built.");
      configure({ at: upstream, user: "root", version: "2.0.0", says: "2.0", expected: "2.0" });
      await answer("publish-base", "--source", ".");
      configure(onUpstream);
      expect(await answer("publish-base", "--source", ".")).toContain("Nothing was built.");
      expect(await answer("publish-base", "--source", ".", "--refresh")).toMatch(
        /Built anew:\n- \S+base-latest moved from sha256:\w{12} to sha256:\w{12}\n/,
      );
      const after = await digestOf("base-latest");
      expect(after).not.toBe(before);
      expect([await digestOf(key), await digestOf("base-1.0.0")]).toEqual([after, after]);
      expect(await answer("publish-base", "--source", ".", "--refresh")).toContain("Nothing was built.");
    },
    10 * 60_000,
  );

  test(
    "is built anew by --refresh where an installation of today would bring other packages",
    async () => {
      await answer("publish-base", "--source", ".");
      const without = await digestOf("base-latest");
      configure({ packages: "[hello]" });
      await answer("publish-base", "--source", ".");
      expect(await answer("publish-base", "--source", ".", "--refresh")).toContain("Nothing was built.");
      expect(await answer("outdated-base", "--source", ".")).toMatch(/packages +up to date\n/);
      // As if it had been published before the package was there.
      await putUnderKeys(without!);
      expect(await answer("--no-cache", "outdated-base", "--source", ".")).toMatch(
        /packages +1 behind: hello \(absent\) -> \S+; run publish-base --refresh\n/,
      );
      expect(await answer("publish-base", "--source", ".", "--refresh")).toMatch(
        /Built anew:\n- hello \(absent\) -> \d/,
      );
      expect(await answer("publish-base", "--source", ".", "--refresh")).toContain("Nothing was built.");
    },
    10 * 60_000,
  );

  test(
    "is built anew by --refresh where npm would install another version of a global package without one",
    async () => {
      const from = "node:22-bookworm-slim";
      configure({ from, globals: "[semver@7.7.1]" });
      await answer("publish-base", "--source", ".");
      expect(await answer("outdated-base", "--source", ".")).toMatch(/packages +up to date\n/);
      const older = await digestOf("base-latest");
      configure({ from, globals: "[semver@^7.0.0]" });
      await answer("publish-base", "--source", ".");
      expect(await answer("publish-base", "--source", ".", "--refresh")).toContain("Nothing was built.");
      await putUnderKeys(older!);
      expect(await answer("--no-cache", "outdated-base", "--source", ".")).toMatch(
        /packages +1 behind: semver 7\.7\.1 -> 7\.\d+\.\d+; run publish-base --refresh\n/,
      );
      expect(await answer("publish-base", "--source", ".", "--refresh")).toMatch(/Built anew:\n- semver 7\.7\.1 -> 7/);
      expect(await answer("publish-base", "--source", ".", "--refresh")).toContain("Nothing was built.");
    },
    10 * 60_000,
  );

  test(
    "and all that runs on an image take it at the digest that the lock has",
    async () => {
      const nowhere = `debian@sha256:${"0".repeat(64)}`;
      writeFileSync(
        path.join(project, "fastloop.lock"),
        JSON.stringify({ version: 1, images: { "debian:bookworm-slim": nowhere } }),
      );
      configure({
        extra: `  prod: { from: "debian:bookworm-slim", copy: [/app/src/] }
scan: { tool: { image: "debian:bookworm-slim", run: "true" } }
tests:
  services: { db: { image: "debian:bookworm-slim", port: 80, command: [sleep, "9"] } }
  suites:
    plain: { image: "debian:bookworm-slim", tiers: { smoke: "true" } }
    served: { image: "${repository()}-absent:1", services: [db], tiers: { smoke: "true" } }
`,
      });
      for (const words of [
        ["build-base", "sync"],
        ["verify-base"],
        ["publish-base"],
        ["build-dev", "sync"],
        ["build-prod", "sync"],
        ["explain-dev"],
        ["test", "--suite", "plain", "--tier", "smoke"],
        ["scan"],
      ]) {
        const { exitCode, stderr } = await call(words[0]!, "--source", ".", ...words.slice(1));
        expect({ words, exitCode, named: stderr.includes("0".repeat(64)) }).toEqual({
          words,
          exitCode: 1,
          named: true,
        });
      }
    },
    10 * 60_000,
  );

  test("says whether it is published and whether its packages are behind", async () => {
    expect(await answer("outdated-base", "--source", ".")).toMatch(
      /^key +[0-9a-f]{16}\npublished +no: run publish-base\nfrom +debian:bookworm-slim is not in fastloop\.lock; today it is \S+@sha256:\w+\npackages/,
    );
  });

  test("can be verified where it is published", async () => {
    await answer("publish-base", "--source", ".");
    expect(await answer("verify-base", "--source", ".", "--image", `${repository()}:base-latest`)).toContain(
      "| greet 1.0 | ok |",
    );
  });

  test("is locked by digest", async () => {
    await answer("lock-base", "--source", ".", "export", "--path", "fastloop.lock");
    await answer("publish-base", "--source", ".");
    await answer("lock-base", "--source", ".", "export", "--path", "fastloop.lock");
    const lock = JSON.parse(readFileSync(path.join(project, "fastloop.lock"), "utf8")) as {
      images: object;
      base: { ref: string };
    };
    expect(Object.keys(lock.images)).toEqual(["debian:bookworm-slim"]);
    expect(lock.base.ref).toContain(`@${await digestOf("base-latest")}`);
  });

  test(
    "a new version of a tool goes the way of the workflow: published, verified, locked, the old image pruned",
    async () => {
      await answer("publish-base", "--source", ".");
      await answer("lock-base", "--source", ".", "export", "--path", "fastloop.lock");
      const before = await digestOf("base-latest");
      expect(await answer("build-dev", "--source", ".", "with-exec", "--args", "greet", "stdout")).toBe("greet 1.0\n");

      configure({ says: "2.0", expected: "2.0", version: "2.0.0" });
      const workflow = workflowCommands();
      expect(workflow.map((line) => line.split(" ")[0])).toEqual(["publish-base", "prune-base"]);
      expect(await answer(...workflow[0]!.split(" "))).toContain("| linux/amd64 | greet | 2.0 | greet 2.0 | ok |");
      expect(await answer("verify-base", "--source", ".", "--image", `${repository()}:base-latest`)).toContain(
        "| greet 2.0 | ok |",
      );
      const after = await digestOf("base-latest");
      expect(after).not.toBe(before);
      expect([await digestOf("base-2.0.0"), await digestOf("base-1.0.0")]).toEqual([after, before]);
      await answer("lock-base", "--source", ".", "export", "--path", "fastloop.lock");
      expect(readFileSync(path.join(project, "fastloop.lock"), "utf8")).toContain(after);
      expect(await answer("build-dev", "--source", ".", "with-exec", "--args", "greet", "stdout")).toBe("greet 2.0\n");

      expect(await answer(...workflow[1]!.split(" "), "--keep", "1")).toContain("base-1.0.0");
      expect([await digestOf("base-2.0.0"), await digestOf("base-1.0.0")]).toEqual([after, null]);
    },
    10 * 60_000,
  );

  test("old versions are pruned, the newest and what moving tags name stay", async () => {
    for (const version of ["1.0.0", "2.0.0", "3.0.0"]) {
      configure({ says: version, expected: version, version });
      await answer("publish-base", "--source", ".");
    }
    const dry = await answer("prune-base", "--source", ".", "--keep", "1", "--dry-run");
    expect(dry).toContain("kept 1 images, would delete 2 manifests");
    expect(await tagsNow()).toContain("base-1.0.0");
    expect(await answer("prune-base", "--source", ".", "--keep", "1")).toContain("base-1.0.0, base-2.0.0, key-");
    expect(await digestOf("base-1.0.0")).toBeNull();
    expect(await digestOf("base-3.0.0")).toBe(await digestOf("base-latest"));
  });
});

test("prune keeps an old image that a kept index still refers to", async () => {
  await answer("publish-base", "--source", ".");
  const old = await digestOf("base-1.0.0");
  const url = `http://${repository().replace("/", "/v2/")}/manifests`;
  const size = Buffer.byteLength(
    await (await fetch(`${url}/${old}`, { headers: { accept: "application/vnd.oci.image.manifest.v1+json" } })).text(),
  );
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const platform = { os: "linux", architecture: "amd64" };
  const manifests = [{ mediaType: "application/vnd.oci.image.manifest.v1+json", digest: old, size, platform }];
  const put = await fetch(`${url}/index-latest`, {
    method: "PUT",
    headers: { "content-type": mediaType },
    body: JSON.stringify({ schemaVersion: 2, mediaType, manifests }),
  });
  expect(put.status).toBe(201);
  configure({ says: "2.0.0", expected: "2.0.0", version: "2.0.0" });
  await answer("publish-base", "--source", ".");
  expect(await answer("prune-base", "--source", ".", "--keep", "1")).toContain("deleted 0 manifests");
  expect(await digestOf("base-1.0.0")).toBe(old);
});

test("prune reads a registry that gives 130 tags in pages of 50, and deletes nothing where it can't have the last page", async () => {
  // The newest image has the name that comes last: the last page decides.
  const tag = (day: number): string => `v${String(day).padStart(3, "0")}`;
  for (let day = 0; day < 130; day++) await pushTiny(repository(), tag(day), new Date(day * 86_400_000));
  const { address, broken, asked, stop } = await pagingRegistry(registry.address);
  try {
    configure({ at: repository().replace(registry.address, address) });
    broken.value = true;
    const refused = await call("prune-base", "--source", ".", "--keep", "3");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("tags/list");
    expect(await tagsNow()).toHaveLength(130);

    broken.value = false;
    asked.length = 0;
    const told = await answer("prune-base", "--source", ".", "--keep", "3");
    // An index and its two manifests each.
    expect(told).toContain("kept 3 images, deleted 381 manifests");
    expect(asked.filter((path) => path.endsWith("/tags/list"))).toHaveLength(3);
    const there = await Promise.all([0, 126, 127, 128, 129].map((day) => digestOf(tag(day))));
    expect(there.map((digest) => digest !== null)).toEqual([false, false, true, true, true]);
  } finally {
    await stop();
  }
}, 600_000);

/** The registry, as one whose list of tags has pages of 50: the one of these tests gives all at once. */
async function pagingRegistry(behind: string) {
  const broken = { value: false };
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const page = new URL(request.url ?? "", `http://${behind}`);
    asked.push(page.pathname);
    void (async () => {
      const { authorization: _none, host: _own, connection: _hop, ...headers } = request.headers;
      const answer = await fetch(`http://${behind}${page.pathname}`, {
        method: request.method,
        headers: headers as Record<string, string>,
      });
      let body = Buffer.from(await answer.arrayBuffer());
      response.statusCode = answer.status;
      for (const name of ["content-type", "docker-content-digest"]) {
        const value = answer.headers.get(name);
        if (value !== null) response.setHeader(name, value);
      }
      if (page.pathname.endsWith("/tags/list")) {
        const { name, tags } = JSON.parse(body.toString()) as { name: string; tags: string[] };
        const last = page.searchParams.get("last") ?? "";
        const left = tags.toSorted().filter((tag) => tag > last);
        if (left.length > 50) response.setHeader("link", `<${page.pathname}?n=50&last=${left[49]}>; rel="next"`);
        else if (broken.value) response.statusCode = 500;
        body = Buffer.from(JSON.stringify({ name, tags: left.slice(0, 50) }));
      }
      response.end(body);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const stop = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  return { address: `127.0.0.1:${port}`, broken, asked, stop };
}

test("a registry with users takes the password as a secret", async () => {
  const own = path.join(folder, "private");
  mkdirSync(own);
  // htpasswd's bcrypt of `s3cret`.
  const guarded = await startRegistry(own, "robot:$2b$04$dqmIo4jMgm.DZH5ekamLduRDyi2RI3/eUdaqGXOyUkerwrAsbBQLi");
  try {
    configure({ at: `${guarded.address}/acme/base` });
    const refused = await call("publish-base", "--source", ".");
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/401|unauthorized|authorization/i) as string,
    });
    const words = ["--username", "robot", "--password", "env://REGISTRY_PASSWORD"];
    const env = { REGISTRY_PASSWORD: "s3cret" };
    const withSecret = (...more: string[]): Promise<CliResult> =>
      fastloop(["-m", packageRoot(), "call", ...more, "--source", ".", ...words], {
        cwd: project,
        env: { ...env, ...reaching(more) },
      });
    expect(await withSecret("publish-base")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("Published `") as string,
    });
    expect(await withSecret("publish-base")).toMatchObject({
      stdout: expect.stringContaining("Nothing was built.") as string,
    });
    expect(await withSecret("prune-base")).toMatchObject({
      exitCode: 0,
      stdout: "kept 1 images, deleted 0 manifests\n",
    });
  } finally {
    await guarded.stop();
  }
});

test(
  "a failed tier is told by its command and its last lines, with its exit code, and none is measured beside another",
  async () => {
    const tests = (smoke: string, fast: string): string => `tests:
  suites:
    unit:
      image: debian:bookworm-slim
      sources: [src/]
      tiers: { smoke: ${JSON.stringify(smoke)}, fast: ${JSON.stringify(fast)} }
`;
    const words = ["test", "--source", ".", "--tier", "fast"];
    configure({ extra: tests("echo smoke runs", "echo first >&2; echo second; cat src/main.txt; exit 7") });
    const failed = await call(...words);
    expect(failed.exitCode).toBe(7);
    const told = failed.stderr.slice(failed.stderr.indexOf("error:"));
    expect(told).toMatch(
      /^error: unit fast: echo first >&2; echo second; cat src\/main\.txt; exit 7 failed with exit code 7\n *first\n *second\n *hello\n/,
    );
    expect(told).not.toContain("suites.ts");
    const verbose = await fastloop(["-v", "-m", packageRoot(), "call", ...words], { cwd: project });
    expect(verbose.stderr.match(/(?:^ *|\| )second$/gm)).toHaveLength(2); // Once as it is printed, once below the error.

    configure({ extra: tests("echo smoke fails; exit 3", "echo fast fails; exit 4") });
    const both = await call(...words);
    expect(both.exitCode).toBe(3);
    expect(both.stderr).toMatch(
      /unit smoke: echo smoke fails; exit 3 failed with exit code 3\n *smoke fails\n\n *unit fast: echo fast fails; exit 4 failed with exit code 4\n *fast fails/,
    );

    // Each waits on what the other one would have to be running for.
    const volume = "caches: { meeting: /meeting }";
    const meet = (own: string, other: string): string =>
      `touch /meeting/${own}; sleep 2; ! test -e /meeting/${other}; code=$?; rm /meeting/${own}; exit $code`;
    configure({
      extra: tests(meet("a", "b"), meet("b", "a")).replace("sources: [src/]", `sources: [src/]\n      ${volume}`),
    });
    expect(await answer(...words)).toMatch(/unit {2}smoke[^]*unit {2}fast/);
  },
  10 * 60_000,
);

describe("the dev image", () => {
  const uuid = (): Promise<string> => answer("build-dev", "--source", ".", "file", "--path", "/installed", "contents");

  test("an edit of the sources leaves the dependency layer cached, one of the manifests runs it again", async () => {
    const first = await uuid();
    writeFileSync(path.join(project, "src/main.txt"), "changed\n");
    expect(await uuid()).toBe(first);
    expect(await answer("build-dev", "--source", ".", "file", "--path", "/app/src/main.txt", "contents")).toBe(
      "changed\n",
    );
    writeFileSync(path.join(project, "deps.txt"), "two\n");
    const second = await uuid();
    expect(second).not.toBe(first);
    const fresh = ["build-dev", "--source", ".", "--no-dep-cache", "file", "--path", "/installed", "contents"];
    expect(await answer(...fresh)).not.toBe(second);
  });

  test("explain-dev tells hit from miss, and how often each layer was hit", async () => {
    expect(await answer("explain-dev", "--source", ".")).toMatch(/dependencies\s+miss\s+0 %[^]*sources\s+miss\s+0 %/);
    writeFileSync(path.join(project, "src/main.txt"), "changed\n");
    expect(await answer("explain-dev", "--source", ".")).toMatch(/dependencies\s+hit\s+50 %[^]*sources\s+miss\s+0 %/);
  });

  test("starts from the published base; without one it builds it or fails, as asked", async () => {
    const missing = await call("build-dev", "--source", ".", "--on-base-missing", "fail", "sync");
    expect(missing.exitCode).toBe(1);
    expect(missing.stderr).toContain(`in ${repository()}; publish it with \`fastloop call publish-base\``);
    const greet = ["with-exec", "--args", "greet", "stdout"];
    expect(await answer("build-dev", "--source", ".", ...greet)).toBe("greet 1.0\n");
    await answer("publish-base", "--source", ".");
    expect(await answer("build-dev", "--source", ".", "--on-base-missing", "fail", ...greet)).toBe("greet 1.0\n");
  });

  test("is built inline when the registry can't be reached, and each step of the way there is announced", async () => {
    configure({ at: "127.0.0.1:1/nowhere/base" });
    await answer("lock-base", "--source", ".", "export", "--path", "fastloop.lock");
    const { stdout, stderr } = await call("build-dev", "--source", ".", "with-exec", "--args", "greet", "stdout");
    expect(stdout).toBe("greet 1.0\n");
    expect(stderr).toMatch(/base 127\.0\.0\.1:1\/nowhere\/base:key-[0-9a-f]+ can't be had[^]*building the base inline/);
    configure({ at: repository() });
    await answer("lock-base", "--source", ".", "export", "--path", "fastloop.lock");
    await answer("publish-base", "--source", ".");
    await answer("lock-base", "--source", ".", "export", "--path", "fastloop.lock");
    const lock = readFileSync(path.join(project, "fastloop.lock"), "utf8");
    writeFileSync(
      path.join(project, "fastloop.lock"),
      lock.replace(/(key-\w+@sha256:)[0-9a-f]+/, `$1${"0".repeat(64)}`),
    );
    const stale = await call("build-dev", "--source", ".", "--on-base-missing", "fail", "sync");
    expect(stale.stderr).toMatch(/base \S+@sha256:0{64} can't be had/);
    expect(stale.exitCode).toBe(0);
  });

  test("is an archive that names itself project:dev, for a container runtime", async () => {
    await answer("dev-tarball", "--source", ".", "export", "--path", "dev.tar");
    const read = (file: string): unknown =>
      JSON.parse(execFileSync("tar", ["-xOf", path.join(project, "dev.tar"), file], { encoding: "utf8" }));
    const [image] = read("./manifest.json") as { RepoTags: string[]; Config: string; Layers: string[] }[];
    expect(image?.RepoTags).toEqual([`project-${count}:dev`]);
    const config = read(`./${image?.Config}`) as { rootfs: { diff_ids: string[] }; config: { WorkingDir: string } };
    expect(config.config.WorkingDir).toBe("/app");
    // Uncompressed layers: their names are the hashes that the configuration lists.
    expect(image?.Layers.map((layer) => layer.replace("blobs/sha256/", "sha256:"))).toEqual(config.rootfs.diff_ids);
    expect(read("./index.json")).toMatchObject({
      manifests: [{ annotations: { "io.containerd.image.name": `docker.io/library/project-${count}:dev` } }],
    });
  });

  test("is what the shell opens, sources in it", async () => {
    expect(
      await answer("shell", "--source", ".", "with-exec", "--args", "sh,-c,pwd; cat src/main.txt; greet", "stdout"),
    ).toBe("/app\nhello\ngreet 1.0\n");
  });
});

describe("what is shipped", () => {
  const prod = (from: string): string => `  prod:
    from: ${from}
    copy: [/app/src/]
    command: [cat, /app/src/main.txt]
publish: { title: project, source: https://example.com/acme/project }
`;

  test("publish names the digest and carries the labels of the commit", async () => {
    configure({ extra: prod("debian:bookworm-slim") });
    const address = `${repository()}-app:1`;
    const words = [
      "publish",
      "--source",
      ".",
      "--address",
      address,
      "--revision",
      "abc123",
      "--created",
      "2026-01-02T03:04:05Z",
    ];
    const reference = (await answer(...words)).trim();
    expect(reference).toMatch(/@sha256:[0-9a-f]{64}$/);
    expect((await answer(...words)).trim()).toBe(reference);
  });

  test("one index holds all platforms, labelled, and the same sources give the same digest at another time", async () => {
    await pushTiny(`${repository()}-tiny`);
    const yaml = `version: 1\nname: tiny\nimages: { dev: { base: "${repository()}-tiny:1", sources: [src/] } }\npublish: { source: https://example.com/acme/tiny, licenses: MIT }\n`;
    const publish = async (tag: string): Promise<string> => {
      const platforms = ["--platforms", "linux/amd64,linux/arm64"];
      const words = [
        "publish",
        "--source",
        ".",
        "--address",
        `${repository()}-tiny:${tag}`,
        ...platforms,
        "--revision",
        "abc123",
        "--created",
        "2026-01-02T03:04:05Z",
      ];
      return (await answer(...words)).trim().split("@")[1] ?? "";
    };
    writeFileSync(path.join(project, "fastloop.yaml"), yaml);
    const digest = await publish("a");
    const get = async (place: string): Promise<unknown> =>
      (
        await fetch(`http://${repository().replace("/", "/v2/")}-tiny/${place}`, {
          headers: { accept: "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json" },
        })
      ).json();
    const index = (await get(`manifests/${digest}`)) as {
      manifests: { digest: string; platform: { architecture: string } }[];
    };
    expect(index.manifests.map(({ platform }) => platform.architecture)).toEqual(["amd64", "arm64"]);
    for (const child of index.manifests) {
      const manifest = (await get(`manifests/${child.digest}`)) as { config: { digest: string } };
      expect(await get(`blobs/${manifest.config.digest}`)).toMatchObject({
        architecture: child.platform.architecture,
        config: {
          Labels: {
            "org.opencontainers.image.title": "tiny",
            "org.opencontainers.image.source": "https://example.com/acme/tiny",
            "org.opencontainers.image.licenses": "MIT",
            "org.opencontainers.image.revision": "abc123",
            "org.opencontainers.image.created": "2026-01-02T03:04:05Z",
          },
        },
      });
    }
    // The same content, written again: another time, another inode.
    rmSync(path.join(project, "src"), { recursive: true });
    mkdirSync(path.join(project, "src"));
    writeFileSync(path.join(project, "src/main.txt"), "hello\n");
    utimesSync(path.join(project, "src/main.txt"), 1_000_000_000, 1_000_000_000);
    expect(await publish("b")).toBe(digest);
  });

  test("parity passes on the same base and fails where production has another variable", async () => {
    configure({ extra: prod("debian:bookworm-slim") });
    expect(await answer("parity", "--source", ".")).toBe("dev and production agree\n");
    configure({
      extra: prod("debian:bookworm-slim").replace("    command", "    env: { MODE: production }\n    command"),
    });
    const drifted = await call("parity", "--source", ".");
    expect(drifted.exitCode).toBe(1);
    expect(drifted.stderr).toContain("| variable MODE | absent | production |");
  });

  test("scan finds what the advisories name in image and lock files, and fails from the severity on", async () => {
    const advisory = (severity: string) =>
      JSON.stringify([
        {
          id: "X-1",
          database_specific: { severity },
          affected: [
            {
              package: { ecosystem: "Debian", name: "bash" },
              ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }] }],
            },
          ],
        },
        {
          id: "X-2",
          database_specific: { severity: "LOW" },
          affected: [{ package: { ecosystem: "PyPI", name: "left-pad" }, versions: ["1.0"] }],
        },
      ]);
    writeFileSync(path.join(project, "requirements.txt"), "Left_Pad==1.0\n");
    writeFileSync(path.join(project, "advisories.json"), advisory("MEDIUM"));
    configure({ extra: "scan: { advisories: advisories.json }\n" });
    expect(await answer("scan", "--source", ".")).toMatch(
      /2 known vulnerabilities[^]*medium \| X-1 \| bash[^]*low \| X-2 \| left-pad 1\.0/,
    );
    writeFileSync(path.join(project, "advisories.json"), advisory("CRITICAL"));
    const failed = await call("scan", "--source", ".");
    expect({ exitCode: failed.exitCode, told: failed.stderr.includes("the scan fails from high on") }).toEqual({
      exitCode: 1,
      told: true,
    });
    configure({ extra: "scan: { advisories: advisories.json, ignore: [X-1] }\n" });
    expect(await answer("scan", "--source", ".")).toContain("1 known vulnerabilities");
  });

  test("scan takes its advisories from a URL as well", async () => {
    const server = createServer((_, response) =>
      response.end(
        JSON.stringify([
          {
            id: "X-9",
            affected: [
              {
                package: { ecosystem: "Debian", name: "bash" },
                ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }] }],
              },
            ],
          },
        ]),
      ),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as { port: number };
      const { exitCode, stderr } = await call(
        "scan",
        "--source",
        ".",
        "--advisories",
        `http://127.0.0.1:${port}/osv.json`,
      );
      expect({ exitCode, told: stderr.includes("| high | X-9 | bash") }).toEqual({ exitCode: 1, told: true });
    } finally {
      server.close();
    }
  });

  test("a scanner of the team's choice sees the image's files and the SBOM, and its exit code is the verdict", async () => {
    configure({
      extra: `scan: { tool: { image: "debian:bookworm-slim", run: ["grep -c SPDXRef-Package /sbom.json", "test -x /image/usr/local/bin/greet"] } }\n`,
    });
    expect(Number(await answer("scan", "--source", "."))).toBeGreaterThan(50);
    configure({ extra: `scan: { tool: { image: "debian:bookworm-slim", run: "test -e /image/usr/bin/absent" } }\n` });
    expect((await call("scan", "--source", ".")).exitCode).toBe(1);
  });

  test("the SBOM is SPDX or CycloneDX, as asked", async () => {
    writeFileSync(path.join(project, "requirements.txt"), "left-pad==1.0\n");
    const sbom = async (): Promise<unknown> => JSON.parse(await answer("sbom", "--source", ".", "contents"));
    expect(await sbom()).toMatchObject({
      spdxVersion: "SPDX-2.3",
      packages: expect.arrayContaining([expect.objectContaining({ name: "left-pad", versionInfo: "1.0" })]) as unknown,
    });
    configure({ extra: "scan: { format: cyclonedx }\n" });
    expect(await sbom()).toMatchObject({
      bomFormat: "CycloneDX",
      specVersion: "1.6",
      components: expect.arrayContaining([expect.objectContaining({ purl: "pkg:pypi/left-pad@1.0" })]) as unknown,
    });
  });
});

describe("a module of the project's own", () => {
  test(
    "that init writes passes type checks and runs the tests that init found",
    async () => {
      rmSync(path.join(project, "fastloop.yaml"));
      writeFileSync(path.join(project, "requirements.txt"), "");
      writeFileSync(
        path.join(project, "test_sum.py"),
        "import unittest\n\n\nclass Sum(unittest.TestCase):\n    def test_sum(self):\n        self.assertEqual(sum([1, 2]), 3)\n",
      );
      const plan = await fastloop(["init", "--dry-run"], { cwd: project });
      expect(plan.stdout).toContain("preset: pip # found requirements.txt");
      expect(await fastloop(["init", "--module", "--ci", "github"], { cwd: project })).toMatchObject({ exitCode: 0 });
      symlinkSync(path.join(packageRoot(), "node_modules"), path.join(project, "node_modules"));
      const tsc = path.join(packageRoot(), "node_modules/typescript/bin/tsc");
      execFileSync(process.execPath, [tsc, "--noEmit", "-p", "pipelines/tsconfig.json"], {
        cwd: project,
        encoding: "utf8",
      });
      // A body may have no packages of elsewhere.
      rmSync(path.join(project, "node_modules"));
      const { exitCode, stdout, stderr } = await fastloop(["call", "test", "--source", ".", "--tier", "fast"], {
        cwd: project,
      });
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toMatch(/^app {2}fast {2}.*1/);
    },
    10 * 60_000,
  );
});
