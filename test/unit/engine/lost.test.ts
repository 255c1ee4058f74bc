import { expect, it } from "vitest";
import { UserError } from "../../../src/errors/index.ts";
import { lostSession } from "../../../src/engine/lost.ts";
import type { EngineSession } from "../../../src/engine/types.ts";

const failing = (error: Error): EngineSession => {
  const query = async (): Promise<never> => {
    throw error;
  };
  return { query } as never;
};
const late = Object.assign(new Error("The operation was aborted due to timeout"), { name: "TimeoutError" });

it("an engine that is late is lost, but to who would rather wait", async () => {
  expect((await lostSession(failing(late)))?.message).toContain("does not answer");
  expect(await lostSession(failing(late), { isPatient: true })).toBeUndefined();
});

it("one that is gone is lost to all", async () => {
  const gone = new UserError("engine-unavailable", "the session has ended");
  expect(await lostSession(failing(gone), { isPatient: true })).toBe(gone);
  const refused = await lostSession(failing(new Error("connect ECONNREFUSED")), { isPatient: true });
  expect(refused?.message).toContain("ECONNREFUSED");
});
