import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { removeCache, useBuiltPrograms } from "./built.ts";
import { startFakeSession, type FakeSession } from "./fake-session.ts";

let folder = "";
let session: FakeSession;

beforeAll(async () => {
  await useBuiltPrograms();
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-boundary-"));
  mkdirSync(path.join(folder, "src"));
  writeFileSync(
    path.join(folder, "dagger.json"),
    '{"name":"it","engineVersion":"v0.21.4","sdk":"typescript","source":"."}',
  );
  writeFileSync(
    path.join(folder, "src/index.ts"),
    'import { func, object } from "@dagger.io/dagger"\n@object()\nexport class It { @func() live(): string { return "alive" } }\n',
  );
  session = await startFakeSession();
}, 60_000);

// What a machine lacks is remembered for the whole process.
beforeEach(() => vi.resetModules());

afterAll(async () => {
  await session.close();
  rmSync(folder, { recursive: true, force: true });
  removeCache();
});

/** Calls a function where the helper is this shell script. */
async function callWith(
  script: string,
  options: { bodies?: string; mayRunOnHost?: () => boolean } = {},
): Promise<unknown> {
  const helper = path.join(folder, "helper");
  writeFileSync(helper, `#!/bin/sh\n${script}\n`);
  chmodSync(helper, 0o755);
  const { loadModule, startFunctionRuntime } = await import("../../../src/module/index.ts");
  const env = { ...process.env, FASTLOOP_CONFINE: helper, FASTLOOP_BODIES: options.bodies ?? "" };
  const runtime = startFunctionRuntime({
    module: await loadModule(folder),
    session,
    env,
    ...(options.mayRunOnHost === undefined ? {} : { mayRunOnHost: options.mayRunOnHost }),
  });
  try {
    return await runtime.call({ function: "live", args: {}, callId: "c" });
  } finally {
    await runtime.close();
  }
}

const unable = "echo 'unable: new namespaces: operation not permitted' >&4; exit 125";

describe.skipIf(process.platform !== "linux")("where a machine has no boundary", () => {
  it.each([
    ["its helper says so", unable, "new namespaces: operation not permitted"],
    ["its helper ends without a word", "exit 7", "its helper ended: exit code 7"],
    ["its helper can't be run", "exec /not/there", "its helper ended: exit code 127"],
  ])("because %s, a call tells why and what the choice is", async (_how, script, why) => {
    await expect(callWith(script)).rejects.toMatchObject({
      code: "untrusted",
      message: expect.stringContaining(`no boundary for function bodies (${why})`),
      hint: expect.stringMatching(/fastloop trust --host-process.*FASTLOOP_BODIES=host.*--via module/),
    });
  });

  it("a trusted repository's functions run in a process of the user's", async () => {
    expect(await callWith(unable, { mayRunOnHost: () => true })).toBe("alive");
  });

  it("FASTLOOP_BODIES decides for itself: host asks nobody, sandbox takes nobody's trust", async () => {
    expect(await callWith(unable, { bodies: "host" })).toBe("alive");
    await expect(callWith(unable, { bodies: "sandbox", mayRunOnHost: () => true })).rejects.toMatchObject({
      code: "untrusted",
    });
    await expect(callWith(unable, { bodies: "anything" })).rejects.toMatchObject({
      code: "usage",
      place: "FASTLOOP_BODIES",
    });
  });
});
