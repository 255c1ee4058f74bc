/** What an engine is asked before it exports a changeset; what the embedded one answers is held by test/security/writes. */
import { expect, it } from "vitest";
import { runCall, type ParsedCall } from "../../../src/call/index.ts";
import { coreSchema } from "../../../src/module/index.ts";

/** The call's end, as an engine gets it, where the changeset changes these paths. */
async function asked(names: readonly string[], end: "export" | "-o" | "sync"): Promise<string[]> {
  const documents: string[] = [];
  const { fields } = coreSchema().type("Changeset")!;
  const step = { type: "Changeset", fn: fields["export"]!, given: [] };
  const call = { own: [], core: end === "export" ? [step] : [], ...(end === "-o" ? { output: "out" } : {}) };
  const paths = { addedPaths: [names[0]], modifiedPaths: [names[1]], removedPaths: [names[2]] };
  await runCall(
    call as unknown as ParsedCall,
    {
      module: {},
      runtime: { call: async () => ({ $id: "1", $type: "Changeset" }) },
      session: {
        query: async (document: string) => {
          documents.push(document);
          return { node: document.includes("addedPaths") ? paths : {} };
        },
      },
    } as unknown as Parameters<typeof runCall>[1],
  );
  return documents;
}

const fine = ["a/.gitignore", ".github/x", "git/b.git"];

it.each(["export", "-o"] as const)(
  "a changeset is asked for its paths before %s, and those of git are refused",
  async (end) => {
    expect(await asked(fine, end)).toMatchObject([
      expect.stringContaining("addedPaths modifiedPaths removedPaths"),
      expect.stringContaining("export"),
    ]);
    for (const name of [".git/", "a/.git/hooks/x", ".GIT/config", "b/.Git"])
      for (const at of [0, 1, 2])
        await expect(asked(fine.with(at, name), end)).rejects.toThrow(
          `a changeset with ${JSON.stringify(name)} in it is not exported`,
        );
  },
);

it("a changeset that goes nowhere is only evaluated", async () => {
  expect(await asked([".git/"], "sync")).toMatchObject([expect.stringContaining("sync")]);
});
