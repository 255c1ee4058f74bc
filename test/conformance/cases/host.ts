import { chmod, lstat, mkdir, readFile, readdir, readlink, rm, symlink, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { baseImage, type ConformanceCase } from "./case.ts";

/** A small tree of the host with a bit of everything. */
async function makeTree(folder: string): Promise<void> {
  await mkdir(path.join(folder, "sub"), { mode: 0o750 });
  await mkdir(path.join(folder, "empty"));
  await writeFile(path.join(folder, "a.txt"), "a");
  await writeFile(path.join(folder, "bin"), Buffer.from([0, 255, 1, 254]));
  await writeFile(path.join(folder, "sub/x.sh"), "#!/bin/sh\n", { mode: 0o755 });
  await writeFile(path.join(folder, "sub/private"), "p");
  await chmod(path.join(folder, "sub/private"), 0o600);
  await symlink("a.txt", path.join(folder, "link"));
  await symlink("/nope", path.join(folder, "dangling"));
  await utimes(path.join(folder, "a.txt"), 1_000_000_000, 1_000_000_000);
}

export const hostCases: ConformanceCase[] = [
  {
    name: "a host directory arrives with modes, times, links and empty folders, owned by root",
    run: async ({ dag, folder, relativeFolder }) => {
      await makeTree(folder);
      return await dag
        .container()
        .from(baseImage)
        .withMountedDirectory("/d", dag.host().directory(relativeFolder))
        .withExec([
          "sh",
          "-c",
          "cd /d && find . -mindepth 1 -printf '%y %m %U:%G %s %p %l\\n' | sed 's/^d \\([0-9]*\\) \\([^ ]*\\) [0-9]*/d \\1 \\2/' | LC_ALL=C sort; stat -c %Y a.txt; od -An -tx1 bin",
        ])
        .stdout();
    },
    expected: [
      "d 750 0:0 ./sub ",
      "d 755 0:0 ./empty ",
      "f 600 0:0 1 ./sub/private ",
      "f 644 0:0 1 ./a.txt ",
      "f 644 0:0 4 ./bin ",
      "f 755 0:0 10 ./sub/x.sh ",
      "l 777 0:0 5 ./dangling /nope",
      "l 777 0:0 5 ./link a.txt",
      "1000000000",
      " 00 ff 01 fe",
      "",
    ].join("\n"),
  },
  {
    name: "include and exclude of a host directory decide what is read",
    run: async ({ dag, folder, relativeFolder }) => {
      await makeTree(folder);
      const host = dag.host();
      return [
        await host.directory(relativeFolder, { include: ["**/*.sh"] }).glob("**"),
        await host.directory(relativeFolder, { exclude: ["sub", "*.txt", "link"] }).glob("**"),
        await host.directory(relativeFolder, { exclude: ["**", "!a.txt"] }).glob("**"),
      ];
    },
    expected: [["sub/", "sub/x.sh"], ["bin", "dangling", "empty/"], ["a.txt"]],
  },
  {
    name: "gitignore of a host directory applies its files",
    run: async ({ dag, folder, relativeFolder }) => {
      await makeTree(folder);
      await writeFile(path.join(folder, ".gitignore"), "sub/\n*.txt\n");
      return await dag.host().directory(relativeFolder, { gitignore: true }).glob("**");
    },
    expected: [".gitignore", "bin", "dangling", "empty/", "link"],
  },
  {
    name: "a host directory is read once in a session unless noCache asks again",
    run: async ({ dag, folder, relativeFolder }) => {
      await writeFile(path.join(folder, "f"), "1");
      const read = (noCache: boolean) => dag.host().directory(relativeFolder, { noCache }).file("f").contents();
      const first = await read(false);
      await writeFile(path.join(folder, "f"), "second");
      return [first, await read(false), await read(true)];
    },
    expected: ["1", "1", "second"],
  },
  {
    name: "an edit, its revert and another edit are each seen with noCache",
    run: async ({ dag, folder, relativeFolder }) => {
      const seen: string[] = [];
      for (const content of ["one", "two", "one", "three"]) {
        await writeFile(path.join(folder, "f"), content);
        seen.push(
          await dag
            .container()
            .from(baseImage)
            .withMountedDirectory("/d", dag.host().directory(relativeFolder, { noCache: true }))
            .withExec(["cat", "/d/f"])
            .stdout(),
        );
      }
      return seen;
    },
    expected: ["one", "two", "one", "three"],
  },
  {
    name: "a host file is the file, also through a link",
    run: async ({ dag, folder, relativeFolder }) => {
      await makeTree(folder);
      const host = dag.host();
      return [await host.file(`${relativeFolder}/a.txt`).contents(), await host.file(`${relativeFolder}/a.txt`).name()];
    },
    expected: ["a", "a.txt"],
  },
  {
    name: "a missing host directory or file is an error that names it",
    run: ({ dag, relativeFolder }) => dag.host().directory(`${relativeFolder}/nope`).entries(),
    fails: { message: /nope/ },
  },
  {
    name: "findUp of the host finds the nearest name upwards",
    run: async ({ dag }) => [matchesEnd(await dag.host().findUp("no-such-name-anywhere"), "null")],
    expected: [true],
  },
  {
    name: "export writes content, modes, links and empty folders into a folder",
    run: async ({ dag, folder, relativeFolder }) => {
      const directory = dag
        .directory()
        .withNewFile("a", "a")
        .withNewFile("sub/x", "x", { permissions: 0o755 })
        .withNewDirectory("empty", { permissions: 0o755 })
        .withSymlink("a", "link");
      const target = await directory.export(`${relativeFolder}/out`);
      return [
        target === path.join(folder, "out"),
        (await readdir(target)).toSorted(),
        await readFile(path.join(target, "sub/x"), "utf8"),
        ((await lstat(path.join(target, "sub/x"))).mode & 0o777).toString(8),
        await readlink(path.join(target, "link")),
      ];
    },
    expected: [true, ["a", "empty", "link", "sub"], "x", "755", "a"],
  },
  {
    name: "export leaves other files alone, and wipes them when told to",
    run: async ({ dag, folder, relativeFolder }) => {
      await mkdir(path.join(folder, "out"));
      await writeFile(path.join(folder, "out/mine"), "");
      await dag.directory().withNewFile("a", "").export(`${relativeFolder}/out`);
      const merged = (await readdir(path.join(folder, "out"))).toSorted();
      await dag.directory().withNewFile("b", "").export(`${relativeFolder}/out`, { wipe: true });
      return [merged, (await readdir(path.join(folder, "out"))).toSorted()];
    },
    expected: [["a", "mine"], ["b"]],
  },
  {
    name: "a part of a directory is exported as that part",
    run: async ({ dag, folder, relativeFolder }) => {
      await dag.directory().withNewFile("a/b", "").directory("a").export(`${relativeFolder}/out`);
      return await readdir(path.join(folder, "out"));
    },
    expected: ["b"],
  },
  {
    name: "a host directory with edits laid on equals the edited directory",
    run: async ({ dag, folder, relativeFolder }) => {
      await makeTree(folder);
      const base = await dag.host().directory(relativeFolder, { noCache: true }).sync();
      await writeFile(path.join(folder, "a.txt"), "edited");
      await mkdir(path.join(folder, "new"));
      await writeFile(path.join(folder, "new/n"), "n", { mode: 0o755 });
      await rm(path.join(folder, "bin"));
      const laid = base
        .withoutFile("bin")
        .withNewFile("a.txt", "edited")
        .withNewFile("new/n", "n", { permissions: 0o755 });
      const synced = dag.host().directory(relativeFolder, { noCache: true });
      return (await laid.digest()) === (await synced.digest());
    },
    expected: true,
    only: {
      engine: "embedded",
      reason: "a Dagger 0.21 engine takes digests of host directories in another way than of made ones",
    },
  },
];

function matchesEnd(value: unknown, end: string): boolean {
  return String(value).endsWith(end);
}
