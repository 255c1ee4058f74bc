import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ChosenEnvironment } from "../../../src/cli/deploy/environment.ts";
import { pinCluster } from "../../../src/cli/deploy/pin.ts";
import type { CliContext } from "../../../src/cli/context.ts";
import { readHostAccess } from "../../../src/deploy/index.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "fastloop-pin-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function pin(): Promise<unknown> {
  const config = path.join(root, "kubeconfig");
  // Nothing listens there: no answer is needed to refuse.
  const cluster = { server: "https://127.0.0.1:1" };
  writeFileSync(
    config,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "c",
      clusters: [{ name: "c", cluster }],
      users: [{ name: "u", user: { token: "t" } }],
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    }),
  );
  const access = await readHostAccess({ env: {}, cwd: root, file: config, context: "c" });
  const environment = { name: "dev", settings: {}, config: { root } } as unknown as ChosenEnvironment;
  return pinCluster({ env: {} } as CliContext, environment, access);
}

test("a fastloop.lock that is a link is neither read nor written through", async () => {
  const [lock, outside] = ["fastloop.lock", "outside"].map((name) => path.join(root, name)) as [string, string];
  for (const target of [outside, root]) {
    symlinkSync(target, lock);
    await expect(pin()).rejects.toMatchObject({ message: "is a link, which is not followed", exitCode: 2 });
    rmSync(lock);
  }
  expect(existsSync(outside)).toBe(false);
});
