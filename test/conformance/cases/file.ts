import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { baseImage, type ConformanceCase } from "./case.ts";

export const fileCases: ConformanceCase[] = [
  {
    name: "contents, size and name are those of the file",
    run: async ({ dag }) => {
      const file = dag.directory().withNewFile("d/f.txt", "12345").file("d/f.txt");
      return [await file.contents(), await file.size(), await file.name()];
    },
    expected: ["12345", 5, "f.txt"],
  },
  {
    name: "contents of a range of lines",
    run: async ({ dag }) => {
      const file = dag.file("f", "1\n2\n3\n4");
      return [
        await file.contents({ offsetLines: 1, limitLines: 2 }),
        await file.contents({ offsetLines: 3 }),
        await file.contents({ limitLines: 1 }),
      ];
    },
    expected: ["2\n3\n", "4", "1\n"],
  },
  {
    name: "a missing file is an error that names it",
    run: ({ dag }) => dag.directory().withNewFile("a", "").file("missing").contents(),
    fails: { message: /missing: no such file or directory/ },
  },
  {
    name: "a large file arrives whole",
    run: async ({ dag }) => {
      const file = dag
        .container()
        .from(baseImage)
        .withExec(["sh", "-c", "yes 0123456789abcde | head -c 9000000 > /big"])
        .file("/big");
      const contents = await file.contents();
      return [contents.length, await file.size(), contents.slice(-16)];
    },
    expected: [9_000_000, 9_000_000, "0123456789abcde\n"],
  },
  {
    name: "the digest without metadata is the SHA-256 of the content's SHA-256",
    run: ({ dag }) => dag.file("x", "abc").digest({ excludeMetadata: true }),
    expected: "sha256:4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358",
  },
  {
    name: "the digest with metadata depends on the mode, not on the history",
    run: async ({ dag }) => {
      const plain = await dag.file("x", "1").digest();
      return [
        (await dag.directory().withNewFile("x", "2").withNewFile("x", "1").file("x").digest()) === plain,
        (await dag.file("x", "1", { permissions: 0o755 }).digest()) === plain,
      ];
    },
    expected: [true, false],
  },
  {
    name: "withName changes the name only",
    run: async ({ dag }) => {
      const file = dag.file("old", "x").withName("new");
      return [await file.name(), await file.contents()];
    },
    expected: ["new", "x"],
  },
  {
    name: "withTimestamps and chown change time and owner of the file",
    run: ({ dag }) =>
      dag
        .container()
        .from(baseImage)
        .withFile("/f", dag.file("f", "x").withTimestamps(1_000_000_000).chown("3:4"))
        .withExec(["stat", "-c", "%Y %u:%g", "/f"])
        .stdout(),
    expected: "1000000000 3:4\n",
  },
  {
    name: "withReplaced replaces the only occurrence, or all",
    run: async ({ dag }) => [
      await dag.file("f", "a b c").withReplaced("b", "X").contents(),
      await dag.file("f", "a b b").withReplaced("b", "$&", { all: true }).contents(),
    ],
    expected: ["a X c", "a $& $&"],
  },
  {
    name: "search finds lines of the file, with offsets in bytes and each match in the line",
    run: async ({ dag }) => {
      const results = await dag.directory().withNewFile("d/f.txt", "first\nzwölf x x\nx").file("d/f.txt").search("x");
      return await Promise.all(
        results.map(async (each) => {
          const submatches = await each.submatches();
          const places = await Promise.all(
            submatches.map(async (match) => [await match.text(), await match.start(), await match.end()]),
          );
          return [
            await each.filePath(),
            await each.lineNumber(),
            await each.absoluteOffset(),
            await each.matchedLines(),
            places,
          ];
        }),
      );
    },
    expected: [
      [
        "f.txt",
        2,
        6,
        "zwölf x x\n",
        [
          ["x", 7, 8],
          ["x", 9, 10],
        ],
      ],
      ["f.txt", 3, 17, "x", [["x", 0, 1]]],
    ],
  },
  {
    name: "export writes the file with its mode and gives its path",
    run: async ({ dag, folder, relativeFolder }) => {
      const target = await dag.file("f", "exported", { permissions: 0o750 }).export(`${relativeFolder}/out/f.txt`);
      return [
        target === path.join(folder, "out/f.txt"),
        await readFile(target, "utf8"),
        ((await stat(target)).mode & 0o777).toString(8),
      ];
    },
    expected: [true, "exported", "750"],
  },
  {
    name: "export refuses a folder as the target unless it is allowed",
    run: ({ dag, relativeFolder }) => dag.file("f", "x").export(relativeFolder),
    fails: { message: /is a directory; must be a file path unless allowParentDirPath is set/ },
  },
  {
    name: "export into a folder keeps the name",
    run: async ({ dag, folder, relativeFolder }) => {
      await dag.file("f", "x").export(relativeFolder, { allowParentDirPath: true });
      return await readFile(path.join(folder, "f"), "utf8");
    },
    expected: "x",
  },
  {
    name: "a written file of twenty megabytes is a file like any other",
    run: async ({ dag }) => {
      const contents = "0123456789abcdef".repeat((20 * 1024 * 1024) / 16);
      const file = dag
        .container()
        .from(baseImage)
        .withNewFile("/d/big", contents, { permissions: 0o640, owner: "3:4" });
      return [
        await file.file("/d/big").size(),
        await file.withExec(["sh", "-c", "stat -c '%a %u:%g' /d /d/big; tail -c 16 /d/big"]).stdout(),
      ];
    },
    expected: [20 * 1024 * 1024, "755 0:0\n640 3:4\n0123456789abcdef"],
  },
];
