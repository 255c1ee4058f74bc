import { readFile, readdir, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { ChangesetMergeConflict, type Client } from "@dagger.io/dagger";
import { matching, type ConformanceCase } from "./case.ts";

const before = (dag: Client) =>
  dag
    .directory()
    .withNewFile("same", "1\n")
    .withNewFile("changed", "1\n")
    .withNewFile("gone/x", "1\n")
    .withNewFile("gone/y", "1\n");
const after = (dag: Client) =>
  before(dag).withNewFile("changed", "2\n").withNewFile("new/f", "n\n").withoutDirectory("gone");

export const changesetCases: ConformanceCase[] = [
  {
    name: "changes name what was added, modified and removed",
    run: async ({ dag }) => {
      const changes = after(dag).changes(before(dag));
      return [
        await changes.isEmpty(),
        await changes.addedPaths(),
        await changes.modifiedPaths(),
        await changes.removedPaths(),
      ];
    },
    expected: [false, ["new/", "new/f"], ["changed"], ["gone/"]],
  },
  {
    name: "no changes are empty",
    run: async ({ dag }) => await before(dag).changes(before(dag)).isEmpty(),
    expected: true,
  },
  {
    name: "equal content made in another way is no change",
    run: ({ dag }) => before(dag).changes(before(dag).withNewFile("extra", "").withoutFile("extra")).isEmpty(),
    expected: true,
  },
  {
    name: "asPatch is a git patch",
    run: ({ dag }) =>
      dag.directory().withNewFile("f", "2\n").changes(dag.directory().withNewFile("f", "1\n")).asPatch().contents(),
    expected: matching(
      /^diff --git a\/f b\/f\nindex [0-9a-f]+\.\.[0-9a-f]+ 100644\n--- a\/f\n\+\+\+ b\/f\n@@ -1 \+1 @@\n-1\n\+2\n$/,
    ),
  },
  {
    name: "asPatch tells new and removed files, and says nothing of no changes",
    run: async ({ dag }) => {
      const base = dag.directory().withNewFile("gone", "g\n").withNewFile("same", "s\n");
      const patch = await base
        .withoutFile("gone")
        .withNewFile("new.sh", "n\n", { permissions: 0o755 })
        .changes(base)
        .asPatch()
        .contents();
      return [patch.replaceAll(/^index .*\n/gm, ""), await base.changes(base).asPatch().contents()];
    },
    expected: [
      "diff --git a/gone a/gone\ndeleted file mode 100644\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-g\n" +
        "diff --git b/new.sh b/new.sh\nnew file mode 100755\n--- /dev/null\n+++ b/new.sh\n@@ -0,0 +1 @@\n+n\n",
      "",
    ],
  },
  {
    name: "withPatch applies what asPatch wrote",
    run: async ({ dag }) => {
      const patch = await after(dag).changes(before(dag)).asPatch().contents();
      const patched = before(dag).withPatch(patch);
      return [await patched.glob("**"), await patched.file("changed").contents()];
    },
    expected: [["changed", "new/", "new/f", "same"], "2\n"],
  },
  {
    name: "withChanges lays changes on another directory",
    run: async ({ dag }) => {
      const directory = before(dag)
        .withNewFile("mine", "m")
        .withChanges(after(dag).changes(before(dag)));
      return [await directory.glob("**"), await directory.file("changed").contents()];
    },
    expected: [["changed", "mine", "new/", "new/f", "same"], "2\n"],
  },
  {
    name: "export of changes writes and removes, and leaves the rest alone",
    run: async ({ dag, folder, relativeFolder }) => {
      await mkdir(path.join(folder, "gone"));
      await writeFile(path.join(folder, "gone/x"), "");
      await writeFile(path.join(folder, "mine"), "");
      await after(dag).changes(before(dag)).export(relativeFolder);
      return [(await readdir(folder)).toSorted(), await readFile(path.join(folder, "changed"), "utf8")];
    },
    expected: [["changed", "mine", "new"], "2\n"],
  },
  {
    name: "changes of two sides join when they do not meet",
    run: async ({ dag }) => {
      const base = before(dag);
      const ours = base.withNewFile("ours", "o").changes(base);
      const theirs = base.withNewFile("theirs", "t").changes(base);
      return await ours.withChangeset(theirs).addedPaths();
    },
    expected: ["ours", "theirs"],
  },
  {
    name: "changes of one path on both sides are a conflict, unless one side is preferred",
    run: async ({ dag }) => {
      const base = before(dag);
      const ours = base.withNewFile("changed", "ours\n").changes(base);
      const theirs = base.withNewFile("changed", "theirs\n").changes(base);
      const failed = await ours
        .withChangeset(theirs, { onConflict: ChangesetMergeConflict.FailEarly })
        .sync()
        .then(
          () => false,
          () => true,
        );
      const preferred = (onConflict: ChangesetMergeConflict) =>
        ours.withChangeset(theirs, { onConflict }).after().file("changed").contents();
      return [
        failed,
        await preferred(ChangesetMergeConflict.PreferOurs),
        await preferred(ChangesetMergeConflict.PreferTheirs),
      ];
    },
    expected: [true, "ours\n", "theirs\n"],
  },
  {
    name: "diffStats count lines",
    run: async ({ query }) => {
      const made = await query(
        `{a:directory{withNewFile(path:"f",contents:"1\\n2\\n"){id}} b:directory{withNewFile(path:"f",contents:"1\\n3\\n4\\n"){id}}}`,
      );
      const { a, b } = made.data as Record<"a" | "b", { withNewFile: { id: string } }>;
      const answer = await query(
        `query($a:ID!,$b:ID!){node(id:$b){... on Directory{changes(from:$a){diffStats{kind path addedLines removedLines}}}}}`,
        {
          a: a.withNewFile.id,
          b: b.withNewFile.id,
        },
      );
      return (answer.data as { node: { changes: unknown } }).node.changes;
    },
    expected: { diffStats: [{ kind: "MODIFIED", path: "f", addedLines: 2, removedLines: 1 }] },
  },
];
