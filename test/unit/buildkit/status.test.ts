import { describe, expect, it } from "vitest";
import type { StatusMessage } from "../../../src/buildkit/connection/messages.ts";
import { Account } from "../../../src/buildkit/gateway/status.ts";
import type { StatusUpdate } from "../../../src/buildkit/types.ts";

const at = (seconds: number): { seconds: string; nanos: number } => ({ seconds: String(seconds), nanos: 500_000_000 });
const vertex = (started?: number, completed?: number, rest = {}): StatusMessage => ({
  vertexes: [
    {
      digest: "sha256:a",
      name: "a",
      cached: false,
      started: started === undefined ? null : at(started),
      completed: completed === undefined ? null : at(completed),
      error: "",
      ...rest,
    },
  ],
  logs: [],
});
const log = (seconds: number, text: string, stream = "1"): StatusMessage => ({
  vertexes: [],
  logs: [{ vertex: "sha256:a", timestamp: at(seconds), stream, msg: Buffer.from(text) }],
});

function told(...messages: StatusMessage[]): StatusUpdate[] {
  const updates: StatusUpdate[] = [];
  const account = new Account((update) => updates.push(update));
  for (const message of messages) account.add(message);
  return updates;
}

describe("the account of several solves", () => {
  it("tells a vertex as it waits, runs and ends", () => {
    const updates = told(vertex(), vertex(1), vertex(1, 3, { error: "bad" }));
    expect(updates.flatMap((update) => update.vertexes)).toEqual([
      { digest: "sha256:a", name: "a", cached: false },
      { digest: "sha256:a", name: "a", cached: false, startedMs: 1500 },
      { digest: "sha256:a", name: "a", cached: false, startedMs: 1500, completedMs: 3500, error: "bad" },
    ]);
  });

  it("tells a run once, though each solve that shares it is told all of it", () => {
    const run = [vertex(), vertex(1), log(2, "x"), vertex(1, 3)];
    expect(told(...run, ...run, ...run).length).toBe(4);
  });

  it("tells a later run of the same vertex", () => {
    const updates = told(
      vertex(1, 3),
      log(2, "first"),
      vertex(5),
      log(6, "again", "2"),
      vertex(5, 7, { cached: true }),
    );
    expect(
      updates.flatMap((update) => update.logs).map(({ stream, data }) => [stream, Buffer.from(data).toString()]),
    ).toEqual([
      ["stdout", "first"],
      ["stderr", "again"],
    ]);
    expect(updates.flatMap((update) => update.vertexes).at(-1)).toMatchObject({ cached: true, completedMs: 7500 });
  });
});
