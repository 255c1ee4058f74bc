// Images in a registry: one index for all platforms, and who may push and pull.
import { execFileSync, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiSession } from "../../src/core-api/index.ts";
import type { EngineEvent } from "../../src/engine/types.ts";
import { connectBuildkit, type BuildkitClient } from "../../src/buildkit/index.ts";
import { startRegistry, type BenchRegistry } from "../bench/registry.ts";
import { openSessionOn } from "./api-session.ts";
import { fastloop, type CliResult } from "./cli-process.ts";

interface Descriptor {
  mediaType: string;
  digest: string;
  platform?: { os: string; architecture: string };
}

interface Manifest {
  mediaType: string;
  manifests: Descriptor[];
  config: Descriptor;
  layers: Descriptor[];
}

const oci = "application/vnd.oci.image";
const docker = "application/vnd.docker.distribution.manifest";
const anyManifest = [
  `${oci}.index.v1+json`,
  `${oci}.manifest.v1+json`,
  `${docker}.list.v2+json`,
  `${docker}.v2+json`,
].join(", ");

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-publish-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("images in a registry", () => {
  let registry: BenchRegistry;
  let buildkit: BuildkitClient;
  let session: ApiSession;

  beforeAll(async () => {
    registry = await startRegistry(folder);
    buildkit = await connectBuildkit(process.env["FASTLOOP_TEST_BUILDKIT"]!);
    session = await openSessionOn(buildkit, { workdir: folder });
  });
  afterAll(async () => {
    await session.close();
    await buildkit.close();
    await registry.stop();
  });

  /** Answers one chain of fields with its last value. */
  async function ask<T = string>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
    const { data, errors } = await session.execute({ query, variables }, { signal: new AbortController().signal });
    if (errors !== undefined) throw new Error((errors[0] as { message: string }).message);
    let value: unknown = data;
    while (typeof value === "object" && value !== null && !Array.isArray(value)) value = Object.values(value)[0];
    return value as T;
  }
  /** The id of a container that a chain of calls makes. */
  const made = (platform: string, ...calls: string[]): Promise<string> =>
    ask(
      `{ container(platform: ${JSON.stringify(platform)}) { ${calls.reduceRight((inner, outer) => `${outer} { ${inner} }`, "id")} } }`,
    );
  const withFile = (name: string, contents: string): string =>
    `withNewFile(path: ${JSON.stringify(name)}, contents: ${JSON.stringify(contents)})`;
  const publish = (id: string, name: string, variants: string[], mediaTypes = "OCIMediaTypes"): Promise<string> =>
    ask(
      `query($id: ID!, $variants: [ID!]) { node(id: $id) { ... on Container { publish(address: ${JSON.stringify(`${registry.address}/${name}`)}, platformVariants: $variants, mediaTypes: ${mediaTypes}) } } }`,
      { id, variants },
    );

  async function stored<T = Manifest>(repository: string, place: string): Promise<{ content: T; type: string | null }> {
    const response = await fetch(`http://${registry.address}/v2/${repository}/${place}`, {
      headers: { accept: anyManifest },
    });
    expect(response.status, place).toBe(200);
    return { content: (await response.json()) as T, type: response.headers.get("content-type") };
  }

  it.each([
    ["OCIMediaTypes", `${oci}.index.v1+json`, `${oci}.manifest.v1+json`, `${oci}.layer.v1.tar+gzip`],
    [
      "DockerMediaTypes",
      `${docker}.list.v2+json`,
      `${docker}.v2+json`,
      "application/vnd.docker.image.rootfs.diff.tar.gzip",
    ],
  ])(
    "of two platforms are one index, published by one call (%s)",
    async (mediaTypes, indexType, manifestType, layerType) => {
      const repository = `variants/${mediaTypes.toLowerCase()}`;
      const variant = (architecture: string): Promise<string> =>
        made(`linux/${architecture}`, withFile("/machine", architecture), 'withEntrypoint(args: ["/machine"])');
      const [amd64, arm64] = await Promise.all(["amd64", "arm64"].map(variant));
      const reference = await publish(amd64!, `${repository}:1`, [arm64!], mediaTypes);
      const digest = reference.split("@")[1]!;

      const index = await stored(repository, "manifests/1");
      expect(index).toMatchObject({ type: indexType, content: { mediaType: indexType } });
      expect((await stored(repository, `manifests/${digest}`)).content).toEqual(index.content);
      expect(
        index.content.manifests.map(({ platform }) => `${platform?.os}/${platform?.architecture}`).toSorted(),
      ).toEqual(["linux/amd64", "linux/arm64"]);
      for (const { digest: child, platform } of index.content.manifests) {
        const { content, type } = await stored(repository, `manifests/${child}`);
        expect([type, content.layers.map(({ mediaType }) => mediaType)]).toEqual([manifestType, [layerType]]);
        expect((await stored<object>(repository, `blobs/${content.config.digest}`)).content).toMatchObject({
          architecture: platform!.architecture,
          config: { Entrypoint: ["/machine"] },
        });
      }
    },
  );

  it("of two platforms on one base keep what each has below, and nothing is executed for another platform", async () => {
    const base = await publish(await made("linux/amd64", withFile("/machine", "amd64")), "variants/base:1", [
      await made("linux/arm64", withFile("/machine", "arm64")),
    ]);
    const on = (platform: string): Promise<string> =>
      made(platform, `from(address: ${JSON.stringify(base)})`, withFile("/added", "added"));
    // An empty container beside the variants only carries them.
    const reference = await publish(await ask(`{ container { id } }`), "variants/app:1", [
      await on("linux/amd64"),
      await on("linux/arm64"),
    ]);
    const read = (platform: string, file: string): Promise<string> =>
      ask(
        `{ container(platform: ${JSON.stringify(platform)}) { from(address: ${JSON.stringify(reference)}) { file(path: ${JSON.stringify(file)}) { contents } } } }`,
      );
    const texts = await Promise.all(
      ["linux/amd64", "linux/arm64"].flatMap((platform) => [read(platform, "/machine"), read(platform, "/added")]),
    );
    expect(texts).toEqual(["amd64", "added", "arm64", "added"]);
  });

  it("are written to an archive once, whatever is asked of a container that is imported from it", async () => {
    const events: EngineEvent[] = [];
    const own = await openSessionOn(buildkit, { workdir: folder, onEvent: (event) => events.push(event) });
    const answerOf = async (query: string): Promise<Record<string, unknown>> => {
      const { data, errors } = await own.execute({ query }, { signal: new AbortController().signal });
      expect(errors).toBeUndefined();
      return data as Record<string, unknown>;
    };
    try {
      const mark = randomUUID();
      for (const field of [`file(path: "/x") { contents }`, `label(name: "l")`, `rootfs { entries }`, "platform"]) {
        // As the SDK asks: every question is the whole chain anew.
        const made = `container { withNewFile(path: "/x", contents: "${mark}") { withLabel(name: "l", value: "v") { asTarball { id } } } }`;
        const { container } = await answerOf(`{ ${made} }`);
        const { id } = (container as { withNewFile: { withLabel: { asTarball: { id: string } } } }).withNewFile
          .withLabel.asTarball;
        await answerOf(`{ container { import(source: "${id}") { ${field} } } }`);
      }
      const exports = events.filter((event) => event.kind === "step-done" && event.name.startsWith("exporting to"));
      expect(exports).toHaveLength(1);
    } finally {
      await own.close();
    }
  });

  it("of one platform twice are refused with its name", async () => {
    const id = await made("linux/amd64", withFile("/x", "x"));
    await expect(publish(id, "variants/twice:1", [id])).rejects.toThrow(/duplicate platform "linux\/amd64"/);
  });

  it("and Zstandard layers are imported, and what a layer removes, where tar cannot read them", async () => {
    const base = await publish(
      await made("linux/amd64", withFile("/d/gone", ""), withFile("/d/kept", "")),
      "zstandard/base:1",
      [],
    );
    const archive = await ask(
      `{ container { from(address: ${JSON.stringify(base)}) { withoutFile(path: "/d/gone") { ${withFile("/added", "")} { asTarball(forcedCompression: Zstd) { id } } } } } }`,
    );
    const { PATH } = process.env;
    // What set-up needs, without zstd.
    const bin = path.join(folder, "tools");
    mkdirSync(bin);
    symlinkSync(execFileSync("which", ["tar"], { encoding: "utf8" }).trim(), path.join(bin, "tar"));
    process.env["PATH"] = bin;
    const imported = ask<string[]>(
      `query($source: ID!) { container { import(source: $source) { rootfs { glob(pattern: "**") } } } }`,
      { source: archive },
    );
    expect(await imported.finally(() => (process.env["PATH"] = PATH))).toEqual(["added", "d/", "d/kept"]);
  });
});

const password = "correct-horse-9f2c7a1be4";
/** `htpasswd`'s bcrypt of the password. */
const htpasswd = "robot:$2b$04$dqmIo4jMgm.DZH5ekamLduSMzD9Xuvy58nZl6m7MmDd1/eQLmhIze";
const basic = Buffer.from(`robot:${password}`).toString("base64");

const moduleSource = `
import { dag, func, object, type Container, type Secret } from "@dagger.io/dagger"

@object()
export class Images {
  @func({ cache: "never" })
  push(address: string, text: string, password?: Secret): Promise<string> {
    return this.container(address, password).withNewFile("/text", text).publish(address)
  }

  @func({ cache: "never" })
  read(address: string, password?: Secret): Promise<string> {
    return this.container(address, password).from(address).file("/text").contents()
  }

  /** What a Dockerfile finds in an image. */
  @func({ cache: "never" })
  build(address: string): Promise<string> {
    const lines = ["FROM debian:bookworm-slim", "COPY --from=" + address + " /text /", "RUN tr a-z A-Z < /text > /loud"]
    return dag.directory().withNewFile("Dockerfile", lines.join("\\n")).dockerBuild().file("/loud").contents()
  }

  private container(address: string, password?: Secret): Container {
    return password === undefined ? dag.container() : dag.container().withRegistryAuth(address, "robot", password)
  }
}
`;

describe("a registry with users", () => {
  let registry: BenchRegistry;
  let project = "";
  const told: string[] = [];
  const address = (name: string): string => `${registry.address}/team/${name}:1`;

  beforeAll(async () => {
    project = path.join(folder, "project");
    mkdirSync(path.join(project, ".git"), { recursive: true });
    mkdirSync(path.join(project, "ci/src"), { recursive: true });
    writeFileSync(
      path.join(project, "dagger.json"),
      '{"name":"images","engineVersion":"v0.21.4","sdk":"typescript","source":"ci"}',
    );
    writeFileSync(path.join(project, "ci/src/index.ts"), moduleSource);
    const place = path.join(folder, "guarded");
    mkdirSync(place);
    registry = await startRegistry(place, htpasswd);
  });
  afterAll(() => registry.stop());

  /** Calls without any Docker configuration but the given one. */
  async function call(words: string[], env: NodeJS.ProcessEnv = {}): Promise<CliResult> {
    const result = await fastloop(["call", "-v", ...words], {
      cwd: project,
      env: { DOCKER_CONFIG: path.join(folder, "none"), ...env },
    });
    told.push(result.stdout, result.stderr);
    return result;
  }

  function dockerConfig(name: string, content: object): string {
    const place = path.join(folder, name);
    mkdirSync(place, { recursive: true });
    writeFileSync(path.join(place, "config.json"), JSON.stringify(content));
    return place;
  }

  /** A `docker-credential-NAME` that answers for this registry only; the folder that has it. */
  function helper(name: string, secret: string): string {
    const bin = path.join(folder, "bin");
    mkdirSync(bin, { recursive: true });
    const answer = JSON.stringify({ ServerURL: registry.address, Username: "robot", Secret: secret });
    const script = `#!/bin/sh\n[ "$1" = get ] && [ "$(cat)" = "${registry.address}" ] && echo '${answer}' && exit 0\necho "credentials not found in native keychain"\nexit 1\n`;
    writeFileSync(path.join(bin, `docker-credential-${name}`), script, { mode: 0o755 });
    return bin;
  }

  /** Publishes and reads back. */
  async function roundTrip(name: string, env: NodeJS.ProcessEnv, more: string[] = []): Promise<void> {
    const pushed = await call(["push", "--address", address(name), "--text", name, ...more], env);
    expect(pushed.stderr).not.toContain("error:");
    expect(pushed).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/@sha256:[0-9a-f]{64}$/) as string });
    expect(await call(["read", "--address", address(name), ...more], env)).toMatchObject({ exitCode: 0, stdout: name });
  }

  it("takes the password of withRegistryAuth, and keeps those out who have none", async () => {
    await roundTrip("by-secret", { PASSWORD: password }, ["--password", "env://PASSWORD"]);
    for (const words of [
      ["read", "--address", address("by-secret")],
      ["push", "--address", address("anonymous"), "--text", "x"],
    ]) {
      expect(await call(words)).toMatchObject({
        exitCode: 1,
        stdout: "",
        stderr: expect.stringMatching(
          /error: [^\n]*team\/(by-secret|anonymous):1[^\n]*401 Unauthorized \(no password is known for 127\.0\.0\.1:\d+: see withRegistryAuth, or docker login\)/,
        ) as string,
      });
    }
  });

  it("takes the password of the Docker configuration", async () => {
    await roundTrip("by-auths", {
      DOCKER_CONFIG: dockerConfig("auths", { auths: { [registry.address]: { auth: basic } } }),
    });
  });

  it.each(["credHelpers", "credsStore"])("takes the password of a credential helper (%s)", async (kind) => {
    const bin = helper("fastlooptest", password);
    const config =
      kind === "credsStore" ? { credsStore: "fastlooptest" } : { credHelpers: { [registry.address]: "fastlooptest" } };
    await roundTrip(`by-${kind.toLowerCase()}`, {
      DOCKER_CONFIG: dockerConfig(kind, config),
      PATH: `${bin}:${process.env["PATH"]}`,
    });
  });

  it("serves Dockerfiles and a shared cache with the password of the Docker configuration, and not without", async () => {
    const words = ["build", "--address", address("by-secret")];
    const env = { DOCKER_CONFIG: dockerConfig("auths", { auths: { [registry.address]: { auth: basic } } }) };
    writeFileSync(path.join(project, "fastloop.yaml"), `version: 1\ncache:\n  to: [${address("cache")}]\n`);
    const { exitCode, stdout, stderr } = await call(words, { ...env, FASTLOOP_TRUST: "1" });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "BY-SECRET" });
    // What a Dockerfile ran is worth keeping too.
    expect(stderr).toMatch(/wrote cache 127\.0\.0\.1:\d+\/team\/cache:1 in/);
    expect(await call(words)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("401 Unauthorized (no password is known for") as string,
    });
    rmSync(path.join(project, "fastloop.yaml"));
  });

  it("is not entered with a wrong password, and the error says whose it was", async () => {
    const wrong = `${password}-not`;
    const refused = (origin: string): RegExp =>
      new RegExp(`error: [^\\n]*401 Unauthorized \\(127\\.0\\.0\\.1:\\d+ refused the user "robot" of ${origin}\\)`);
    const read = ["read", "--address", address("by-secret")];
    const auths = dockerConfig("wrong", { auths: { [registry.address]: { username: "robot", password: wrong } } });
    const outcomes = [
      [await call([...read, "--password", "env://PASSWORD"], { PASSWORD: wrong }), "withRegistryAuth"],
      [
        await call(["push", "--address", address("refused"), "--text", "x", "--password", "env://PASSWORD"], {
          PASSWORD: wrong,
        }),
        "withRegistryAuth",
      ],
      [await call(read, { DOCKER_CONFIG: auths }), path.join(auths, "config.json")],
    ] as const;
    for (const [outcome, origin] of outcomes)
      expect(outcome).toMatchObject({
        exitCode: 1,
        stdout: "",
        stderr: expect.stringMatching(refused(origin)) as string,
      });
    // What a container brings along counts before the configuration.
    expect(
      await call([...read, "--password", "env://PASSWORD"], { DOCKER_CONFIG: auths, PASSWORD: password }),
    ).toMatchObject({ exitCode: 0, stdout: "by-secret" });
  });

  it("names a credential helper that is missing or fails, where the registry wants a password", async () => {
    const config = dockerConfig("missing", { credHelpers: { [registry.address]: "fastloopmissing" } });
    const { exitCode, stderr } = await call(["read", "--address", address("by-secret")], { DOCKER_CONFIG: config });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("docker-credential-fastloopmissing");
  });

  it("finds its password in nothing that was said, in no file of the engine and in no record", () => {
    for (const text of told) for (const secret of [password, basic]) expect(text).not.toContain(secret);
    const having = (place: string): string =>
      spawnSync("grep", ["-rlaFs", "-D", "skip", "-e", password, "-e", basic, place], { encoding: "utf8" }).stdout;
    expect(having(project)).toBe("");
    expect(having(process.env["XDG_STATE_HOME"]!)).toBe("");
    // The words are found where they are.
    expect(having(path.join(folder, "auths"))).not.toBe("");
  });
});
