import { chmod, mkdir, readFile, readdir, readlink, lstat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Client, Container, ContainerWithDirectoryOpts, Directory } from "@dagger.io/dagger";
import { recorded } from "../recorded/index.ts";
import { baseImage, type CaseContext, type ConformanceCase } from "./case.ts";
import { madeOf } from "./recorded-trees.ts";

const base = (dag: Client): Container => dag.container().from(baseImage);
const told = (container: Container, script: string): Promise<string> =>
  container.withExec(["sh", "-c", script]).stdout();
/** Everything below `/w` with mode, owner and type. */
const listed = async (container: Container): Promise<string[]> =>
  (
    await told(
      container,
      `cd /w && find . -mindepth 1 | LC_ALL=C sort | while read -r f; do stat -c '%n %a %u:%g %F' "$f"; done`,
    )
  )
    .trimEnd()
    .split("\n");

async function mixed({ dag, folder, relativeFolder }: CaseContext): Promise<Directory> {
  const modes: [string, number][] = [
    ["f", 0o640],
    ["x.sh", 0o755],
    ["d/g", 0o600],
    ["suid", 0o4755],
  ];
  await mkdir(path.join(folder, "d"));
  for (const [name, mode] of modes) {
    await writeFile(path.join(folder, name), name);
    await chmod(path.join(folder, name), mode);
  }
  await chmod(path.join(folder, "d"), 0o700);
  return dag.host().directory(relativeFolder);
}

const copied = async (context: CaseContext, options: ContainerWithDirectoryOpts): Promise<Container> =>
  base(context.dag).withDirectory("/w", await mixed(context), options);

/** What an export left below a folder of the host. */
async function left(folder: string, modes: boolean, below = ""): Promise<string[]> {
  const lines: string[] = [];
  for (const name of (await readdir(path.join(folder, below))).toSorted()) {
    const relative = path.join(below, name);
    const at = path.join(folder, relative);
    const stat = await lstat(at);
    const mode = modes ? ` ${(stat.mode & 0o7777).toString(8)}` : "";
    if (stat.isSymbolicLink()) lines.push(`l ${relative} -> ${await readlink(at)}`);
    else if (stat.isDirectory()) lines.push(`d${mode} ${relative}`, ...(await left(folder, modes, relative)));
    else lines.push(`f${mode} ${relative} = ${await readFile(at, "utf8")}`);
  }
  return lines;
}

const written = (dag: Client): Directory =>
  madeOf(dag, { a: "new", "d/b": "B" }).withNewFile("x", "X", { permissions: 0o755 }).withSymlink("a", "l");

async function planted(folder: string, files: Record<string, string>): Promise<void> {
  for (const [name, contents] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await chmod(path.dirname(path.join(folder, name)), 0o755);
    await writeFile(path.join(folder, name), contents);
    await chmod(path.join(folder, name), 0o644);
  }
}

async function exportedOver({ dag, folder, relativeFolder }: CaseContext, wipe: boolean): Promise<string[]> {
  await planted(folder, { a: "old and longer", keep: "K", "d/other": "O" });
  await written(dag).export(relativeFolder, { wipe });
  return await left(folder, true);
}

const mounting = (dag: Client): Container =>
  base(dag)
    .withNewFile("/m/under", "below")
    .withMountedDirectory("/m", madeOf(dag, { f: "1", "d/g": "2" }));
const changing = (dag: Client): Container =>
  mounting(dag).withExec(["sh", "-c", "ls -A /m; echo new > /m/new; echo changed > /m/f; rm -r /m/d"]);

export const recordedFileCases: ConformanceCase[] = [
  ...recorded("owner", {
    plain: async (context) => listed(await copied(context, {})),
    owner: async (context) => listed(await copied(context, { owner: "1000:1001" })),
    ownerName: async (context) => listed(await copied(context, { owner: "nobody" })),
    ownerOne: async (context) => listed(await copied(context, { owner: "1000" })),
    permissions: async (context) => listed(await copied(context, { permissions: 0o750 })),
    root: async (context) => told(await copied(context, { owner: "1000:1001" }), "stat -c '%a %u:%g' /w"),
    intoExisting: async (context) =>
      told(
        base(context.dag)
          .withNewFile("/w/old", "1")
          .withDirectory("/w", await mixed(context), { owner: "7:8" }),
        "stat -c '%n %u:%g' /w /w/old /w/f",
      ),
    mounted: async (context) => listed(base(context.dag).withMountedDirectory("/w", await mixed(context))),
    mountedOwner: async (context) =>
      listed(base(context.dag).withMountedDirectory("/w", await mixed(context), { owner: "1000:1001" })),
    chown: async (context) => listed(base(context.dag).withDirectory("/w", (await mixed(context)).chown("d", "5:6"))),
    dirOwnerNumbers: async (context) =>
      listed(
        base(context.dag).withDirectory(
          "/w",
          context.dag.directory().withDirectory("/", await mixed(context), { owner: "9:9" }),
        ),
      ),
  }),
  ...recorded("new file", {
    dflt: ({ dag }) => told(base(dag).withNewFile("/w/f", "x"), "stat -c '%n %a %u:%g' /w /w/f"),
    opts: ({ dag }) =>
      told(
        base(dag).withNewFile("/w/f", "x", { permissions: 0o400, owner: "1000:1001" }),
        "stat -c '%n %a %u:%g' /w /w/f",
      ),
    ownerName: ({ dag }) => told(base(dag).withNewFile("/w/f", "x", { owner: "www-data" }), "stat -c '%a %u:%g' /w/f"),
    relative: ({ dag }) => told(base(dag).withWorkdir("/rel").withNewFile("sub/f", "x"), "cat sub/f; pwd"),
    fileIntoDir: ({ dag }) =>
      base(dag)
        .withFile("/w/", madeOf(dag, { named: "n" }).file("named"))
        .directory("/w")
        .entries(),
    files: ({ dag }) =>
      base(dag)
        .withFiles("/w", [madeOf(dag, { one: "1" }).file("one"), dag.file("two", "2")])
        .directory("/w")
        .entries(),
    overwrite: ({ dag }) => base(dag).withNewFile("/etc/hostname", "mine").file("/etc/hostname").contents(),
    throughLink: ({ dag }) =>
      base(dag)
        .withSymlink("/real", "/link")
        .withNewFile("/real/x", "1")
        .withNewFile("/link/y", "2")
        .directory("/real")
        .entries(),
  }),
  ...recorded("export", {
    merged: (context) => exportedOver(context, false),
    wiped: (context) => exportedOver(context, true),
    conflict: async ({ dag, folder, relativeFolder }) => {
      await planted(folder, { d: "a file in the way" });
      await written(dag).export(relativeFolder);
      return await left(folder, false);
    },
    links: async ({ dag, folder, relativeFolder }) => {
      await planted(folder, { "real/old": "1", f: "file" });
      await symlink("real", path.join(folder, "link"));
      await symlink("f", path.join(folder, "fl"));
      await madeOf(dag, { x: "X" }).export(path.join(relativeFolder, "link"));
      await madeOf(dag, { s: "through" }).file("s").export(path.join(relativeFolder, "fl"));
      return await left(folder, false);
    },
  }),
  ...recorded("host", {
    hostIncludeLeadingSlash: async ({ dag, folder, relativeFolder }) => {
      await planted(folder, { "a.txt": "A", "d/b.txt": "B" });
      return (
        await dag
          .host()
          .directory(relativeFolder, { include: ["/a.txt"] })
          .glob("**")
      ).toSorted();
    },
    hostExcludeLeadingSlash: async ({ dag, folder, relativeFolder }) => {
      await planted(folder, { "a.txt": "A", "d/b.txt": "B" });
      return (
        await dag
          .host()
          .directory(relativeFolder, { exclude: ["/a.txt"] })
          .glob("**")
      ).toSorted();
    },
  }),
  ...recorded("mount", {
    seen: ({ dag }) => changing(dag).stdout(),
    exported: async ({ dag, folder, relativeFolder }) => {
      await changing(dag).directory("/m").export(relativeFolder);
      return await left(folder, false);
    },
    next: ({ dag }) => told(changing(dag), "cat /m/f; ls /m"),
    unmounted: ({ dag }) => changing(dag).withoutMount("/m").directory("/m").glob("**"),
    relative: ({ dag }) => base(dag).withWorkdir("/w").withMountedDirectory("r", dag.directory()).mounts(),
    created: ({ dag }) =>
      base(dag).withMountedDirectory("/created/here", dag.directory()).withoutMount("/created/here").exists("/created"),
  }),
];
