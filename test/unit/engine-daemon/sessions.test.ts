import { expect, it } from "vitest";
import type { BuildkitClient } from "../../../src/buildkit/types.ts";
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
const sessions = () =>
  createSessions({
    shimDirectory: () => Promise.resolve("/"),
    temporaryRoot: "/nowhere",
    working: () => () => undefined,
    preparePlatform: undefined,
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
