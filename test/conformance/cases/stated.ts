import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Changeset, Client, Directory, EnvFile, SearchResult } from "@dagger.io/dagger";
import { baseImage, type ConformanceCase } from "./case.ts";

const quotes = (dag: Client): Directory =>
  dag
    .directory()
    .withNewFile("quotes/descartes", "Cogito, ergo sum")
    .withSymlink("quotes/descartes", "i-am")
    .withSymlink("quotes/does-not-exist", "nothing");

const archive = (dag: Client): Directory =>
  ["a.txt", "b.txt", "c.txt.rar", "subdir/d.txt", "subdir/e.txt", "subdir/f.txt.rar"].reduce(
    (directory, name) => directory.withNewFile(name, ""),
    dag.directory(),
  );

const listed = (dag: Client): Directory =>
  [
    ..."main.go func.go test.md foo.txt README.txt subdir/foo.txt subdir/README.md".split(" "),
    ..."subdir2/baz.txt subdir2/TESTING.md subdir/subsubdir/package.json subdir/subsubdir/index.mts".split(" "),
    "subdir/subsubdir/JS.md",
  ].reduce(
    (directory, name) => directory.withNewFile(name, ""),
    dag.directory().withNewDirectory("/subdir2/subsubdir"),
  );

const found = async (results: SearchResult[]): Promise<string[]> =>
  (
    await Promise.all(
      results.map(async (each) => `${await each.filePath()}:${await each.lineNumber()}:${await each.matchedLines()}`),
    )
  ).toSorted();

async function variables(file: EnvFile): Promise<Record<string, string>> {
  const all = await file.variables();
  return Object.fromEntries(await Promise.all(all.map(async (each) => [await each.name(), await each.value()])));
}

const envFile = (dag: Client, values: Record<string, string>): EnvFile =>
  Object.entries(values).reduce((file, [name, value]) => file.withVariable(name, value), dag.envFile());

const pathsOf = async (changes: Changeset): Promise<Record<string, string[]>> => ({
  added: (await changes.addedPaths()).toSorted(),
  modified: (await changes.modifiedPaths()).toSorted(),
  removed: (await changes.removedPaths()).toSorted(),
});

const code = (age: number): string =>
  `func it() {\n\tname := "Alice"\n\tage := ${age}\n\tfmt.Printf("Name: %s, Age: %d\\n", name, age)\n}\n`;

/** What Dagger states of itself: answers that its own integration tests (v0.21.8) require. */
export const statedCases: ConformanceCase[] = [
  {
    name: "digests of a file and a directory are those that Dagger's own tests name",
    run: ({ dag }) => {
      const made = dag.directory().withNewFile("/foo.txt", "Hello, World!");
      return Promise.all([
        made.directory("/").digest(),
        dag.directory().digest(),
        made.file("/foo.txt").digest(),
        made.file("/foo.txt").digest({ excludeMetadata: true }),
      ]);
    },
    expected: [
      "sha256:48ac4b4b73af8a75a3c77e9dc6211d89321c6ed4f13c6987c6837ac58645bd89",
      "sha256:0e5db88383bce812f795689f5318a2b2f4fde740ef31c2a2365a46368aafddd2",
      "sha256:8a887cdd3e476c79e1a14a65a6c401673b56071a24561dadb5e152605e72a613",
      "sha256:042a7d64a581ef2ee983f21058801cc35663b705e6c55f62fa8e0f18ecc70989",
    ],
  },
  {
    name: "the digest of a folder does not depend on the folder's name",
    run: async ({ dag }) => {
      const [a, b] = ["a", "b"].map((name) =>
        dag.directory().withNewDirectory(name).withNewFile(`${name}/foo.txt`, "Hello, World!").directory(name).digest(),
      );
      return (await a) === (await b);
    },
    expected: true,
  },
  {
    name: "existence follows links as `test` does, unless it is told not to",
    run: ({ dag }) => {
      const at = quotes(dag);
      const [directory, regular, link] = ["DIRECTORY_TYPE", "REGULAR_TYPE", "SYMLINK_TYPE"] as never[];
      return Promise.all([
        at.exists("We believe in nothing Lebowski"),
        at.exists("quotes"),
        at.exists("quotes", { expectedType: directory }),
        at.exists("quotes/descartes", { expectedType: directory }),
        at.exists("quotes", { expectedType: regular }),
        at.exists("i-am", { expectedType: link }),
        at.exists("quotes/descartes", { expectedType: link }),
        at.exists("i-am", { expectedType: regular }),
        at.exists("nothing", { doNotFollowSymlinks: true }),
        at.exists("i-am", { expectedType: regular, doNotFollowSymlinks: true }),
      ]);
    },
    expected: [false, true, true, false, false, true, false, true, true, false],
  },
  {
    name: "an absolute link leads from the root of the directory that is asked",
    run: async ({ dag }) => {
      const linked = dag.directory().withNewFile("/some-file", "some").withSymlink("/some-file", "/link");
      const below = dag.directory().withNewFile("/some-file", "other").withDirectory("/sub-dir", linked);
      return [
        await linked.file("link").contents(),
        await linked.exists("link", { expectedType: "REGULAR_TYPE" as never }),
        await below.file("sub-dir/link").contents(),
      ];
    },
    expected: ["some", true, "other"],
  },
  {
    name: "a link shows what is written to its target later, and its parents are made",
    run: async ({ dag }) => {
      const linked = dag.directory().withNewFile("f", "old").withSymlink("f", "link");
      return [
        await linked.withNewFile("f", "new").file("link").contents(),
        await linked.withSymlink("../../f", "/sub/subdir/link").file("/sub/subdir/link").contents(),
        await dag
          .container()
          .from(baseImage)
          .withDirectory("/at", dag.directory().withSymlink("../root", "its-root"))
          .withNewFile("/at/its-root/f", "data")
          .file("/root/f")
          .contents(),
      ];
    },
    expected: ["new", "old", "data"],
  },
  {
    name: "a part of a directory stays that part through copies and links",
    run: async ({ dag }) => {
      const part = dag
        .directory()
        .withNewFile("outside", "x")
        .withNewDirectory("dir1")
        .directory("/dir1")
        .withDirectory("/", dag.directory().withNewFile("inside", "data"))
        .withSymlink("anything", "link");
      return [await part.entries(), await part.file("inside").contents(), await part.exists("outside")];
    },
    expected: [["inside", "link"], "data", false],
  },
  ...(["*.md", "**/*", "**/*.md", "subdir/**/*.md"] as const).map((pattern): ConformanceCase => ({
    name: `glob of ${pattern} is the same in a directory and in a part of one`,
    run: async ({ dag }) => {
      const at = (folder: string): Directory => dag.directory().withDirectory(folder, listed(dag)).directory(folder);
      const all = await Promise.all([listed(dag), at("foobar"), at("/foo/bar")].map((each) => each.glob(pattern)));
      return [...new Set(all.map((names) => names.toSorted().join(" ")))];
    },
    expected: [
      {
        "*.md": "test.md",
        "**/*":
          "README.txt foo.txt func.go main.go subdir/ subdir/README.md subdir/foo.txt subdir/subsubdir/ subdir/subsubdir/JS.md subdir/subsubdir/index.mts subdir/subsubdir/package.json subdir2/ subdir2/TESTING.md subdir2/baz.txt subdir2/subsubdir/ test.md",
        "**/*.md": "subdir/README.md subdir/subsubdir/JS.md subdir2/TESTING.md test.md",
        "subdir/**/*.md": "subdir/README.md subdir/subsubdir/JS.md",
      }[pattern],
    ],
  })),
  {
    name: "glob finds folders whose names match, and what lies in them only by itself",
    run: async ({ dag }) => {
      const tree = ["foo/bar.md/w.md", "foo/bar.md/x.go", "foo/baz.go/y.md", "foo/baz.go/z.go"].reduce(
        (directory, name) => directory.withNewFile(name, ""),
        dag.directory(),
      );
      return [
        (await tree.glob("**/*.md")).toSorted(),
        await dag.directory().withNewDirectory("foo").glob("**/*.md"),
        await dag.directory().glob("**/*"),
      ];
    },
    expected: [["foo/bar.md/", "foo/bar.md/w.md", "foo/baz.go/y.md"], [], []],
  },
  {
    name: "glob in a folder that is not there names it",
    run: ({ dag }) => dag.directory().directory("foo").glob("**/*"),
    fails: { message: /foo: no such file or directory/ },
  },
  ...["filter", "withDirectory"].map((way): ConformanceCase => ({
    name: `${way}: a pattern without a slash is of the top alone, and what is excluded stays out`,
    run: async ({ dag }) => {
      const chosen = (options: object, from = archive(dag)): Promise<string[]> =>
        (way === "filter" ? from.filter(options) : dag.directory().withDirectory(".", from, options)).entries();
      return [
        await chosen({ exclude: ["*.rar"] }),
        await chosen({ include: ["*.rar"] }),
        await chosen({ include: ["*.txt"], exclude: ["b.txt"] }),
        await chosen({ include: ["a.txt"], exclude: ["*.txt"] }),
        await chosen({ exclude: ["subdir"] }),
        await chosen({ exclude: ["*.rar"] }, archive(dag).directory("subdir")),
        await chosen({ gitignore: true }, archive(dag).withNewFile(".gitignore", "b.txt\nsubdir/\n")),
      ];
    },
    expected: [
      ["a.txt", "b.txt", "subdir/"],
      ["c.txt.rar"],
      ["a.txt"],
      [],
      ["a.txt", "b.txt", "c.txt.rar"],
      ["d.txt", "e.txt"],
      [".gitignore", "a.txt", "c.txt.rar"],
    ],
  })),
  {
    name: "chains of withDirectory lie on top of each other, the last one on top",
    run: async ({ dag }) => {
      const of = (files: Record<string, string>): Directory =>
        Object.entries(files).reduce((made, [name, text]) => made.withNewFile(name, text), dag.directory());
      const made = of({ keep: "base", conflict: "base" })
        .withDirectory("/", of({ a: "a", conflict: "a", skip: "skip" }), { exclude: ["skip"] })
        .withDirectory("nested", of({ b: "b" }))
        .withDirectory("/", of({ c: "c", conflict: "c" }));
      return [await made.glob("**"), await made.file("keep").contents(), await made.file("conflict").contents()];
    },
    expected: [["a", "c", "conflict", "keep", "nested/", "nested/b"], "base", "c"],
  },
  {
    name: "a directory in a file's place has nothing of what was there before the file",
    run: async ({ dag, registry }) => {
      const seed = dag
        .container()
        .withDirectory("/node", dag.directory().withNewFile("hidden.txt", "hidden"))
        .withoutDirectory("/node")
        .withNewFile("/node", "file");
      const base =
        registry === undefined ? seed : dag.container().from(await seed.publish(`${registry}/conformance/opaque:1`));
      const placed = base.rootfs().withDirectory("/node", dag.directory().withNewFile("new.txt", "new"));
      return placed.directory("node").entries();
    },
    expected: ["new.txt"],
  },
  {
    name: "parts of mounted directories that were moved are joined in a container",
    run: async ({ dag }) => {
      const made = (name: string): Directory => {
        const written = dag
          .container()
          .from(baseImage)
          .withMountedDirectory("/working", dag.directory())
          .withWorkdir("/working")
          .withNewFile(`data/${name}`, name)
          .directory("/working");
        return written.withDirectory("/d", written.directory("/data")).withoutDirectory("/data");
      };
      const joined = dag.container().from(baseImage).withDirectory("/", made("one")).withDirectory("/", made("two"));
      return [await joined.directory("/d").entries(), await joined.exists("/data")];
    },
    expected: [["one", "two"], false],
  },
  {
    name: "withFile to an empty path, a dot or the root takes the file's own name",
    run: async ({ dag }) => {
      const file = dag.directory().withNewFile("sub/deep/some-file", "data").file("sub/deep/some-file");
      return Promise.all(["", ".", "/"].map((to) => dag.directory().withFile(to, file).entries()));
    },
    expected: [["some-file"], ["some-file"], ["some-file"]],
  },
  {
    name: "patterns of withoutFile and withoutDirectory",
    run: async ({ dag }) => {
      const of = (...names: string[]): Directory =>
        names.reduce((made, name) => made.withNewFile(name, name), dag.directory());
      return [
        await of("b/foo.txt", "b/bar.txt", "b/data.json").withoutFile("b/*.txt").entries({ path: "b" }),
        await of("c/file-a1.txt", "c/file-a1.json", "c/file-b1.txt").withoutFile("c/*a1*").entries({ path: "c" }),
        await of("foo.txt", "a1/f", "a2/f", "b1/f").withoutDirectory("a*").entries(),
        await of("subdir/some", "subdir/other").directory("subdir").withoutFile("some").entries(),
      ];
    },
    expected: [["data.json"], ["file-b1.txt"], ["b1/", "foo.txt"], ["other"]],
  },
  {
    name: "a difference of two folders of one directory is what the second one has more",
    run: ({ dag }) => {
      const d = dag
        .directory()
        .withNewFile("sub/file1", "data1")
        .withNewFile("submarine/file1", "data1")
        .withNewFile("submarine/file2", "data2")
        .withTimestamps(0);
      return d.directory("sub").diff(d.directory("submarine")).entries();
    },
    expected: ["file2"],
  },
  {
    name: "a difference to what a directory was before holds nothing, and to a sibling only what that has",
    run: ({ dag }) => {
      const same = dag.directory().withNewFile("same", "s").withNewFile("deep/same", "s");
      const [one, other] = [same.withNewFile("one", "1"), same.withNewFile("deep/other", "2")];
      return Promise.all([one.diff(same), same.diff(one), one.diff(other)].map((each) => each.glob("**")));
    },
    expected: [[], ["one"], ["deep/", "deep/other"]],
  },
  {
    name: "withTimestamps sets the time of all that a command made",
    run: ({ dag, unique }) =>
      dag
        .container()
        .from(baseImage)
        .withMountedDirectory(
          "/dir",
          dag
            .container()
            .from(baseImage)
            .withExec([
              "sh",
              "-c",
              `mkdir -p /output/sub-dir; echo ${unique} | wc -l > /output/f; cp /output/f /output/sub-dir`,
            ])
            .directory("/output")
            .withTimestamps(499_162_500),
        )
        .withExec(["sh", "-c", "stat -c '%Y %n' /dir/f /dir/sub-dir /dir/sub-dir/f"])
        .stdout(),
    expected: "499162500 /dir/f\n499162500 /dir/sub-dir\n499162500 /dir/sub-dir/f\n",
  },
  {
    name: "chown by names uses the users of the directory itself",
    run: ({ dag }) => {
      const users = dag
        .container()
        .from(baseImage)
        .withExec(["sh", "-c", "groupadd -g 4321 agroup && useradd -u 1234 -g agroup auser"]);
      const owned = users.rootfs().withNewFile("dir/file.txt", "hello").chown("dir", "auser:agroup");
      const file = users.rootfs().withNewFile("owned.txt", "hello").file("owned.txt").chown("auser:agroup");
      return users
        .withMountedDirectory("/mnt", owned.directory("dir"))
        .withMountedFile("/owned.txt", file)
        .withExec(["stat", "-c", "%u:%g %U:%G", "/mnt/file.txt", "/owned.txt"])
        .stdout();
    },
    expected: "1234:4321 auser:agroup\n1234:4321 auser:agroup\n",
  },
  {
    name: "an export leaves what is on the host, unless it is to wipe it",
    run: async ({ dag, folder, relativeFolder }) => {
      const made = dag.directory().withNewFile("a", "1").withNewFile("README", "r");
      await made.export(relativeFolder);
      await made.withoutFile("README").export(relativeFolder);
      const kept = (await readdir(folder)).toSorted();
      const actual = await made.withoutFile("README").export(relativeFolder, { wipe: true });
      return [kept, await readdir(folder), actual === folder];
    },
    expected: [["README", "a"], ["a"], true],
  },
  {
    name: "an exported file keeps its permissions, and a folder is no place for one",
    run: async ({ dag, folder, relativeFolder }) => {
      const file = dag.directory().withNewFile("/file", "#!/bin/sh\n", { permissions: 0o744 }).file("/file");
      const actual = await file.export(path.join(relativeFolder, "run"));
      const { mode } = await stat(path.join(folder, "run"));
      const refused = await file.export(relativeFolder).then(
        () => "written",
        () => "refused",
      );
      return [actual === path.join(folder, "run"), (mode & 0o777).toString(8), refused];
    },
    expected: [true, "744", "refused"],
  },
  {
    name: "a name of more than 255 characters is refused in words",
    run: ({ dag }) =>
      dag
        .directory()
        .withNewFile(`${"b".repeat(256)}.txt`, "x")
        .sync(),
    fails: { message: /File name length exceeds the maximum supported 255 characters/ },
  },
  {
    name: "dag.file takes a name, not a path",
    run: ({ dag }) => dag.file("dir/some-file", "some-content").sync(),
    fails: { message: /not contain a directory/ },
  },
  {
    name: "names are those of the last part, and of what is not there the path as it was written",
    run: async ({ dag }) => {
      const nested = dag.directory().withDirectory("very/nested", dag.directory());
      const message = (work: Promise<unknown>): Promise<string> =>
        work.then(
          () => "passed",
          (error: Error) => /[^\s/]\S*: no such file or directory/.exec(error.message)?.[0] ?? error.message,
        );
      return [
        await nested.name(),
        await nested.directory("very/nested").name(),
        await dag.directory().withNewFile("/foo/bar", "x").file("foo/bar").withName("baz").name(),
        await dag.file("test", "hello").withName("tset").contents(),
        await message(dag.directory().directory("foo").name()),
        await message(dag.directory().file("keep/../this").name()),
        await message(dag.directory().file("to/file.txt").name()),
      ];
    },
    expected: [
      "/",
      "nested/",
      "baz",
      "hello",
      "foo: no such file or directory",
      "keep/../this: no such file or directory",
      "to/file.txt: no such file or directory",
    ],
  },
  {
    name: "files of the host are read through links and by parts of folders",
    run: async ({ dag, folder, relativeFolder }) => {
      await mkdir(path.join(folder, "path/to"), { recursive: true });
      await writeFile(path.join(folder, "path/to/file.txt"), "text");
      await symlink("path/to/file.txt", path.join(folder, "link"));
      const below = dag.host().directory(path.join(relativeFolder, "path")).file("to/file.txt");
      return [
        await below.name(),
        await below.contents(),
        await dag.host().file(path.join(relativeFolder, "link")).contents(),
        (await readFile(path.join(folder, "link"), "utf8")) === "text",
      ];
    },
    expected: ["file.txt", "text", "text", true],
  },
  {
    name: "patches of plain diff change, add and remove files, in a part of a directory too",
    run: async ({ dag }) => {
      const change = "--- a/hello.txt\n+++ b/hello.txt\n@@ -1 +1 @@\n-Hello, World!\n+Hello, Dagger!\n";
      const hello = dag.directory().withNewFile("sub/hello.txt", "Hello, World!\n").directory("sub");
      const add = "--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+new\n";
      const remove = "--- a/gone.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n";
      return [
        await hello.withPatch(change).file("hello.txt").contents(),
        await dag.directory().withPatch(add).file("new.txt").contents(),
        await dag.directory().withNewFile("gone.txt", "gone\n").withNewFile("kept", "").withPatch(remove).entries(),
        await hello.withPatch("").entries(),
        await hello
          .withNewFile("hello.txt", "Goodbye\n")
          .withPatch(change)
          .sync()
          .then(
            () => "applied",
            () => "refused",
          ),
      ];
    },
    expected: ["Hello, Dagger!\n", "new\n", ["kept"], ["hello.txt"], "refused"],
  },
  {
    name: "a search for what begins with a hyphen, by expression, over lines, and in any case",
    run: async ({ dag }) => {
      const text = dag.directory().withNewFile("dir/f", "This is a --test-- file.\nhello\nHELLO\n");
      const go = dag.directory().withNewFile("dir/code.go", `package main\n\n${code(30)}\n${code(50)}`);
      return [
        await found(await text.search({ pattern: "-test" })),
        await found(await text.file("dir/f").search("hello", { insensitive: true })),
        await found(await go.file("dir/code.go").search(String.raw`\w+ :=`)),
        await found(await go.file("dir/code.go").search(':= "Alice"\n\tage', { multiline: true, literal: true })),
        await found(await go.search({ pattern: String.raw`:= ".*"\n\s+age`, multiline: true })),
        await text.file("dir/f").search("nonexistent"),
      ];
    },
    expected: [
      ["dir/f:1:This is a --test-- file.\n"],
      ["f:2:hello\n", "f:3:HELLO\n"],
      [
        'code.go:10:\tname := "Alice"\n',
        "code.go:11:\tage := 50\n",
        'code.go:4:\tname := "Alice"\n',
        "code.go:5:\tage := 30\n",
      ],
      ['code.go:10:\tname := "Alice"\n\tage := 50\n', 'code.go:4:\tname := "Alice"\n\tage := 30\n'],
      ['dir/code.go:10:\tname := "Alice"\n\tage := 50\n', 'dir/code.go:4:\tname := "Alice"\n\tage := 30\n'],
      [],
    ],
  },
  {
    name: "lines of a file from an offset, up to a number, and both",
    run: async ({ dag }) => {
      const file = dag.file("f", "1\n2\n3\n4\n5\n6\n");
      return [
        await file.contents({ offsetLines: 2, limitLines: 3 }),
        await file.contents({ offsetLines: 4 }),
        await file.contents({ limitLines: 2 }),
      ];
    },
    expected: ["3\n4\n5\n", "5\n6\n", "1\n2\n"],
  },
  {
    name: "namespaces of an env file, however prefix and names are spelled",
    run: async ({ dag }) => {
      const animals = envFile(dag, { ANIMAL_name: "daisy", Animal_species: "dog", foo: "bar" });
      const app = envFile(dag, {
        my_app_token: "t",
        myApp_name: "petstore",
        foo: "bar",
        MY_aPp_URL: "http://localhost",
      });
      return [
        await variables(animals.namespace_("animal")),
        await variables(animals.namespace_("animal_")),
        await variables(app.namespace_("my-app")),
        await variables(app.namespace_("my_app_")),
      ];
    },
    expected: [
      { name: "daisy", species: "dog" },
      { name: "daisy", species: "dog" },
      { token: "t", name: "petstore", URL: "http://localhost" },
      { token: "t", name: "petstore", URL: "http://localhost" },
    ],
  },
  {
    name: "an env file expands in plain and in double-quoted values",
    run: ({ dag }) =>
      variables(
        envFile(dag, {
          animal: '"dog"',
          hero: "${animal}man",
          message: "hello, nice $animal !",
          quoted: '"hello, nice ${animal}"',
          inner: "\"hello, nice '$animal'\"",
          both: '"this is double-quoted (with \\"), \'and this single\'"',
        }),
      ),
    expected: {
      animal: "dog",
      hero: "dogman",
      message: "hello, nice dog !",
      quoted: "hello, nice dog",
      inner: "hello, nice 'dog'",
      both: "this is double-quoted (with \"), 'and this single'",
    },
  },
  {
    name: "JSON values read back as what they are, by path too",
    run: async ({ dag }) => {
      const nested = dag.json().withContents('{"user": {"age": 30, "profile": {"active": true}}}' as never);
      const list = await dag
        .json()
        .withContents('[1, "hello", true, null]' as never)
        .asArray();
      return [
        await dag.json().newInteger(-123).asInteger(),
        await dag.json().newString('hello\nworld\t"quotes"').asString(),
        await dag.json().newBoolean(false).asBoolean(),
        await nested.field(["user", "age"]).asInteger(),
        await nested.field(["user", "profile", "active"]).asBoolean(),
        list.length,
        await list[1]!.asString(),
      ];
    },
    expected: [-123, 'hello\nworld\t"quotes"', false, 30, true, 4, "hello"],
  },
  {
    name: "removed folders stand for what was in them, added ones beside it, changed ones not at all",
    run: ({ dag }) => {
      const before = dag
        .directory()
        .withNewFile("keep.txt", "keep")
        .withNewFile("changed/file.txt", "old")
        .withNewFile("remove-dir/subdir/nested.txt", "nested")
        .withNewDirectory("empty-dir");
      const after = dag
        .directory()
        .withNewFile("keep.txt", "keep")
        .withNewFile("changed/file.txt", "new")
        .withNewFile("changed/added.txt", "new")
        .withNewFile("new-dir/file.txt", "new")
        .withNewDirectory("new-empty");
      return pathsOf(after.changes(before));
    },
    expected: {
      added: ["changed/added.txt", "new-dir/", "new-dir/file.txt", "new-empty/"],
      modified: ["changed/file.txt"],
      removed: ["empty-dir/", "remove-dir/"],
    },
  },
  {
    name: "the layer of changes has what is new in it, at its place, and nothing of what went",
    run: async ({ dag }) => {
      // What both have in common comes first: files of equal content that were written at two times are two to an engine.
      const same = dag.directory().withNewFile("root.txt", "same").withNewFile("one/two/file.txt", "same");
      const before = same
        .withNewFile("one/file.txt", "old")
        .withNewFile("one/two/three/deep.txt", "old")
        .withNewFile("gone/file.txt", "x");
      const after = same
        .withNewFile("one/file.txt", "new")
        .withNewFile("one/two/three/deep.txt", "new")
        .withNewFile("one/made/new.txt", "added");
      const layer = after.changes(before).layer();
      const files = (await layer.glob("**")).filter((name) => !name.endsWith("/"));
      return [files.toSorted(), await layer.file("one/two/three/deep.txt").contents()];
    },
    expected: [["one/file.txt", "one/made/new.txt", "one/two/three/deep.txt"], "new"],
  },
];
