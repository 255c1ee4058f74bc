import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Client, Directory } from "@dagger.io/dagger";
import { baseImage, type ConformanceCase } from "./case.ts";

/** Files whose names read as patterns, each beside one that the pattern would match. */
const odd = [
  "app/[slug]/p",
  "app/s/p",
  "what?",
  "whats",
  "a{b,c}",
  "ab",
  "ac",
  "back\\slash",
  "backslash",
  "[a-z].ts",
  "q.ts",
  "!not",
  "#no",
  " lead",
  "-rf",
];
const tree = (dag: Client, names: readonly string[] = odd): Directory =>
  names.reduce((made, name) => made.withNewFile(name, name), dag.directory());
const files = async (directory: Directory): Promise<string[]> =>
  (await directory.glob("**")).filter((name) => !name.endsWith("/")).toSorted();
const but = (...gone: string[]): string[] => odd.filter((name) => !gone.includes(name)).toSorted();

/** Names that read as patterns are names. */
export const nameCases: ConformanceCase[] = [
  ...["app/[slug]/p", "what?", "a{b,c}", "back\\slash", "[a-z].ts", "!not", "#no", " lead", "-rf"].map(
    (name): ConformanceCase => ({
      name: `Directory.withoutFile(${JSON.stringify(name)}) removes that file and nothing else`,
      run: ({ dag }) => files(tree(dag).withoutFile(name)),
      expected: but(name),
    }),
  ),
  {
    name: "Directory.withoutDirectory of a folder in brackets leaves the others",
    run: ({ dag }) => files(tree(dag).withoutDirectory("app/[slug]")),
    expected: but("app/[slug]/p"),
  },
  {
    name: "withoutFiles takes names and patterns; a pattern that is a name is that name",
    run: async ({ dag }) => {
      const stars = tree(dag, ["st*r", "star", "x.log", "y.log", "[d]/z.log", "d/z.log"]);
      return [
        await files(stars.withoutFile("st*r")),
        await files(stars.withoutFiles(["*.log"])),
        await files(stars.withoutFiles(["[d]/*.log", "star"])),
      ];
    },
    expected: [
      ["[d]/z.log", "d/z.log", "star", "x.log", "y.log"],
      ["[d]/z.log", "d/z.log", "st*r", "star"],
      ["d/z.log", "st*r", "x.log", "y.log"],
    ],
    only: { engine: "embedded", reason: "a Dagger engine takes every name with a star as a pattern" },
  },
  {
    name: "removing what reads as a pattern and is not there removes nothing",
    run: ({ dag }) =>
      files(tree(dag, ["app/s/p"]).withoutFile("app/[slug]/p").withoutDirectory("app/?").withoutFile("app/\\s/p")),
    expected: ["app/s/p"],
  },
  {
    name: "Container.withoutFile and withoutDirectory take names, in the image and in a mount",
    run: async ({ dag }) => {
      const copied = dag
        .container()
        .from(baseImage)
        .withDirectory("/w", tree(dag))
        .withoutFile("/w/what?")
        .withoutDirectory("/w/app/[slug]");
      const mounted = dag
        .container()
        .from(baseImage)
        .withMountedDirectory("/w", tree(dag))
        .withoutFiles(["/w/what?", "/w/[a-z].ts"]);
      return [await files(copied.directory("/w")), await files(mounted.directory("/w"))];
    },
    expected: [but("what?", "app/[slug]/p"), but("what?", "[a-z].ts")],
  },
  {
    name: "withChanges removes, adds and changes by name",
    run: async ({ dag }) => {
      const after = tree(dag)
        .withoutFile("app/[slug]/p")
        .withoutFile("what?")
        .withNewFile("[a-z].ts", "changed")
        .withNewFile("new[1]", "");
      const made = tree(dag).withChanges(after.changes(tree(dag)));
      return [await files(made), await made.file("[a-z].ts").contents(), await made.file("q.ts").contents()];
    },
    expected: [[...but("app/[slug]/p", "what?"), "new[1]"].toSorted(), "changed", "q.ts"],
  },
  {
    name: "a star in a name that changes remove is no pattern",
    run: async ({ dag }) => {
      const before = tree(dag, ["st*r", "star", "d*/f", "dd/f"]);
      const after = tree(dag, ["star", "dd/f"]);
      const changes = after.changes(before);
      return [await files(before.withChanges(changes)), await files(before.withPatchFile(changes.asPatch()))];
    },
    expected: [
      ["dd/f", "star"],
      ["dd/f", "star"],
    ],
  },
  {
    name: "withPatch removes and changes by name",
    run: async ({ dag }) => {
      const after = tree(dag).withoutFile("app/[slug]/p").withNewFile("[a-z].ts", "changed\n");
      const patch = await after.changes(tree(dag)).asPatch().contents();
      const made = tree(dag).withPatch(patch);
      return [await files(made), await made.file("[a-z].ts").contents(), await made.file("q.ts").contents()];
    },
    expected: [but("app/[slug]/p"), "changed\n", "q.ts"],
  },
  {
    name: "export of changes removes on the host by name",
    run: async ({ dag, folder, relativeFolder }) => {
      await mkdir(path.join(folder, "out/app/[slug]"), { recursive: true });
      await mkdir(path.join(folder, "out/app/s"), { recursive: true });
      for (const name of ["app/[slug]/p", "app/s/p"]) await writeFile(path.join(folder, "out", name), name);
      const before = tree(dag, ["app/[slug]/p", "app/s/p"]);
      await before.withoutFile("app/[slug]/p").changes(before).export(path.join(relativeFolder, "out"));
      return (await readdir(path.join(folder, "out"), { recursive: true })).toSorted();
    },
    expected: ["app", "app/[slug]", "app/s", "app/s/p"],
  },
  {
    name: "copies take names: files, folders and paths that read as patterns",
    run: async ({ dag }) => {
      const made = dag
        .directory()
        .withFile("to[1]", tree(dag).file("[a-z].ts"))
        .withDirectory("dir?", tree(dag).directory("app/[slug]"))
        .withFiles("many", [tree(dag).file("what?"), tree(dag).file("a{b,c}")]);
      return [await files(made), await made.file("to[1]").contents()];
    },
    expected: [["dir?/p", "many/a{b,c}", "many/what?", "to[1]"], "[a-z].ts"],
  },
  {
    name: "patterns name such files with backslashes, in include and exclude",
    run: async ({ dag }) => [
      await files(tree(dag).filter({ include: ["app/\\[slug\\]/**"] })),
      await files(tree(dag).filter({ exclude: ["app/\\[slug\\]", "what\\?", "\\[a-z\\].ts"] })),
      await files(dag.directory().withDirectory("x", tree(dag), { include: ["\\[a-z\\].ts"] })),
    ],
    expected: [["app/[slug]/p"], but("app/[slug]/p", "what?", "[a-z].ts"), ["x/[a-z].ts"]],
  },
  {
    name: "patterns name such files of the host with backslashes",
    run: async ({ dag, folder }) => {
      for (const name of ["app/[slug]/p", "app/s/p", "[a-z].ts", "q.ts"]) {
        await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
        await writeFile(path.join(folder, name), name);
      }
      const host = (options: object) => files(dag.host().directory(folder, options));
      return [
        await host({ include: ["app/\\[slug\\]/**"] }),
        await host({ exclude: ["app/\\[slug\\]", "\\[a-z\\].ts"] }),
      ];
    },
    expected: [["app/[slug]/p"], ["app/s/p", "q.ts"]],
  },
];
