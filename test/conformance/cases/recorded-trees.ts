import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Changeset, Client, Directory, DirectoryFilterOpts, Stat } from "@dagger.io/dagger";
import { recorded } from "../recorded/index.ts";
import { baseImage, type CaseContext, type ConformanceCase } from "./case.ts";

const tree: Record<string, string> = {
  "b.txt": "B",
  "a.txt": "A",
  "Z.md": "Z",
  ".hidden": "h",
  "sub/c.txt": "C",
  "sub/deep/d.txt": "D",
  "sub/deep/e.md": "E",
  "sub2/f.txt": "F",
  "a b/ü.txt": "U",
};

/** A directory of these files. */
export function madeOf(dag: Client, files: Record<string, string>): Directory {
  return Object.entries(files).reduce(
    (directory, [name, contents]) => directory.withNewFile(name, contents),
    dag.directory(),
  );
}

const treeOf = (dag: Client): Directory => madeOf(dag, tree).withNewDirectory("empty");

const globs = [
  "*",
  "**",
  "**/*",
  "*.txt",
  "**/*.txt",
  "sub/*",
  "sub/**",
  "sub/**/*.md",
  "sub",
  "sub/",
  "s*",
  "?.txt",
  "[ab].txt",
  "{a,b}.txt",
  "**/deep",
  "**/deep/**",
  ".*",
  "nope*",
  "a b/*",
  "./a.txt",
  "/a.txt",
  "sub/deep/../c.txt",
  "!a.txt",
];

const filters: Record<string, DirectoryFilterOpts> = {
  include: { include: ["*.txt"] },
  includeDeep: { include: ["**/*.txt"] },
  includeDir: { include: ["sub"] },
  includeDirSlash: { include: ["sub/"] },
  includeDirStar: { include: ["sub/*"] },
  includeDeepOnly: { include: ["sub/deep/d.txt"] },
  excludeTxt: { exclude: ["*.txt"] },
  excludeDeep: { exclude: ["**/*.txt"] },
  excludeDir: { exclude: ["sub"] },
  excludeDirStars: { exclude: ["sub/**"] },
  excludeName: { exclude: ["deep"] },
  excludeNameDeep: { exclude: ["**/deep"] },
  both: { include: ["sub/**"], exclude: ["**/*.md"] },
  negated: { exclude: ["**", "!a.txt", "!sub/deep/e.md"] },
  negatedInclude: { include: ["**/*.txt", "!sub/**"] },
  hidden: { include: [".*"] },
  nothing: { include: ["nope"] },
  leadingSlash: { include: ["/a.txt"] },
  leadingDot: { include: ["./a.txt"] },
  order: { exclude: ["!a.txt", "a.txt"] },
};

const told = async (stat: Stat): Promise<unknown> => [
  await stat.name(),
  await stat.fileType(),
  await stat.permissions(),
  await stat.size(),
];
const looked = (dag: Client): Directory =>
  madeOf(dag, { f: "12345", "d/g": "" })
    .withNewFile("x", "1", { permissions: 0o755 })
    .withSymlink("f", "l")
    .withSymlink("d", "ld")
    .withSymlink("nope", "dang");
const held = (dag: Client) => dag.container().from(baseImage).withDirectory("/w", looked(dag));

async function linked({ dag, folder, relativeFolder }: CaseContext): Promise<Directory> {
  await mkdir(path.join(folder, "d"));
  await chmod(path.join(folder, "d"), 0o755);
  await writeFile(path.join(folder, "file"), "content");
  await writeFile(path.join(folder, "d/in"), "inside");
  const links = {
    rel: "file",
    dangling: "not/there",
    abs: "/etc/debian_version",
    dirlink: "d",
    "d/up": "../file",
    loop: "loop",
  };
  for (const [name, target] of Object.entries(links)) await symlink(target, path.join(folder, name));
  return dag.host().directory(relativeFolder);
}

const before = {
  same: "s",
  mod: "m1",
  gone: "g",
  "dir/keep": "k",
  "dir/gone": "x",
  "olddir/a": "1",
  "olddir/b/c": "2",
  typ: "file",
};
const old = (dag: Client): Directory => madeOf(dag, before);
const current = (dag: Client): Directory =>
  old(dag)
    .withNewFile("mod", "m2")
    .withoutFile("gone")
    .withoutFile("dir/gone")
    .withoutDirectory("olddir")
    .withNewFile("new", "n")
    .withNewFile("newdir/x/y", "z")
    .withNewDirectory("emptynew")
    .withoutFile("typ")
    .withNewFile("typ/in", "t")
    .withSymlink("same", "lnk");
const summary = async (changes: Changeset): Promise<unknown> => ({
  added: await changes.addedPaths(),
  modified: await changes.modifiedPaths(),
  removed: await changes.removedPaths(),
  empty: await changes.isEmpty(),
});

export const recordedTreeCases: ConformanceCase[] = [
  ...recorded("glob", Object.fromEntries(globs.map((pattern) => [pattern, ({ dag }) => treeOf(dag).glob(pattern)]))),
  ...recorded(
    "filter",
    Object.fromEntries(
      Object.entries(filters).map(([name, options]) => [
        name,
        async ({ dag }) => (await treeOf(dag).filter(options).glob("**")).toSorted(),
      ]),
    ),
  ),
  ...recorded("view", {
    nested: ({ dag }) => treeOf(dag).directory("sub/deep").entries(),
    twice: ({ dag }) => treeOf(dag).directory("sub").directory("deep").entries(),
    slash: ({ dag }) => treeOf(dag).directory("/sub").file("/c.txt").contents(),
    name: ({ dag }) => treeOf(dag).directory("sub/deep").name(),
    rootName: ({ dag }) => treeOf(dag).name(),
    fileName: ({ dag }) => treeOf(dag).file("sub/deep/d.txt").name(),
    edited: ({ dag }) => treeOf(dag).directory("sub").withNewFile("new", "1").entries(),
    untouched: ({ dag }) => treeOf(dag).entries({ path: "sub" }),
  }),
  ...recorded("stat", {
    file: ({ dag }) => told(looked(dag).stat("f")),
    mode: ({ dag }) => looked(dag).stat("x").permissions(),
    dir: async ({ dag }) => [
      await looked(dag).stat("d").fileType(),
      await looked(dag).stat("d").name(),
      await looked(dag).stat("d").permissions(),
    ],
    link: ({ dag }) => told(looked(dag).stat("l")),
    linkItself: async ({ dag }) => {
      const stat = looked(dag).stat("l", { doNotFollowSymlinks: true });
      return [await stat.fileType(), await stat.size()];
    },
    fileStat: ({ dag }) => told(looked(dag).file("f").stat()),
    exists: ({ dag }) =>
      Promise.all(["f", "d", "d/", "nope", "d/g", "dang", "/f", "."].map((name) => looked(dag).exists(name))),
    container: ({ dag }) => Promise.all(["/w/f", "/w/nope", "/etc", "w/f"].map((name) => held(dag).exists(name))),
    containerStat: ({ dag }) => told(held(dag).stat("/w/x")),
    containerRelative: ({ dag }) => held(dag).withWorkdir("/w").exists("f"),
  }),
  ...recorded("link", {
    throughFile: async (context) => (await linked(context)).file("rel").contents(),
    throughDir: async (context) => (await linked(context)).directory("dirlink").entries(),
    fileThroughDir: async (context) => (await linked(context)).file("dirlink/in").contents(),
    upLink: async (context) => (await linked(context)).file("d/up").contents(),
    name: async (context) => (await linked(context)).file("rel").name(),
    entries: async (context) => (await linked(context)).entries(),
    glob: async (context) => (await (await linked(context)).glob("**")).toSorted(),
    includeOnlyLink: async (context) => (await linked(context)).filter({ include: ["rel"] }).glob("**"),
    excludeTarget: async (context) => (await (await linked(context)).filter({ exclude: ["d"] }).glob("**")).toSorted(),
  }),
  ...recorded("changes", {
    all: ({ dag }) => summary(current(dag).changes(old(dag))),
    reverse: ({ dag }) => summary(old(dag).changes(current(dag))),
    none: ({ dag }) => summary(old(dag).changes(old(dag))),
    mode: ({ dag }) => summary(old(dag).withNewFile("same", "s", { permissions: 0o700 }).changes(old(dag))),
    dirMode: ({ dag }) =>
      summary(
        dag
          .directory()
          .withNewDirectory("d", { permissions: 0o700 })
          .withNewFile("d/f", "")
          .changes(madeOf(dag, { "d/f": "" })),
      ),
    touch: ({ dag }) => summary(old(dag).withTimestamps(5).changes(old(dag))),
    rename: ({ dag }) => summary(madeOf(dag, { b: "same text\n" }).changes(madeOf(dag, { a: "same text\n" }))),
    link: ({ dag }) => summary(dag.directory().withSymlink("x", "l").changes(dag.directory().withSymlink("y", "l"))),
    emptyDir: ({ dag }) => summary(dag.directory().withNewDirectory("e").changes(dag.directory())),
    layer: async ({ dag }) => (await current(dag).changes(old(dag)).layer().glob("**")).toSorted(),
    before: async ({ dag }) => (await current(dag).changes(old(dag)).before().glob("**")).toSorted(),
  }),
];
