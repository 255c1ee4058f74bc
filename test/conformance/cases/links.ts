import { lstat, readFile, readdir } from "node:fs/promises";
import path from "node:path";
import type { Client, Container, Directory } from "@dagger.io/dagger";
import { baseImage, type ConformanceCase } from "./case.ts";

const base = (dag: Client): Container => dag.container().from(baseImage);

/** Links to a folder from everywhere: absolute, relative, to a link, below a link, upwards. */
const linked = (dag: Client): Container =>
  base(dag).withExec([
    "sh",
    "-c",
    "mkdir -p /real/sub /deep/er && echo hi > /real/f && echo in > /real/sub/g && ln -s f /real/l && ln -s /real /link && ln -s real /relative && ln -s link /chain && ln -s ../../real /deep/er/up",
  ]);
const made = (dag: Client): Directory =>
  dag
    .directory()
    .withNewFile("real/f", "hi\n")
    .withNewFile("real/sub/g", "in\n")
    .withSymlink("f", "real/l")
    .withSymlink("real", "link")
    .withSymlink("/real", "absolute");
const all = async (directory: Directory): Promise<string[]> => (await directory.glob("**")).toSorted();
const content = ["f", "l", "sub/", "sub/g"];
const names = ["/link", "/relative", "/chain", "/deep/er/up"];

const through = async (dag: Client, use: (directory: Directory) => Promise<unknown>): Promise<unknown[]> => {
  const results: unknown[] = [];
  for (const name of names) results.push(await use(linked(dag).directory(name)));
  for (const name of ["link", "absolute"]) results.push(await use(made(dag).directory(name)));
  return results;
};
const each = (value: unknown): unknown[] => Array.from({ length: 6 }, () => value);

/** A folder that was reached through a link is its content. */
export const linkCases: ConformanceCase[] = [
  {
    name: "entries of a linked folder",
    run: ({ dag }) => through(dag, (directory) => directory.entries()),
    expected: each(["f", "l", "sub/"]),
  },
  {
    name: "withDirectory copies what a linked folder holds, into a directory and into a container",
    run: async ({ dag }) => [
      await through(dag, (directory) => all(dag.directory().withDirectory("out", directory))),
      await through(dag, (directory) => all(base(dag).withDirectory("/out", directory).directory("/out"))),
    ],
    expected: [each(["out/", ...content.map((name) => `out/${name}`)]), each(content)],
  },
  {
    name: "links inside of a linked folder stay links",
    run: ({ dag }) =>
      base(dag).withDirectory("/out", linked(dag).directory("/link")).withExec(["readlink", "/out/l"]).stdout(),
    expected: "f\n",
  },
  {
    name: "filter and withDirectory choose from a linked folder",
    run: async ({ dag }) => [
      await through(dag, (directory) => all(directory.filter({ include: ["sub"] }))),
      await through(dag, (directory) =>
        all(dag.directory().withDirectory("out", directory, { exclude: ["sub", "l"] })),
      ),
    ],
    expected: [each(["sub/", "sub/g"]), each(["out/", "out/f"])],
  },
  {
    name: "what is chosen from a linked folder follows its content",
    run: async ({ dag }) => {
      const of = (text: string) =>
        dag
          .directory()
          .withNewFile("real/f", text)
          .withNewFile("real/g", "")
          .withSymlink("real", "link")
          .directory("link")
          .filter({ include: ["f"] });
      const read = (text: string) => base(dag).withMountedDirectory("/s", of(text)).withExec(["cat", "/s/f"]).stdout();
      return [await read("one"), await read("two")];
    },
    expected: ["one", "two"],
  },
  {
    name: "a linked folder becomes a root file system",
    run: ({ dag }) => through(dag, (directory) => all(dag.container().withRootfs(directory).rootfs())),
    expected: each(content),
  },
  {
    name: "a linked folder is mounted, writable and read-only",
    run: ({ dag }) =>
      through(dag, async (directory) => [
        await base(dag).withMountedDirectory("/m", directory).withExec(["sh", "-c", "echo new > /m/n; ls /m"]).stdout(),
        await base(dag).withMountedDirectory("/m", directory, { readOnly: true }).withExec(["ls", "/m"]).stdout(),
      ]),
    expected: each(["f\nl\nn\nsub\n", "f\nl\nsub\n"]),
  },
  {
    name: "a linked folder is the context of a Dockerfile",
    run: ({ dag }) => {
      const context = dag
        .directory()
        .withNewFile("real/Dockerfile", "FROM scratch\nCOPY f /f\n")
        .withNewFile("real/f", "x")
        .withSymlink("real", "link")
        .directory("link");
      return context.dockerBuild().rootfs().entries();
    },
    expected: ["f"],
  },
  {
    name: "export writes what a linked folder holds",
    run: async ({ dag, folder, relativeFolder }) => {
      await linked(dag).directory("/link").export(path.join(relativeFolder, "out"));
      const out = path.join(folder, "out");
      return [
        (await lstat(out)).isDirectory(),
        (await readdir(out)).toSorted(),
        await readFile(path.join(out, "f"), "utf8"),
      ];
    },
    expected: [true, ["f", "l", "sub"], "hi\n"],
  },
  {
    name: "changes compare what linked folders hold",
    run: async ({ dag }) => {
      const linkedOne = made(dag).directory("link");
      const other = dag.directory().withNewFile("f", "hi\n");
      return [
        await linkedOne.changes(other).addedPaths(),
        await all(dag.directory().withChanges(linkedOne.changes(dag.directory()))),
      ];
    },
    expected: [["l", "sub/", "sub/g"], content],
  },
  {
    name: "digest, search, exists and files of a linked folder",
    run: async ({ dag }) => {
      const directory = made(dag).directory("link");
      return [
        (await directory.digest()) === (await made(dag).directory("real").digest()),
        await Promise.all((await directory.search({ pattern: "in" })).map((result) => result.filePath())),
        await directory.exists("sub/g"),
        await directory.file("f").contents(),
      ];
    },
    expected: [true, ["sub/g"], true, "hi\n"],
  },
  {
    name: "withTimestamps and chown of a linked folder",
    run: async ({ dag }) => {
      const directory = made(dag).directory("link");
      const owned = base(dag)
        .withDirectory("/o", directory.chown(".", "5:6"))
        .withExec(["stat", "-c", "%u:%g", "/o/f"])
        .stdout();
      return [await all(directory.withTimestamps(1)), await owned];
    },
    expected: [content, "5:6\n"],
  },
  {
    name: "a file that is reached through a link is a file",
    run: async ({ dag }) => [
      await linked(dag).file("/link/l").contents(),
      await dag.directory().withFile("x", linked(dag).file("/chain/sub/g")).file("x").contents(),
      await base(dag).withMountedFile("/f", linked(dag).file("/relative/l")).withExec(["cat", "/f"]).stdout(),
    ],
    expected: ["hi\n", "in\n", "hi\n"],
  },
  {
    name: "a link that leads nowhere is no folder",
    run: ({ dag }) =>
      dag.directory().withDirectory("x", dag.directory().withSymlink("nowhere", "l").directory("l")).entries(),
    fails: { message: /no such file or directory/ },
  },
];
