import { expect, it } from "vitest";
import type { BuildkitClient } from "../../../src/buildkit/types.ts";
import type { MemoryCgroup } from "../../../src/engine-daemon/buildkitd/memory-cgroup.ts";
import { createSessions } from "../../../src/engine-daemon/control/sessions.ts";

/** BuildKit as far as opening a session goes; it tells what it is when it is let. */
function buildkit(answers: Promise<void>): { client: BuildkitClient; closed: () => number } {
  let closed = 0;
  const client = {
    address: "unix:///none",
    info: () => answers.then(() => ({ version: "v", platforms: ["linux/amd64"], network: "host" })),
    openBuild: () => Promise.resolve({ close: () => Promise.resolve(void closed++) }),
  } as unknown as BuildkitClient;
  return { client, closed: () => closed };
}
const sessions = (memory?: MemoryCgroup) =>
  createSessions({
    shimDirectory: () => Promise.resolve("/"),
    temporaryRoot: "/nowhere",
    working: () => () => undefined,
    preparePlatform: undefined,
    knownImages: { find: () => undefined, keep: () => undefined, isServedHere: () => Promise.resolve(false) },
    memory,
    onError: () => undefined,
    hide: () => () => undefined,
  });
const request = { workdir: "/", env: {}, buildId: "b", project: "0" };
const hooks = { onEvent: () => undefined, onTerminal: () => undefined, onClosed: () => undefined };

it("opens no session on a BuildKit that ended meanwhile", async () => {
  let answer = (): void => undefined;
  const { client, closed } = buildkit(new Promise<void>((resolve) => (answer = resolve)));
  const open = sessions();
  const opening = open.open(client, request, hooks);
  await open.closeAll("buildkitd ended by itself (signal SIGKILL)");
  answer();
  await expect(opening).rejects.toThrow("buildkitd ended by itself (signal SIGKILL)");
  expect([open.count, closed()]).toEqual([0, 1]);
  await expect(open.open(buildkit(Promise.resolve()).client, request, hooks)).resolves.toBeDefined();
});

it("gives a session two tokens, one of them for function bodies", async () => {
  const open = sessions();
  const session = await open.open(buildkit(Promise.resolve()).client, request, hooks);
  expect(open.find(session.token)).toEqual({ session, isBody: false });
  expect(open.find(session.bodyToken)).toEqual({ session, isBody: true });
  expect(open.find("guess")).toBeUndefined();
  await session.close("over");
  expect([open.find(session.token), open.find(session.bodyToken)]).toEqual([undefined, undefined]);
});

it("bounds memory by the largest limit of its sessions, and not at all while one declares none", async () => {
  const bounds: (number | undefined)[] = [];
  const open = sessions({ name: "x", bound: (bytes) => bounds.push(bytes), remove: () => undefined });
  const opened = async (memoryBytes?: number) =>
    await open.open(
      buildkit(Promise.resolve()).client,
      memoryBytes === undefined ? request : { ...request, limits: { memoryBytes } },
      hooks,
    );
  const [small, large] = [await opened(1_000), await opened(5_000)];
  const free = await opened();
  await free.close("over");
  await large.close("over");
  await small.close("over");
  expect(bounds).toEqual([1_000, 5_000, undefined, 5_000, 1_000, undefined]);
  expect([small.notice, free.notice]).toEqual([undefined, undefined]);
});

it("says where a limit of memory bounds nothing", async () => {
  const limits = { memoryBytes: 1_000 };
  const { notice } = await sessions().open(buildkit(Promise.resolve()).client, { ...request, limits }, hooks);
  expect(notice).toMatch(/engine\.limits\.memory .* bounds no container/);
  const free = await sessions().open(
    buildkit(Promise.resolve()).client,
    { ...request, limits: { containers: 1 } },
    hooks,
  );
  expect(free.notice).toBeUndefined();
});
