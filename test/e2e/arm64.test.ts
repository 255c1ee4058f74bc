// A foreign platform: its image is bootstrapped when it is first needed, its commands run through QEMU.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectBuildkit } from "../../src/buildkit/index.ts";
import { packageRoot } from "../../src/paths/index.ts";
import { openSessionOn } from "./api-session.ts";
import { fastloop } from "./cli-process.ts";

let project: string;

beforeAll(() => {
  project = mkdtempSync(path.join(tmpdir(), "fastloop-arm64-"));
  writeFileSync(
    path.join(project, "fastloop.yaml"),
    "version: 1\nname: foreign\nimages: { base: { from: debian:bookworm-slim } }\n",
  );
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

const foreign =
  process.arch === "arm64"
    ? { platform: "linux/amd64", machine: "x86_64" }
    : { platform: "linux/arm64", machine: "aarch64" };

// Ten minutes: on a machine that never saw this platform, two base systems are unpacked and configured under emulation.
test(`build-base --platform ${foreign.platform} gives a container of that machine`, { timeout: 600_000 }, async () => {
  const words = [
    "build-base",
    "--source",
    ".",
    "--platform",
    foreign.platform,
    "with-exec",
    "--args",
    "uname,-m",
    "stdout",
  ];
  const { exitCode, stdout, stderr } = await fastloop(["-m", packageRoot(), "call", ...words], { cwd: project });
  expect(exitCode, stderr).toBe(0);
  expect(stdout.trim()).toBe(foreign.machine);
});

test("platforms of one image are built at the same time", { timeout: 600_000 }, async () => {
  const buildkit = await connectBuildkit(process.env["FASTLOOP_TEST_BUILDKIT"]!);
  const session = await openSessionOn(buildkit, { workdir: import.meta.dirname });
  const ask = async (query: string): Promise<Record<string, unknown>> => {
    const { data, errors } = await session.execute({ query }, { signal: new AbortController().signal });
    expect(errors).toBeUndefined();
    return data as Record<string, unknown>;
  };
  try {
    const key = randomBytes(6).toString("hex");
    const { cacheVolume } = (await ask(`{ cacheVolume(key: "${key}") { id } }`)) as { cacheVolume: { id: string } };
    // Each waits for the other, so one after the other would fail.
    const meeting = (platform: string, own: string, other: string): string => {
      const script = `touch /met/${own}; for i in $(seq 600); do test -e /met/${other} && exit; sleep 0.2; done; exit 1`;
      const mount = `withMountedCache(path: "/met", cache: "${cacheVolume.id}")`;
      const exec = `withExec(args: ${JSON.stringify(["sh", "-c", script])}) { id }`;
      return `${own}: container(platform: "${platform}") { from(address: "debian:bookworm-slim") { ${mount} { ${exec} } } }`;
    };
    const native = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
    const variants = await ask(
      `{ ${meeting(native, "native", "foreign")} ${meeting(foreign.platform, "foreign", "native")} }`,
    );
    const ids = [...JSON.stringify(variants).matchAll(/"id":"([^"]+)"/g)].map(([, id]) => `"${id}"`);
    const { container } = (await ask(
      `{ container { asTarball(platformVariants: [${ids.join(", ")}]) { size } } }`,
    )) as { container: { asTarball: { size: number } } };
    expect(container.asTarball.size).toBeGreaterThan(1024);
  } finally {
    await session.close();
    await buildkit.close();
  }
});
