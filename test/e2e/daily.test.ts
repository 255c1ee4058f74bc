import { afterEach, beforeEach, expect, test } from "vitest";
import { LoopProject } from "./loop-project.ts";

let project: LoopProject;
beforeEach(() => void (project = new LoopProject()));
afterEach(() => project.remove());

// What a cycle is made of, and the other verbs of every day: test/unit/cli/daily.test.ts.
test("a cycle runs its commands", async () => {
  expect(await project.run("cycle")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("3 passed") });
});
