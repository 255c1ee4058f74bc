import { rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { withRepository } from "../cases/remote.ts";
import { copyModule, fastloopCaller, moduleSuite, run } from "./suite.ts";

const caller = fastloopCaller(["--engine", "embedded"]);

describe("a module on the embedded engine", () => moduleSuite(() => caller));

describe("an argument on the embedded engine", () => {
  it("is a directory of a git repository: a branch, a tag, a folder, and an error where there is none", async () => {
    const project = copyModule();
    await withRepository(project, async (url) => {
      const read = (file: string): Promise<{ stdout: string; exitCode: number | null }> =>
        run(caller, ["maybe", "--file", file], project, {});
      expect(await read(`${url}#main:f`)).toMatchObject({ exitCode: 0, stdout: "0 one" });
      expect(await read(`${url}#other:f`)).toMatchObject({ exitCode: 0, stdout: "0 two" });
      const tree = await run(caller, ["tree", "--dir", `${url}#v1.0.0`], project, {});
      expect(tree).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^f$/m) as string });
      expect(await read(`${url}#nowhere:f`)).toMatchObject({ exitCode: 1, stdout: "" });
    });
    rmSync(project, { recursive: true });
  });
});
