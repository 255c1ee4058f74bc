// The module's life of an image, on a real registry: publish, verify, lock, fall back, prune.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { packageRoot } from "../../src/engine/embedded/daemon/paths.ts";
import { startRegistry, type BenchRegistry } from "../bench/registry.ts";
import { fastloop, type CliResult } from "./cli-process.ts";

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
function configure({ says = "1.0", expected = "1.0", version = "1.0.0", at = repository(), extra = "" }): void {
  writeFileSync(
    path.join(project, "fastloop.yaml"),
    `version: 1
name: project-${count}
images:
  base:
    from: debian:bookworm-slim
    version: ${version}
    tools:
      - name: greet
        version: "${expected}"
        install: printf '#!/bin/sh\\necho greet ${says}\\n' > /usr/local/bin/greet && chmod +x /usr/local/bin/greet
        check: greet
    user: developer
    workdir: /app
    registry: ${at}
  dev:
    layers:
      - name: dependencies
        files: [deps.txt]
        run: cp deps.txt /deps && cat /proc/sys/kernel/random/uuid > /installed
    sources: [src/]
${extra}`,
  );
}

const call = (...words: string[]): Promise<CliResult> => fastloop(["-m", packageRoot(), "call", ...words], { cwd: project });

async function answer(...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await call(...words);
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

const tagsNow = async (): Promise<string[]> => {
  const response = await fetch(`http://${repository().replace("/", "/v2/")}/tags/list`);
  return ((await response.json()) as { tags: string[] | null }).tags?.toSorted() ?? [];
};
const digestOf = async (tag: string): Promise<string | null> => {
  const response = await fetch(`http://${repository().replace("/", "/v2/")}/manifests/${tag}`, {
    headers: { accept: "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json" },
  });
  return response.headers.get("docker-content-digest");
};

describe("the base image", () => {
  test("has its tools, its user and its workdir", async () => {
    const text = await answer("build-base", "--source", ".", "with-exec", "--args", "sh,-c,greet; id -un; pwd", "stdout");
    expect(text).toBe("greet 1.0\ndeveloper\n/app\n");
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

  test("can be verified where it is published", async () => {
    await answer("publish-base", "--source", ".");
    expect(await answer("verify-base", "--source", ".", "--image", `${repository()}:base-latest`)).toContain("| greet 1.0 | ok |");
  });

  test("is locked by digest", async () => {
    await answer("lock-base", "--source", ".", "export", "--path", "fastloop.lock");
    await answer("publish-base", "--source", ".");
    await answer("lock-base", "--source", ".", "export", "--path", "fastloop.lock");
    const lock = JSON.parse(readFileSync(path.join(project, "fastloop.lock"), "utf8")) as { images: object; base: { ref: string } };
    expect(Object.keys(lock.images)).toEqual(["debian:bookworm-slim"]);
    expect(lock.base.ref).toContain(`@${await digestOf("base-latest")}`);
  });

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

describe("the dev image", () => {
  const uuid = (): Promise<string> => answer("build-dev", "--source", ".", "file", "--path", "/installed", "contents");

  test("an edit of the sources leaves the dependency layer cached, one of the manifests runs it again", async () => {
    const first = await uuid();
    writeFileSync(path.join(project, "src/main.txt"), "changed\n");
    expect(await uuid()).toBe(first);
    expect(await answer("build-dev", "--source", ".", "file", "--path", "/app/src/main.txt", "contents")).toBe("changed\n");
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

  test("is built inline when the registry can't be reached", async () => {
    configure({ at: "127.0.0.1:1/nowhere/base" });
    expect(await answer("build-dev", "--source", ".", "with-exec", "--args", "greet", "stdout")).toBe("greet 1.0\n");
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
    const words = ["publish", "--source", ".", "--address", address, "--revision", "abc123", "--created", "2026-01-02T03:04:05Z"];
    const reference = (await answer(...words)).trim();
    expect(reference).toMatch(/@sha256:[0-9a-f]{64}$/);
    expect((await answer(...words)).trim()).toBe(reference);
  });

  test("parity passes on the same base and fails where production has another variable", async () => {
    configure({ extra: prod("debian:bookworm-slim") });
    expect(await answer("parity", "--source", ".")).toBe("dev and production agree\n");
    configure({ extra: prod("debian:bookworm-slim").replace("    command", "    env: { MODE: production }\n    command") });
    const drifted = await call("parity", "--source", ".");
    expect(drifted.exitCode).toBe(1);
    expect(drifted.stderr).toContain("| variable MODE | absent | production |");
  });

  test("scan finds what the advisories name in image and lock files, and fails from the severity on", async () => {
    const advisory = (severity: string) =>
      JSON.stringify([
        { id: "X-1", database_specific: { severity }, affected: [{ package: { ecosystem: "Debian", name: "bash" }, ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }] }] }] },
        { id: "X-2", database_specific: { severity: "LOW" }, affected: [{ package: { ecosystem: "PyPI", name: "left-pad" }, versions: ["1.0"] }] },
      ]);
    writeFileSync(path.join(project, "requirements.txt"), "Left_Pad==1.0\n");
    writeFileSync(path.join(project, "advisories.json"), advisory("MEDIUM"));
    configure({ extra: "scan: { advisories: advisories.json }\n" });
    expect(await answer("scan", "--source", ".")).toMatch(/2 known vulnerabilities[^]*medium \| X-1 \| bash[^]*low \| X-2 \| left-pad 1\.0/);
    writeFileSync(path.join(project, "advisories.json"), advisory("CRITICAL"));
    const failed = await call("scan", "--source", ".");
    expect({ exitCode: failed.exitCode, told: failed.stderr.includes("the scan fails from high on") }).toEqual({ exitCode: 1, told: true });
  });
});
