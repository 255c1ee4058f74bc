import { ExistsType } from "@dagger.io/dagger";
import { baseImage, type ConformanceCase } from "./case.ts";

/** Prints type, mode, owner, size and name of everything below a folder. */
const listing = (folder: string): string[] => [
  "sh",
  "-c",
  `cd ${folder} && find . -printf '%y %m %U:%G %p %l\\n' | LC_ALL=C sort -k4`,
];

export const containerFileCases: ConformanceCase[] = [
  {
    name: "withNewFile writes text with 0644 and root as owner",
    run: ({ dag }) => dag.container().from(baseImage).withNewFile("/d/f", "text").withExec(listing("/d")).stdout(),
    expected: "d 755 0:0 . \nf 644 0:0 ./f \n",
  },
  {
    name: "withNewFile takes permissions and owner, by number and by name",
    run: ({ dag }) =>
      dag
        .container()
        .from(baseImage)
        .withNewFile("/d/g", "x", { permissions: 0o700, owner: "1000:1001" })
        .withNewFile("/d/n", "x", { owner: "nobody" })
        .withNewFile("/d/o", "x", { owner: "nobody:daemon" })
        .withExec(listing("/d"))
        .stdout(),
    expected: "d 755 0:0 . \nf 700 1000:1001 ./g \nf 644 65534:65534 ./n \nf 644 65534:1 ./o \n",
  },
  {
    name: "an owner that does not exist is an error that names it",
    run: ({ dag }) => dag.container().from(baseImage).withNewFile("/f", "x", { owner: "nosuch" }).sync(),
    fails: { message: /nosuch/ },
  },
  {
    name: "withNewFile replaces what was there",
    run: ({ dag }) =>
      dag.container().from(baseImage).withNewFile("/f", "1").withNewFile("/f", "2").file("/f").contents(),
    expected: "2",
  },
  {
    name: "relative paths are relative to the working directory",
    run: async ({ dag }) => {
      const container = dag.container().withWorkdir("/w").withNewFile("f", "x");
      return [await container.rootfs().glob("**"), await container.file("f").contents()];
    },
    expected: [["w/", "w/f"], "x"],
  },
  {
    name: "expand replaces variables in paths",
    run: ({ dag }) =>
      dag
        .container()
        .withEnvVariable("D", "deep")
        .withNewFile("/${D}/f", "x", { expand: true })
        .file("/$D/f", { expand: true })
        .contents(),
    expected: "x",
  },
  {
    name: "withDirectory copies content with modes and links",
    run: ({ dag }) => {
      const source = dag
        .directory()
        .withNewFile("a.txt", "a")
        .withNewFile("run.sh", "#!/bin/sh", { permissions: 0o755 })
        .withNewFile("sub/secret", "s", { permissions: 0o600 })
        .withNewDirectory("empty", { permissions: 0o700 })
        .withSymlink("a.txt", "link");
      return dag.container().from(baseImage).withDirectory("/d", source).withExec(listing("/d")).stdout();
    },
    expected:
      "d 755 0:0 . \nf 644 0:0 ./a.txt \nd 700 0:0 ./empty \nl 777 0:0 ./link a.txt\nf 755 0:0 ./run.sh \nd 755 0:0 ./sub \nf 600 0:0 ./sub/secret \n",
  },
  {
    name: "withDirectory merges into what is there",
    run: ({ dag }) =>
      dag
        .container()
        .withDirectory("/d", dag.directory().withNewFile("a", "1").withNewFile("b", "1"))
        .withDirectory("/d", dag.directory().withNewFile("b", "2").withNewFile("c", "2"))
        .directory("/d")
        .entries(),
    expected: ["a", "b", "c"],
  },
  {
    name: "withDirectory copies only what include and exclude leave",
    run: async ({ dag }) => {
      const source = dag
        .directory()
        .withNewFile("a.go", "")
        .withNewFile("b.txt", "")
        .withNewFile("sub/c.go", "")
        .withNewFile("sub/d.md", "");
      return [
        await dag
          .container()
          .withDirectory("/", source, { include: ["**/*.go"] })
          .rootfs()
          .glob("**"),
        await dag
          .container()
          .withDirectory("/", source, { exclude: ["sub"] })
          .rootfs()
          .glob("**"),
        await dag
          .container()
          .withDirectory("/", source, { include: ["sub"], exclude: ["**/*.md"] })
          .rootfs()
          .glob("**"),
      ];
    },
    expected: [
      ["a.go", "sub/", "sub/c.go"],
      ["a.go", "b.txt"],
      ["sub/", "sub/c.go"],
    ],
  },
  {
    name: "withDirectory gives everything the wanted owner",
    run: ({ dag }) =>
      dag
        .container()
        .from(baseImage)
        .withDirectory("/d", dag.directory().withNewFile("sub/f", ""), { owner: "nobody" })
        .withExec(listing("/d"))
        .stdout(),
    expected: "d 755 65534:65534 . \nd 755 65534:65534 ./sub \nf 644 65534:65534 ./sub/f \n",
  },
  {
    name: "withFile copies a file under its new name, with its mode or another",
    run: ({ dag }) => {
      const file = dag.directory().withNewFile("f", "x", { permissions: 0o755 }).file("f");
      return dag
        .container()
        .from(baseImage)
        .withFile("/d/h", file)
        .withFile("/d/sub/i", file, { permissions: 0o400, owner: "7:8" })
        .withExec(listing("/d"))
        .stdout();
    },
    expected: "d 755 0:0 . \nf 755 0:0 ./h \nd 755 0:0 ./sub \nf 400 7:8 ./sub/i \n",
  },
  {
    name: "withFiles puts files into a folder under their names",
    run: async ({ dag }) => {
      const directory = dag.directory().withNewFile("a", "1").withNewFile("sub/b", "2");
      return await dag
        .container()
        .withFiles("/d", [directory.file("a"), directory.file("sub/b")])
        .rootfs()
        .glob("**");
    },
    expected: ["d/", "d/a", "d/b"],
  },
  {
    name: "withoutFile, withoutFiles and withoutDirectory remove, and do not mind what is missing",
    run: ({ dag }) =>
      dag
        .container()
        .withDirectory(
          "/",
          dag.directory().withNewFile("a", "").withNewFile("b", "").withNewFile("c", "").withNewFile("d/e", ""),
        )
        .withoutFile("/a")
        .withoutFiles(["/b", "/nothing"])
        .withoutDirectory("/d")
        .withoutDirectory("/nothing")
        .rootfs()
        .glob("**"),
    expected: ["c"],
  },
  {
    name: "withSymlink makes a link that commands follow",
    run: ({ dag }) =>
      dag
        .container()
        .from(baseImage)
        .withNewFile("/t", "x")
        .withSymlink("/t", "/l/ink")
        .withExec(["cat", "/l/ink"])
        .stdout(),
    expected: "x",
  },
  {
    name: "directory and file of an image are its own",
    run: async ({ dag }) => {
      const container = dag.container().from(baseImage);
      return [
        (await container.directory("/etc").entries()).includes("passwd"),
        (await container.file("/etc/passwd").contents()).startsWith("root:"),
      ];
    },
    expected: [true, true],
  },
  {
    name: "a missing file of a container is an error that names it",
    run: ({ dag }) => dag.container().from(baseImage).file("/nope").contents(),
    fails: { message: /\/nope: no such file or directory/ },
  },
  {
    name: "exists answers for each type of path",
    run: async ({ dag }) => {
      const container = dag.container().withNewFile("/d/f", "").withSymlink("f", "/d/l");
      return [
        await container.exists("/d/f"),
        await container.exists("/d", { expectedType: ExistsType.DirectoryType }),
        await container.exists("/d", { expectedType: ExistsType.RegularType }),
        await container.exists("/d/l", { expectedType: ExistsType.SymlinkType }),
        await container.exists("/d/l", { expectedType: ExistsType.RegularType }),
        await container.exists("/no"),
      ];
    },
    expected: [true, true, false, true, true, false],
  },
];
