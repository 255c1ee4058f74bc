import { ChangesetMergeConflict, type Changeset, type Client, type Directory } from "@dagger.io/dagger";
import { base, failure, host, made, out, seen, seenIn, sh } from "./tools.ts";
import type { ConformanceCase } from "./case.ts";

/** Folders and files that a command made, with modes and owners of all kinds. */
const left = (dag: Client): Directory =>
  sh(
    base(dag),
    "mkdir -m 2770 /w && cd /w && echo a > a && chown 5:6 a && chmod 4711 a && mkdir -m 1750 d && echo b > d/b && chown 7:8 d",
  ).directory("/w");

const lib = (dag: Client): Directory => made(dag, { "lib/zz/f": "F", "bin/tool": "T", top: "1" });

/** What becomes of the place that is copied to, and of what is in the way; expected is what Dagger 0.21.8 does by its source. */
export const destinationCases: ConformanceCase[] = [
  {
    name: "a folder of the image gets the mode and owner of the one that is copied to it",
    run: ({ dag }) =>
      out(
        base(dag)
          .withDirectory("/tmp", made(dag, { x: "" }))
          .withDirectory("/srv", left(dag)),
        "stat -c '%a %u:%g' /tmp /srv",
      ),
    expected: "755 0:0\n2770 0:0\n",
  },
  {
    name: "a folder gets the mode of an empty one that is copied to it",
    run: ({ dag }) => out(base(dag).withDirectory("/tmp", dag.directory()), "stat -c '%a %u:%g' /tmp"),
    expected: "755 0:0\n",
  },
  {
    name: "a new folder has mode and owner of the one that a command made",
    run: async ({ dag }) => [
      await seen(base(dag).withDirectory("/w/x/t", left(dag))),
      await seenIn(dag, dag.directory().withDirectory("t", left(dag), { owner: "3:4" })),
    ],
    expected: [
      [
        "./x 755 0:0 directory",
        "./x/t 2770 0:0 directory",
        "./x/t/a 4711 5:6 regular file",
        "./x/t/d 3750 7:8 directory",
        "./x/t/d/b 644 0:0 regular file",
      ],
      [
        "./t 2770 3:4 directory",
        "./t/a 4711 3:4 regular file",
        "./t/d 3750 3:4 directory",
        "./t/d/b 644 3:4 regular file",
      ],
    ],
  },
  {
    name: "a folder of the host keeps its set-id and sticky bits as the root of a copy",
    run: async (context) => {
      const tree = await host(context, { "s/in": "i", s: { mode: 0o1777 } });
      return await seenIn(context.dag, context.dag.directory().withDirectory("t", tree.directory("s")));
    },
    expected: ["./t 1777 0:0 directory", "./t/in 644 0:0 regular file"],
  },
  {
    name: "making a copy of what a command makes runs nothing",
    run: ({ dag }) =>
      base(dag)
        .withDirectory("/tmp", sh(base(dag), "exit 3").directory("/etc"))
        .id()
        .then((id) => typeof id),
    expected: "string",
  },
  {
    name: "folders go through links of the destination, which stay",
    run: ({ dag }) =>
      out(
        base(dag).withDirectory("/", lib(dag)),
        "readlink /lib /bin; cat /usr/lib/zz/f /usr/bin/tool /top; stat -c ' %a' /usr/lib",
      ),
    expected: "usr/lib\nusr/bin\nFT1 755\n",
  },
  {
    name: "so do those that patterns choose",
    run: ({ dag }) =>
      out(
        base(dag).withDirectory("/", lib(dag), { include: ["lib/**"] }),
        "readlink /lib; cat /usr/lib/zz/f; test -e /top || echo ' no'",
      ),
    expected: "usr/lib\nF no\n",
  },
  {
    name: "folders go through links of a made directory, and are refused by links to files",
    run: async ({ dag }) => [
      await made(dag, { "r/a": "", l: "-> r" })
        .withDirectory("/", made(dag, { "l/b": "" }))
        .glob("**"),
      await failure(
        made(dag, { r: "", l: "-> r" })
          .withDirectory("/", made(dag, { "l/b": "" }))
          .glob("**"),
        /cannot copy directory to non-directory "\/l"/,
      ),
    ],
    expected: [
      ["l", "r/", "r/a", "r/b"],
      { type: "GraphQLRequestError", code: "D100", says: ['cannot copy directory to non-directory "/l"'] },
    ],
  },
  {
    name: "files that streams go to are the user's alone, whoever may write there",
    run: async ({ dag }) => {
      const hi = (user: string) =>
        out(
          sh(base(dag).withUser(user), "echo hi", { redirectStdout: "/o" }).withUser("root"),
          "cat /o; stat -c '%a %u:%g' /o",
        );
      return [await hi("root"), await hi("nobody"), await hi("1234"), await hi("nobody:daemon")];
    },
    expected: ["hi\n600 0:0\n", "hi\n600 65534:65534\n", "hi\n600 1234:0\n", "hi\n600 65534:1\n"],
  },
  {
    name: "a file that was there keeps its mode when a stream goes to it",
    run: ({ dag }) =>
      out(
        sh(sh(base(dag), "echo a longer text > /o; chmod 640 /o; chown 5:6 /o"), "echo hi", { redirectStdout: "/o" }),
        "cat /o; stat -c '%a %u:%g' /o",
      ),
    expected: "hi\n640 0:0\n",
  },
  {
    name: "below a file nothing exists, and looking there is an error; the empty path is nowhere",
    run: async ({ dag }) => {
      const tree = made(dag, { f: "" });
      return [
        await failure(tree.exists("f/x"), /not a directory/),
        await failure(tree.stat("f/x").name(), /not a directory/),
        await tree.exists(""),
        await failure(tree.stat("").name(), /no such file/),
      ];
    },
    expected: [
      { type: "GraphQLRequestError", code: "D100", says: ["not a directory"] },
      { type: "GraphQLRequestError", code: "D100", says: ["not a directory"] },
      false,
      { type: "GraphQLRequestError", code: "D100", says: ["no such file"] },
    ],
  },
  {
    name: "a file that a made directory has not is missed at once",
    run: async ({ dag }) => [
      await failure(made(dag, { "d/f": "" }).file("nope").name(), /stat nope: no such file or directory/),
      await failure(made(dag, { "d/f": "" }).file("d").id(), /path d is a directory, not a file/),
    ],
    expected: [
      { type: "GraphQLRequestError", code: "D100", says: ["stat nope: no such file or directory"] },
      { type: "GraphQLRequestError", code: "D100", says: ["path d is a directory, not a file"] },
    ],
  },
  {
    name: "patterns that mean nothing are told in the same words by host directories",
    run: async ({ dag, relativeFolder }) => [
      await failure(
        dag
          .host()
          .directory(relativeFolder, { include: ["[a"] })
          .entries(),
        /invalid includepatterns: \[\[a\]: syntax error in pattern/,
      ),
    ],
    expected: [
      { type: "GraphQLRequestError", code: "D100", says: ["invalid includepatterns: [[a]: syntax error in pattern"] },
    ],
  },
  {
    name: "a search tells a bad expression and a path that is not there",
    run: async ({ dag }) => [
      await failure(made(dag, { a: "" }).search({ pattern: "(" }), /regex parse error/),
      await failure(made(dag, { a: "" }).search({ pattern: "x", paths: ["nope"] }), /nope: No such file or directory/),
    ],
    expected: [
      { type: "GraphQLRequestError", code: "D100", says: ["regex parse error"] },
      { type: "GraphQLRequestError", code: "D100", says: ["nope: No such file or directory"] },
    ],
  },
];

const nine = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
const old = (dag: Client): Directory => made(dag, { a: nine, "d/b": "b", "k/c": "c", "k/d": "d" });
const changed = (dag: Client, edit: (directory: Directory) => Directory): Changeset => edit(old(dag)).changes(old(dag));
const top = (dag: Client, text = "ONE"): Changeset =>
  changed(dag, (each) => each.withNewFile("a", nine.replace("1", text)));
const end = (dag: Client): Changeset =>
  changed(dag, (each) => each.withNewFile("a", nine.replace("9", "NINE")).withoutFile("d/b").withoutFile("k/c"));
const joined = async (changes: Changeset): Promise<unknown> => [
  await changes.after().file("a").contents(),
  await changes.after().glob("**"),
  await changes.modifiedPaths(),
  await changes.removedPaths(),
];

/** Changes are joined by git, as a Dagger engine joins them. */
export const joinedChangeCases: ConformanceCase[] = [
  {
    name: "lines of one file that do not meet are joined, and folders that are left empty go",
    run: ({ dag }) => joined(top(dag).withChangeset(end(dag))),
    expected: [nine.replace("1", "ONE").replace("9", "NINE"), ["a", "k/", "k/d"], ["a"], ["d/", "k/c"]],
  },
  {
    name: "several are joined at once",
    run: ({ dag }) => joined(top(dag).withChangesets([end(dag), changed(dag, (each) => each.withNewFile("m", "m"))])),
    expected: [nine.replace("1", "ONE").replace("9", "NINE"), ["a", "k/", "k/d", "m"], ["a"], ["d/", "k/c"]],
  },
  {
    name: "lines that meet are a conflict, of which one side is taken or both are marked",
    run: async ({ dag }) => {
      const join = (onConflict: ChangesetMergeConflict) =>
        top(dag).withChangeset(top(dag, "EINS"), { onConflict }).after().file("a").contents();
      return [
        await failure(join(ChangesetMergeConflict.Fail), /Merge conflict in a/),
        await failure(
          join(ChangesetMergeConflict.FailEarly),
          /conflict between changesets at path "a": path modified in both changesets/,
        ),
        await join(ChangesetMergeConflict.PreferOurs),
        await join(ChangesetMergeConflict.PreferTheirs),
        await join(ChangesetMergeConflict.LeaveConflictMarkers),
      ];
    },
    expected: [
      { type: "GraphQLRequestError", code: "D100", says: ["Merge conflict in a"] },
      {
        type: "GraphQLRequestError",
        code: "D100",
        says: ['conflict between changesets at path "a": path modified in both changesets'],
      },
      nine.replace("1", "ONE"),
      nine.replace("1", "EINS"),
      nine.replace("1", "<<<<<<< HEAD\nONE\n=======\nEINS\n>>>>>>> theirs"),
    ],
  },
  {
    name: "what one side changed and the other removed is a conflict, too",
    run: async ({ dag }) => {
      const join = async (onConflict: ChangesetMergeConflict) =>
        await changed(dag, (each) => each.withoutFile("a"))
          .withChangeset(top(dag), { onConflict })
          .after()
          .exists("a");
      return [
        await failure(join(ChangesetMergeConflict.Fail), /CONFLICT/),
        await join(ChangesetMergeConflict.PreferOurs),
        await join(ChangesetMergeConflict.PreferTheirs),
      ];
    },
    expected: [{ type: "GraphQLRequestError", code: "D100", says: ["CONFLICT"] }, false, true],
  },
];
