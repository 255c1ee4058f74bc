import type { DirectorySearchOpts } from "@dagger.io/dagger";
import { baseImage, type ConformanceCase } from "./case.ts";

export const directoryCases: ConformanceCase[] = [
  {
    name: "entries are sorted, folders end with a slash",
    run: ({ dag }) =>
      dag
        .directory()
        .withNewFile("z", "")
        .withNewFile("d/x", "")
        .withNewDirectory("empty")
        .withSymlink("z", "ln")
        .entries(),
    expected: ["d/", "empty/", "ln", "z"],
  },
  {
    name: "an empty directory has no entries",
    run: async ({ dag }) => [
      await dag.directory().entries(),
      await dag.directory().glob("**"),
      await dag.directory().name(),
    ],
    expected: [[], [], "/"],
  },
  {
    name: "entries of a path are those of the folder there",
    run: ({ dag }) => dag.directory().withNewFile("d/x/y", "").entries({ path: "d" }),
    expected: ["x/"],
  },
  {
    name: "entries of a missing path are an error",
    run: ({ dag }) => dag.directory().entries({ path: "missing" }),
    fails: { message: /missing: no such file or directory/ },
  },
  {
    name: "glob matches whole paths, deep ones with two stars",
    run: async ({ dag }) => {
      const directory = dag
        .directory()
        .withNewFile("z.txt", "")
        .withNewFile("d/x/y.txt", "")
        .withNewDirectory("empty")
        .withSymlink("z.txt", "ln");
      return await Promise.all(
        ["**", "**/*.txt", "*", "d/**", "nomatch*", "d", "**/x"].map((pattern) => directory.glob(pattern)),
      );
    },
    expected: [
      ["d/", "d/x/", "d/x/y.txt", "empty/", "ln", "z.txt"],
      ["d/x/y.txt", "z.txt"],
      ["d/", "empty/", "ln", "z.txt"],
      ["d/x/", "d/x/y.txt"],
      [],
      ["d/"],
      ["d/x/"],
    ],
  },
  {
    name: "a pattern that is none is refused",
    run: ({ dag }) => dag.directory().withNewFile("a", "").glob("["),
    fails: { message: /syntax error in pattern/ },
  },
  {
    name: "paths never leave the tree",
    run: async ({ dag }) => [
      await dag.directory().withNewFile("../x", "").entries(),
      await dag.directory().withNewFile("/abs/x", "").glob("**"),
      await dag.directory().withNewFile("a/b", "").directory("a").withNewFile("../../c", "").entries(),
    ],
    expected: [["x"], ["abs/", "abs/x"], ["b"]],
  },
  {
    name: "directory and its name are those of the part",
    run: async ({ dag }) => {
      const part = dag.directory().withNewFile("a/b/c", "x").directory("a/b");
      return [await part.name(), await part.entries(), await part.file("c").contents()];
    },
    expected: ["b/", ["c"], "x"],
  },
  {
    name: "a missing directory fails when it is looked into",
    run: ({ dag }) => dag.directory().directory("missing").entries(),
    fails: { message: /missing: no such file or directory/ },
  },
  {
    name: "a file is no directory and a directory no file",
    run: async ({ dag }) => {
      const directory = dag.directory().withNewFile("d/x", "").withNewFile("f", "");
      const messages = await Promise.all(
        [directory.directory("f").entries(), directory.file("d").contents()].map((promise: Promise<unknown>) =>
          promise.then(
            () => "no error",
            (error: Error) => error.message,
          ),
        ),
      );
      return messages.map((message) => /directory/.test(message));
    },
    expected: [true, true],
  },
  {
    name: "withNewFile makes parents and can be read back",
    run: ({ dag }) => dag.directory().withNewFile("a/b/c.txt", "text äöü 🚀\n").file("a/b/c.txt").contents(),
    expected: "text äöü 🚀\n",
  },
  {
    name: "withNewFile can write an empty file",
    run: async ({ dag }) => {
      const file = dag.directory().withNewFile("e", "").file("e");
      return [await file.contents(), await file.size()];
    },
    expected: ["", 0],
  },
  {
    name: "withDirectory puts a directory into another",
    run: ({ dag }) => dag.directory().withDirectory("in/side", dag.directory().withNewFile("a", "")).glob("**"),
    expected: ["in/", "in/side/", "in/side/a"],
  },
  {
    name: "withDirectory of an empty directory makes the folder",
    run: ({ dag }) => dag.directory().withDirectory("empty", dag.directory()).entries(),
    expected: ["empty/"],
  },
  {
    name: "withDirectory takes a part of another directory",
    run: ({ dag }) =>
      dag.directory().withDirectory("/", dag.directory().withNewFile("x/y/z", "").directory("x")).glob("**"),
    expected: ["y/", "y/z"],
  },
  {
    name: "filter keeps what is included and not excluded",
    run: async ({ dag }) => {
      const directory = dag
        .directory()
        .withNewFile("a.sh", "")
        .withNewFile("b.txt", "")
        .withNewFile("sub/c.sh", "")
        .withNewFile("sub/d.txt", "");
      return [
        await directory.filter({ include: ["**/*.sh"] }).glob("**"),
        await directory.filter({ exclude: ["**/*.sh"] }).glob("**"),
        await directory.filter({ exclude: ["**", "!b.txt"] }).glob("**"),
      ];
    },
    expected: [["a.sh", "sub/", "sub/c.sh"], ["b.txt", "sub/", "sub/d.txt"], ["b.txt"]],
  },
  {
    name: "filter applies .gitignore files when asked to",
    run: ({ dag }) =>
      dag
        .directory()
        .withNewFile(".gitignore", "*.log\n/build/\n!keep.log\n")
        .withNewFile("a.log", "")
        .withNewFile("keep.log", "")
        .withNewFile("build/x", "")
        .withNewFile("sub/build/y", "")
        .withNewFile("sub/b.log", "")
        .filter({ gitignore: true })
        .glob("**"),
    expected: [".gitignore", "keep.log", "sub/", "sub/build/", "sub/build/y"],
  },
  {
    name: "without* remove files, folders and what a pattern matches",
    run: async ({ dag }) => {
      const directory = dag
        .directory()
        .withNewFile("a.x", "")
        .withNewFile("b.x", "")
        .withNewFile("c", "")
        .withNewFile("d/e", "");
      return [
        await directory.withoutFile("c").entries(),
        await directory.withoutFile("*.x").entries(),
        await directory.withoutFiles(["c", "a.x"]).entries(),
        await directory.withoutDirectory("d").entries(),
        await directory.withoutFile("missing").entries(),
      ];
    },
    expected: [
      ["a.x", "b.x", "d/"],
      ["c", "d/"],
      ["b.x", "d/"],
      ["a.x", "b.x", "c"],
      ["a.x", "b.x", "c", "d/"],
    ],
  },
  {
    name: "diff has what the other directory adds and changes",
    run: async ({ dag }) => {
      const lower = dag.directory().withNewFile("same", "1").withNewFile("changed", "1").withNewFile("gone", "1");
      const upper = lower.withNewFile("changed", "2").withNewFile("new/f", "2").withoutFile("gone");
      const diff = lower.diff(upper);
      return [await diff.glob("**"), await diff.file("changed").contents()];
    },
    expected: [["changed", "new/", "new/f"], "2"],
  },
  {
    name: "equal content has one digest however it was made",
    run: async ({ dag }) => {
      const a = dag.directory().withNewFile("x", "1");
      const b = dag.directory().withNewFile("y", "1").withNewFile("x", "1").withoutFile("y");
      const c = dag.directory().withNewFile("x", "2");
      const d = dag.directory().withNewFile("x", "1", { permissions: 0o755 });
      const [first, ...others] = await Promise.all([a, b, c, d].map((directory) => directory.digest()));
      return [/^sha256:[0-9a-f]{64}$/.test(first!), ...others.map((digest) => digest === first)];
    },
    expected: [true, true, false, false],
  },
  {
    name: "withTimestamps sets the time of everything",
    run: ({ dag }) =>
      dag
        .container()
        .from(baseImage)
        .withMountedDirectory("/d", dag.directory().withNewFile("sub/f", "").withTimestamps(1_000_000_000))
        .withExec(["sh", "-c", "find /d -mindepth 1 -printf '%p %T@\\n' | LC_ALL=C sort"])
        .stdout(),
    expected: "/d/sub 1000000000.0000000000\n/d/sub/f 1000000000.0000000000\n",
  },
  {
    name: "chown changes a path and what is below",
    run: ({ dag }) =>
      dag
        .container()
        .from(baseImage)
        .withMountedDirectory("/d", dag.directory().withNewFile("a/b", "").withNewFile("c", "").chown("a", "5:6"))
        .withExec(["sh", "-c", "stat -c '%u:%g %n' /d/a /d/a/b /d/c"])
        .stdout(),
    expected: "5:6 /d/a\n5:6 /d/a/b\n0:0 /d/c\n",
  },
  {
    name: "findUp finds a name from a folder upwards",
    run: async ({ dag }) => {
      const directory = dag.directory().withNewFile("z.txt", "").withNewFile("d/x/y", "");
      return [
        await directory.findUp("z.txt", "d/x"),
        await directory.findUp("y", "d/x"),
        await directory.findUp("none", "d/x"),
      ];
    },
    expected: ["z.txt", "d/x/y", null],
  },
  {
    name: "stat tells type, size and permissions",
    run: async ({ query }) => {
      const answer = await query(
        `{directory{withNewFile(path:"sub/x.sh",contents:"ab",permissions:493){withSymlink(target:"sub",linkName:"ln"){stat(path:"sub/x.sh"){name size fileType permissions} l:stat(path:"ln",doNotFollowSymlinks:true){name fileType size}}}}}`,
      );
      return (answer.data as { directory: { withNewFile: { withSymlink: unknown } } }).directory.withNewFile
        .withSymlink;
    },
    expected: {
      stat: { name: "x.sh", size: 2, fileType: "REGULAR", permissions: 493 },
      l: { name: "ln", fileType: "SYMLINK", size: 3 },
    },
  },
  {
    name: "search finds lines with their places",
    run: async ({ dag }) => {
      const results = await dag
        .directory()
        .withNewFile("a.txt", "one\ntwo one\n")
        .withNewFile("sub/b.txt", "none\n")
        .search({ pattern: "one" });
      return await Promise.all(
        results.map(async (result) => [
          await result.filePath(),
          await result.lineNumber(),
          await result.matchedLines(),
        ]),
      );
    },
    expected: [
      ["a.txt", 1, "one\n"],
      ["a.txt", 2, "two one\n"],
      ["sub/b.txt", 1, "none\n"],
    ],
  },
  {
    name: "search is literal, insensitive, across lines, for files only, or limited, as asked",
    run: async ({ dag }) => {
      const directory = dag.directory().withNewFile("a.txt", "a.c\nABC\nend\n").withNewFile("b.md", "abc\n");
      const found = async (options: DirectorySearchOpts) => {
        const results = await directory.search(options);
        const texts = await Promise.all(
          results.map(
            async (each) => `${await each.filePath()}:${await each.lineNumber()}:${await each.matchedLines()}`,
          ),
        );
        return texts.toSorted();
      };
      return [
        await found({ pattern: "a.c" }),
        await found({ pattern: "a.c", literal: true }),
        await found({ pattern: "abc", insensitive: true }),
        await found({ pattern: "ABC\\nend", multiline: true }),
        await found({ pattern: "ABC.end", multiline: true }),
        await found({ pattern: "ABC.end", multiline: true, dotall: true }),
        await found({ pattern: "a", filesOnly: true }),
        (await found({ pattern: "c", insensitive: true, limit: 2 })).length,
        await found({ pattern: "nowhere" }),
      ];
    },
    expected: [
      ["a.txt:1:a.c\n", "b.md:1:abc\n"],
      ["a.txt:1:a.c\n"],
      ["a.txt:2:ABC\n", "b.md:1:abc\n"],
      ["a.txt:2:ABC\nend\n"],
      [],
      ["a.txt:2:ABC\nend\n"],
      ["a.txt:0:", "b.md:0:"],
      2,
      [],
    ],
  },
  {
    name: "search looks where paths and globs say; what is hidden or ignored it leaves out when told to",
    run: async ({ dag }) => {
      const names = ["src/a.ts", "src/b.js", "test/a.ts", ".hidden/a.ts", "out/a.ts", "logs/keep.log", "logs/drop.log"];
      const files = names.reduce((directory, name) => directory.withNewFile(name, "x"), dag.directory());
      const directory = files.withNewFile(".gitignore", "out/\n").withNewFile(".ignore", "*.log\n!keep.log\n");
      const found = async (options: Partial<DirectorySearchOpts>, where = directory) => {
        const results = await where.search({ pattern: "x", ...options });
        return (await Promise.all(results.map((each) => each.filePath()))).toSorted().join(" ");
      };
      return [
        await found({}),
        await found({ paths: ["src", "/test/a.ts"] }),
        await found({ globs: ["*.js"] }),
        await found({ globs: ["*.ts", "!test/**"] }),
        await found({ globs: ["!*.ts"] }),
        await found({ globs: ["/src/*.{js,log}"] }),
        await found({ skipHidden: true }),
        // Outside of a repository a .gitignore means nothing.
        await found({ skipIgnored: true }),
        await found({ skipIgnored: true }, directory.withNewFile(".git/HEAD", "")),
      ];
    },
    expected: [
      ".hidden/a.ts logs/drop.log logs/keep.log out/a.ts src/a.ts src/b.js test/a.ts",
      "src/a.ts src/b.js test/a.ts",
      "src/b.js",
      ".hidden/a.ts out/a.ts src/a.ts",
      "logs/drop.log logs/keep.log src/b.js",
      "src/b.js",
      "logs/drop.log logs/keep.log out/a.ts src/a.ts src/b.js test/a.ts",
      ".hidden/a.ts logs/keep.log out/a.ts src/a.ts src/b.js test/a.ts",
      ".hidden/a.ts logs/keep.log src/a.ts src/b.js test/a.ts",
    ],
  },
  {
    name: "search of a path outside of the directory is refused",
    run: ({ dag }) =>
      dag
        .directory()
        .withNewFile("in/f", "x")
        .withNewFile("out", "x")
        .directory("in")
        .search({ pattern: "x", paths: ["../out"] }),
    fails: { message: /path cannot escape directory: \.\.\/out/ },
  },
  {
    name: "withError fails with the given words",
    run: ({ dag }) => dag.directory().withError("on purpose").entries(),
    fails: { message: /on purpose/ },
  },
  {
    name: "a thousand edits in one chain arrive",
    run: async ({ dag }) => {
      let directory = dag.directory();
      for (let index = 0; index < 1000; index++)
        directory = directory.withNewFile(`d${index % 10}/f${index}`, `content ${index}`);
      return [(await directory.glob("**")).length, await directory.file("d9/f999").contents()];
    },
    expected: [1010, "content 999"],
    only: { engine: "embedded", reason: "a Dagger 0.21 engine fails to mount a thousand layers" },
  },
];
