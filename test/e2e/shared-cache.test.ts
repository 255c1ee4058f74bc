import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiSession } from "../../src/core-api/index.ts";
import { connectBuildkit, type BuildkitClient } from "../../src/buildkit/index.ts";
import type { EngineEvent, SharedCache } from "../../src/engine/types.ts";
import { startRegistry, type BenchRegistry } from "../bench/registry.ts";
import { openSessionOn } from "./api-session.ts";
import { startPrivateBuildkitd, type PrivateBuildkitd } from "./private-buildkitd.ts";

const large = 1_200;

describe("a cache in a registry", () => {
  let folder = "";
  let registry: BenchRegistry;
  let machines: { buildkitd: PrivateBuildkitd; client: BuildkitClient; workdir: string }[];
  const events: EngineEvent[] = [];
  const notices = (): string[] => events.flatMap((event) => (event.kind === "notice" ? [event.text] : []));

  /** Two machines: caches, checkouts and file times of their own. */
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "shared-cache-"));
    registry = await startRegistry(folder);
    machines = await Promise.all(
      ["one", "other"].map(async (name) => {
        const workdir = path.join(folder, name);
        mkdirSync(path.join(workdir, "src"), { recursive: true });
        for (let index = 0; index < large; index++) writeFileSync(path.join(workdir, "src", `f${index}`), `${index}`);
        const buildkitd = await startPrivateBuildkitd();
        return { buildkitd, client: await connectBuildkit(buildkitd.address), workdir };
      }),
    );
  });
  afterAll(async () => {
    for (const { client, buildkitd } of machines) {
      await client.close();
      await buildkitd.stop();
    }
    await registry.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function inSession<T>(
    machine: number,
    cache: SharedCache,
    work: (session: ApiSession) => Promise<T>,
  ): Promise<T> {
    const { client, workdir } = machines[machine]!;
    const session = await openSessionOn(client, { workdir, onEvent: (event) => events.push(event), cache });
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  }

  /** What a command printed that prints something else each time that it runs. */
  async function output(session: ApiSession, mark: string): Promise<string> {
    const { signal } = new AbortController();
    const source = await session.execute({ query: `{ host { directory(path: "src") { id } } }` }, { signal });
    const { id } = (source.data as { host: { directory: { id: string } } }).host.directory;
    const args = JSON.stringify(["sh", "-c", `ls /src | wc -l; cat /proc/sys/kernel/random/uuid; echo ${mark}`]);
    const query = `query($id: ID!) { container { from(address: "debian:bookworm-slim") { withMountedDirectory(path: "/src", source: $id) { withExec(args: ${args}) { stdout } } } } }`;
    const answer = await session.execute({ query, variables: { id } }, { signal });
    expect(answer.errors).toBeUndefined();
    return (answer.data as { container: { from: { withMountedDirectory: { withExec: { stdout: string } } } } })
      .container.from.withMountedDirectory.withExec.stdout;
  }

  const at = (name: string): SharedCache["from"] => [
    { type: "registry", attrs: { ref: `${registry.address}/${name}:cache` } },
  ];
  const steps = (): EngineEvent[] =>
    events.filter((event) => event.kind === "step-done" && event.name.startsWith("sh -c"));

  it("saves another machine what the first one ran, also over a large tree", async () => {
    const mark = randomUUID();
    events.length = 0;
    const first = await inSession(0, { from: at("shop"), to: at("shop") }, async (session) => {
      const text = await output(session, mark);
      expect(await session.exportCaches(new AbortController().signal)).toEqual([
        expect.stringMatching(/^wrote cache 127\.0\.0\.1:\d+\/shop:cache in \d+\.\d s$/),
      ]);
      return text;
    });
    // Nobody had written the cache before: that is no news.
    expect(notices()).toEqual([]);
    expect(first).toContain(`${large}\n`);

    events.length = 0;
    const other = await inSession(1, { from: at("shop"), to: [] }, (session) => output(session, mark));
    expect(other).toBe(first);
    expect(steps().filter((event) => "cached" in event && !event.cached)).toEqual([]);
    expect(notices()).toEqual([]);
  });

  it("that refuses connections is a notice, and the command runs", async () => {
    events.length = 0;
    const cache = [{ type: "registry", attrs: { ref: "127.0.0.1:1/nothing:cache" } }];
    const text = await inSession(0, { from: cache, to: cache }, async (session) => {
      const result = await output(session, randomUUID());
      expect(await session.exportCaches(new AbortController().signal)).toEqual([
        expect.stringMatching(/^cache 127\.0\.0\.1:1\/nothing:cache is not written: connect ECONNREFUSED/),
      ]);
      return result;
    });
    expect(text).toContain(`${large}\n`);
    expect(notices()).toEqual([
      expect.stringMatching(/^cache 127\.0\.0\.1:1\/nothing:cache is not used: connect ECONNREFUSED/),
    ]);
  });

  it("that does not answer costs three seconds, once", async () => {
    const silent = net.createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as net.AddressInfo;
    const cache: SharedCache = {
      from: [{ type: "registry", attrs: { ref: `127.0.0.1:${port}/silent:cache` } }],
      to: [],
    };
    events.length = 0;
    const startedAt = performance.now();
    await inSession(0, cache, (session) => output(session, randomUUID()));
    await inSession(0, cache, (session) => output(session, randomUUID()));
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    silent.close();
    expect(notices()).toEqual(
      Array.from({ length: 2 }, () => `cache 127.0.0.1:${port}/silent:cache is not used: no answer within 3 s`),
    );
  });
});
