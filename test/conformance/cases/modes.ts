import { chmod, lstat, mkdir, readFile, readlink, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Client, Container, Directory } from "@dagger.io/dagger";
import { baseImage, type ConformanceCase } from "./case.ts";

const base = (dag: Client): Container => dag.container().from(baseImage);
const told = (container: Container, script: string): Promise<string> =>
  container.withExec(["sh", "-c", script]).stdout();
/** `mode owner` of some paths of a directory that is mounted at `/w`. */
const modes = async (dag: Client, directory: Directory, ...names: string[]): Promise<string[]> =>
  (await told(base(dag).withMountedDirectory("/w", directory), `cd /w && stat -c '%a %u:%g' ${names.join(" ")}`))
    .trimEnd()
    .split("\n");
const priv = (dag: Client): Directory =>
  dag.directory().withNewDirectory("p", { permissions: 0o700 }).withNewFile("p/f", "f", { permissions: 0o640 });

/** Owners, modes and set-id bits through every way of copying and making; expected is what Dagger 0.21.8 does by its source. */
export const modeCases: ConformanceCase[] = [
  {
    name: "a folder that a copy makes has the mode of the one that is copied",
    run: ({ dag }) => modes(dag, dag.directory().withDirectory("q", priv(dag).directory("p")), "q", "q/f"),
    expected: ["700 0:0", "640 0:0"],
  },
  {
    name: "a made folder that is copied into gets the mode of the one that is copied",
    run: ({ dag }) => modes(dag, priv(dag).withDirectory("p", dag.directory().withNewFile("g", "")), "p", "p/f", "p/g"),
    expected: ["755 0:0", "640 0:0", "644 0:0"],
  },
  {
    name: "permissions of withDirectory hold for the folder and all in it",
    run: ({ dag }) =>
      modes(dag, dag.directory().withDirectory("q", priv(dag), { permissions: 0o750 }), "q", "q/p", "q/p/f"),
    expected: ["750 0:0", "750 0:0", "750 0:0"],
  },
  {
    name: "owner of withDirectory holds for the folder and all in it, parents are root's",
    run: ({ dag }) =>
      modes(dag, dag.directory().withDirectory("a/q", priv(dag), { owner: "3:4" }), "a", "a/q", "a/q/p", "a/q/p/f"),
    expected: ["755 0:0", "755 3:4", "700 3:4", "640 3:4"],
  },
  {
    name: "an owner given to a copy reaches a folder that an exec made, through its own place only",
    run: ({ dag }) =>
      told(
        base(dag)
          .withExec(["sh", "-c", "mkdir -m 711 /w && ln -s /w /l && echo old > /w/old"])
          .withDirectory("/w", priv(dag), { owner: "3:4" }),
        "stat -c '%n %u:%g' /w /w/old /w/p; readlink /l",
      ),
    expected: "/w 3:4\n/w/old 0:0\n/w/p 3:4\n/w\n",
  },
  {
    name: "a copy to a linked folder leaves the link",
    run: ({ dag }) =>
      told(
        base(dag)
          .withExec(["sh", "-c", "mkdir /real && ln -s real /l"])
          .withDirectory("/l", priv(dag), { owner: "3:4" }),
        "readlink /l; ls /real",
      ),
    expected: "real\np\n",
  },
  {
    name: "permissions of withFile take set-id bits, those of withNewFile do not",
    run: ({ dag }) => {
      const file = dag.file("f", "x");
      return modes(
        dag,
        dag
          .directory()
          .withFile("a", file, { permissions: 0o4755 })
          .withFile("b", file, { permissions: 0o2711 })
          .withNewFile("c", "", { permissions: 0o4755 }),
        "a",
        "b",
        "c",
      );
    },
    expected: ["4755 0:0", "2711 0:0", "755 0:0"],
  },
  {
    name: "withNewFile over a file of a directory keeps its mode",
    run: async ({ dag, folder, relativeFolder }) => {
      await writeFile(path.join(folder, "h"), "");
      await chmod(path.join(folder, "h"), 0o751);
      const made = dag
        .directory()
        .withNewFile("f", "", { permissions: 0o600 })
        .withNewFile("f", "new", { permissions: 0o644 });
      const host = dag.host().directory(relativeFolder).withNewFile("h", "new", { permissions: 0o600 });
      const ran = base(dag)
        .withExec(["sh", "-c", "mkdir /d && echo > /d/e && chmod 604 /d/e && chown 5:6 /d/e"])
        .directory("/d")
        .withNewFile("e", "new");
      return [
        ...(await modes(dag, made, "f")),
        ...(await modes(dag, host, "h")),
        ...(await modes(dag, ran, "e")),
        await ran.file("e").contents(),
      ];
    },
    expected: ["600 0:0", "751 0:0", "604 5:6", "new"],
  },
  {
    name: "a file that was removed before is a new one",
    run: ({ dag }) =>
      modes(
        dag,
        dag.directory().withNewFile("f", "", { permissions: 0o600 }).withoutFile("f").withNewFile("f", ""),
        "f",
      ),
    expected: ["644 0:0"],
  },
  {
    name: "withNewFile over a file of a container gives the new one's mode and owner",
    run: ({ dag }) =>
      told(
        base(dag).withNewFile("/f", "", { permissions: 0o600, owner: "5:6" }).withNewFile("/f", "new"),
        "stat -c '%a %u:%g' /f",
      ),
    expected: "644 0:0\n",
  },
  {
    name: "withNewDirectory gives parents that it makes the same mode",
    run: ({ dag }) =>
      modes(
        dag,
        dag
          .directory()
          .withNewDirectory("a/b", { permissions: 0o711 })
          .withNewDirectory("a/b/c/d", { permissions: 0o750 }),
        "a",
        "a/b",
        "a/b/c",
        "a/b/c/d",
      ),
    expected: ["711 0:0", "711 0:0", "750 0:0", "750 0:0"],
  },
  {
    name: "withNewDirectory does not leave the directory",
    run: ({ dag }) => dag.directory().withNewDirectory("../x").entries(),
    fails: { message: /cannot create directory outside parent: \.\.\/x/ },
  },
  {
    name: "chown takes the set-uid bit of files",
    run: ({ dag }) => {
      const made = dag.directory().withFile("d/s", dag.file("s", ""), { permissions: 0o4755 });
      return Promise.all([
        modes(dag, made.chown("d", "5:6"), "d", "d/s"),
        modes(dag, dag.directory().withFile("s", made.file("d/s").chown("5:6")), "s"),
      ]);
    },
    expected: [["755 5:6", "755 5:6"], ["755 5:6"]],
  },
  {
    name: "an owner for a mounted file takes its set-uid bit, one for a copied file does not",
    run: ({ dag }) => {
      const file = dag.directory().withFile("s", dag.file("s", ""), { permissions: 0o4755 }).file("s");
      return told(
        base(dag).withMountedFile("/m", file, { owner: "5:6" }).withFile("/c", file, { owner: "5:6" }),
        "stat -c '%a %u:%g' /m /c",
      );
    },
    expected: "755 5:6\n4755 5:6\n",
  },
  {
    name: "an owner that nobody has is named",
    run: ({ dag }) => dag.directory().withDirectory("/", dag.directory(), { owner: "nobody" }).entries(),
    fails: { message: /nobody/ },
  },
  {
    name: "a relative path loses its slash: a file goes there, an absolute one names a folder",
    run: async ({ dag }) => {
      const file = dag.file("f", "x");
      const container = dag.container().withWorkdir("/w").withFile("rel/", file).withFile("/abs/", file);
      return [await container.directory("/w").entries(), await container.directory("/abs").entries()];
    },
    expected: [["rel"], ["f"]],
  },
  {
    name: "withTimestamps and chown leave a part what it is called",
    run: async ({ dag }) => {
      const part = priv(dag).directory("p");
      return [
        await part.withTimestamps(5).name(),
        await part.chown(".", "5:6").name(),
        await part.withTimestamps(5).entries(),
      ];
    },
    expected: ["p/", "p/", ["f"]],
  },
  {
    name: "the root of a directory is not removed",
    run: ({ dag }) => priv(dag).withoutDirectory("/").entries(),
    fails: { message: /device or resource busy/ },
  },
  {
    name: "a directory has no difference to itself, however it is said",
    run: async ({ dag }) => {
      const made = priv(dag);
      return [
        await made.diff(made).entries(),
        await made.diff(priv(dag)).entries(),
        await dag.directory().diff(dag.directory()).entries(),
        await dag.directory().diff(made).entries(),
        await made.diff(dag.directory()).entries(),
      ];
    },
    expected: [[], [], [], ["p/"], []],
  },
  {
    name: "of modes only the right to execute is a change; a link in a file's place is one",
    run: async ({ dag }) => {
      const file = (permissions: number): Directory => dag.directory().withNewFile("f", "same", { permissions });
      const modified = (after: Directory): Promise<string[]> => after.changes(file(0o644)).modifiedPaths();
      return [
        await modified(file(0o600)),
        await modified(file(0o755)),
        await modified(dag.directory().withSymlink("x", "f")),
      ];
    },
    expected: [[], ["f"], ["f"]],
  },
  {
    name: "diffStats tell a file that has another name from one that went and one that came",
    run: async ({ dag }) => {
      const text = "one\ntwo\nthree\nfour\nfive\n";
      const before = dag.directory().withNewFile("a", text).withNewFile("gone", "g\n");
      const stats = await dag
        .directory()
        .withNewFile("b", `${text}six\n`)
        .withNewFile("new", "n\n")
        .changes(before)
        .diffStats();
      return await Promise.all(
        stats.map(async (stat) => [
          await stat.kind(),
          await stat.path(),
          await stat.oldPath(),
          await stat.addedLines(),
          await stat.removedLines(),
        ]),
      );
    },
    expected: [
      ["RENAMED", "b", "a", 1, 0],
      ["REMOVED", "gone", null, 0, 1],
      ["ADDED", "new", null, 1, 0],
    ],
  },
  {
    name: "a file that is not there is the fault of file, aliases before it are fields again, and nothing is answered",
    run: async ({ query }) => {
      const { errors = [], data } = await query('{ok:directory{entries} bad:directory{file(path:"nope"){contents}}}');
      return [errors.map(({ path: at, message }) => [at, /no such file/.test(message)]), data];
    },
    expected: [[[["directory", "file"], true]], null],
  },
  {
    name: "findUp gives the path as it was walked, and looks from a folder only",
    run: async ({ dag }) => {
      const made = dag.directory().withNewFile("z", "").withNewFile("d/x/y", "").withSymlink("nowhere", "d/l");
      const failed = (start: string): Promise<unknown> =>
        made
          .findUp("z", start)
          .catch((error: Error) => /no such file|not a directory|outside/.exec(error.message)?.[0]);
      return [
        await made.findUp("z", "d/x"),
        await made.findUp("z", "/d/x"),
        await made.findUp("l", "d/x"),
        await failed("nope"),
        await failed("z"),
        await failed("../a"),
      ];
    },
    expected: ["z", "/z", "d/l", "z", "not a directory", "outside"],
  },
  {
    name: "an export over a file keeps that file's mode, through links that lead to nothing too",
    run: async ({ dag, folder, relativeFolder }) => {
      await writeFile(path.join(folder, "there"), "a longer text");
      await chmod(path.join(folder, "there"), 0o604);
      await mkdir(path.join(folder, "d"));
      await symlink("d/target", path.join(folder, "link"));
      const file = dag.directory().withNewFile("f", "x", { permissions: 0o755 }).file("f");
      await file.export(path.join(relativeFolder, "there"));
      await file.export(path.join(relativeFolder, "link"));
      const mode = async (name: string): Promise<string> =>
        ((await stat(path.join(folder, name))).mode & 0o777).toString(8);
      return [
        await mode("there"),
        await readFile(path.join(folder, "there"), "utf8"),
        await readlink(path.join(folder, "link")),
        await mode("d/target"),
        (await lstat(path.join(folder, "d/target"))).isFile(),
      ];
    },
    expected: ["604", "x", "d/target", "755", true],
  },
];
