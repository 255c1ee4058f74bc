import { mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { CallWorkspace, filterOfRead, parseCall, workspaceAt, type WorkspaceRead } from "../../../src/call/index.ts";
import { isAsRead, ProjectScanner, WorkspaceReads, type TargetInput } from "../../../src/plan/index.ts";
import { ProjectState } from "../../../src/state/index.ts";
import { ContentHasher } from "../../../src/tree/index.ts";
import { makeTree } from "../tree/fixture.ts";
import { moduleAt } from "./fixture.ts";

const folder: WorkspaceRead = { kind: "directory", path: "lib", include: [], exclude: ["*.md"], gitignore: false };
const file: WorkspaceRead = { kind: "file", path: "one.txt" };
const presence: WorkspaceRead = { kind: "presence", path: "two.txt" };

function rig(files: Parameters<typeof makeTree>[0] = {}) {
  const root = makeTree(files);
  const told: string[] = [];
  const state = new ProjectState(root, { onNotice: (text) => told.push(text) });
  const module = moduleAt(root);
  const call = (...words: string[]) => parseCall(words, { module, cwd: root });
  const stored = path.join(root, ".fastloop/reads");
  return { root, told, state, reads: new WorkspaceReads(state, workspaceAt(root)), call, stored };
}

test("what a call read is known to its next run, and to no other call", () => {
  const { reads, call } = rig();
  expect(reads.of(call("make"), [])).toEqual([]);
  expect(reads.keep(call("make"), [], [folder, file, presence])).toBe(true);
  expect(reads.of(call("make"), [])).toEqual([folder, file, presence]);
  expect([reads.of(call("box"), []), reads.of(call("make", "is-empty"), [])]).toEqual([[], []]);
});

test("reads are kept if they differ from the earlier ones, and the answer says so", () => {
  const { reads, call } = rig();
  expect(reads.keep(call("make"), [], [])).toBe(false);
  expect([reads.keep(call("make"), [], [file]), reads.keep(call("make"), [], [file])]).toEqual([true, false]);
  expect(reads.keep(call("make"), [], [])).toBe(true);
  expect(reads.of(call("make"), [])).toEqual([]);
});

test("the same words are another call where their arguments mean another place, or they are said in another folder", () => {
  const { root, state, reads, call } = rig({ deep: null });
  const given = (at: string): TargetInput[] => [{ argument: "source", kind: "directory", path: at, filter: {} }];
  reads.keep(call("make"), given("/one"), [file]);
  expect([reads.of(call("make"), given("/one")), reads.of(call("make"), given("/two"))]).toEqual([[file], []]);
  // What it read of its workspace before is no argument.
  expect(reads.of(call("make"), [...given("/one"), ...reads.inputsOf([file])])).toEqual([file]);
  const deep = new WorkspaceReads(state, { root, folder: path.join(root, "deep") });
  expect(deep.of(call("make"), given("/one"))).toEqual([]);
});

test("reads that somebody else wrote do not count, and that is said", () => {
  const { reads, call, stored, told } = rig();
  reads.keep(call("make"), [], [file]);
  const [name] = readdirSync(stored);
  writeFileSync(path.join(stored, name!), JSON.stringify({ version: 1, reads: [file] }));
  expect(reads.of(call("make"), [])).toEqual([]);
  expect(told).toEqual([
    `what functions read the last time is damaged, or not of this user and place (${name!.slice(0, 8)}…); it does not count`,
  ]);
});

test("stored reads count only in the form that they are written in, with paths in the workspace", () => {
  const { reads, call, stored, state } = rig();
  reads.keep(call("make"), [], [file]);
  const [name] = readdirSync(stored);
  const readBack = (content: unknown): WorkspaceRead[] => {
    state.write("reads", name!, [Buffer.from(typeof content === "string" ? content : JSON.stringify(content))]);
    return reads.of(call("make"), []);
  };
  const good: WorkspaceRead[] = [
    folder,
    { ...folder, path: ".", include: ["a"], gitignore: true },
    { kind: "file", path: "..name" },
    presence,
  ];
  expect(readBack({ version: 1, reads: good })).toEqual(good);
  for (const content of ["", "{", "null", "1", "[]", { version: 2, reads: good }, { version: 1 }, { reads: good }])
    expect([content, readBack(content)]).toEqual([content, []]);
  expect(readBack({ version: 1, reads: { every: 1 } })).toEqual([]);
  for (const bad of [
    null,
    "one.txt",
    {},
    { kind: "file" },
    { kind: "file", path: 1 },
    { kind: "file", path: ".." },
    { kind: "presence", path: "../x" },
    { kind: "file", path: "/etc/passwd" },
    { kind: "link", path: "x", include: [], exclude: [], gitignore: false },
    { ...folder, include: undefined },
    { ...folder, include: [1] },
    { ...folder, exclude: "x" },
    { ...folder, exclude: ["x", null] },
    { ...folder, gitignore: "yes" },
    { ...folder, path: "../lib" },
  ])
    expect([bad, readBack({ version: 1, reads: [file, bad] })]).toEqual([bad, []]);
});

test("where the state cannot be written reads are known as long as the process, and until they can be", () => {
  const { root, reads, call } = rig({ ".fastloop": "not a folder" });
  expect(reads.keep(call("make"), [], [file])).toBe(true);
  expect(reads.of(call("make"), [])).toEqual([file]);
  expect(reads.of(call("box"), [])).toEqual([]);
  expect(reads.keep(call("make"), [], [file])).toBe(false);
  const again = new WorkspaceReads(new ProjectState(root), workspaceAt(root));
  expect(again.of(call("make"), [])).toEqual([file]);
  rmSync(path.join(root, ".fastloop"));
  expect(again.keep(call("make"), [], [presence])).toBe(true);
  expect(again.of(call("make"), [])).toEqual([presence]);
  expect(readdirSync(path.join(root, ".fastloop/reads"))).toHaveLength(1);
});

test("of five hundred calls the reads are kept, of more the newest", { timeout: 60_000 }, () => {
  const { root, reads, call, stored, state } = rig();
  reads.keep(call("make"), [], [file]);
  const [name] = readdirSync(stored);
  for (let index = 0; index < 500; index++) {
    const other = path.join(stored, `${index.toString(16).padStart(64, "0")}.json`);
    writeFileSync(other, "");
    utimesSync(other, 1000 + index, 1000 + index);
  }
  writeFileSync(path.join(stored, "notes.txt"), "");
  reads.keep(call("box"), [], [file]);
  const kept = readdirSync(stored);
  expect(kept).toHaveLength(501);
  expect(kept).toEqual(expect.arrayContaining([name, "notes.txt", `${"0".repeat(62)}02.json`]));
  expect(kept).not.toContain(`${"0".repeat(64)}.json`);
  expect(new WorkspaceReads(state, workspaceAt(root)).of(call("make"), [])).toEqual([file]);
});

test("what was read is an input: a folder with its filter, a file, or only whether something is there", () => {
  const { root, reads } = rig({ "lib/x": "1", "one.txt": "1" });
  expect(reads.inputsOf([folder, file, presence])).toEqual([
    {
      argument: "workspace",
      kind: "directory",
      path: path.join(root, "lib"),
      filter: filterOfRead(folder),
      read: folder,
    },
    { argument: "workspace", kind: "file", path: path.join(root, "one.txt"), filter: {}, read: file },
    {
      argument: "workspace",
      kind: "file",
      path: path.join(root, "two.txt"),
      filter: {},
      read: presence,
      presence: true,
    },
  ]);
});

test("of what lies outside by now only the presence is an input, as the function is refused it", () => {
  const { root, reads } = rig({ "project/lib/x": "1", "project/.git": null, "outside/x": "1" });
  const project = path.join(root, "project");
  const own = new WorkspaceReads(new ProjectState(project), workspaceAt(project));
  expect(own.inputsOf([folder])).toMatchObject([{ kind: "directory" }]);
  expect(own.inputsOf([folder])[0]).not.toHaveProperty("presence");
  rmSync(path.join(project, "lib"), { recursive: true });
  symlinkSync("../outside", path.join(project, "lib"));
  expect(own.inputsOf([folder])).toMatchObject([{ kind: "file", filter: {}, presence: true }]);
  expect(reads.inputsOf([{ ...folder, path: "project/lib" }])).toMatchObject([{ kind: "directory" }]);
});

/** What a function has read, by the workspace that it is given, and whether it still holds after an edit. */
async function holdsAfter(
  field: "directory" | "file" | "findUp",
  args: Record<string, unknown>,
  edit: (root: string) => void,
  others: readonly string[] = [],
): Promise<boolean> {
  const { root, reads } = rig({
    "lib/x": "1",
    "lib/y.md": "1",
    "one.txt": "1",
    empty: null,
    link: { link: "one.txt" },
  });
  // A read counts before it is sent, for which an engine would be needed.
  const refuse = (): Promise<never> => Promise.reject(new Error("no engine"));
  const workspace = new CallWorkspace(workspaceAt(root), { trees: { directory: refuse, file: refuse }, query: {} });
  await workspace.read(field, args).catch(() => undefined);
  for (const other of others) await workspace.read("directory", { path: other }).catch(() => undefined);
  const made = workspace.reads;
  expect(made.length).toBeGreaterThan(0);
  const inputs = reads.inputsOf(made.map(({ read }) => read));
  const holds = (): boolean => isAsRead(made, inputs, new ProjectScanner(inputs, new ContentHasher()).scan());
  expect(holds()).toBe(true);
  edit(root);
  return holds();
}

const write =
  (name: string) =>
  (root: string): void =>
    writeFileSync(path.join(root, name), "another text");
const remove =
  (name: string) =>
  (root: string): void =>
    rmSync(path.join(root, name), { recursive: true });

test.each<[string, boolean, Parameters<typeof holdsAfter>]>([
  ["a folder after an edit in it", false, ["directory", { path: "lib" }, write("lib/x")]],
  ["a folder after one beside it", true, ["directory", { path: "lib" }, write("one.txt")]],
  ["a folder after one that it leaves out", true, ["directory", { path: "lib", exclude: ["*.md"] }, write("lib/y.md")]],
  ["a folder that went", false, ["directory", { path: "lib" }, remove("lib")]],
  ["an empty folder that went", false, ["directory", { path: "empty" }, remove("empty")]],
  ["a missing folder that stays so", true, ["directory", { path: "new" }, write("lib/x")]],
  ["a missing folder that came", false, ["directory", { path: "new" }, (root) => mkdirSync(path.join(root, "new"))]],
  ["a file after an edit", false, ["file", { path: "one.txt" }, write("one.txt")]],
  ["a file after one beside it", true, ["file", { path: "one.txt" }, write("lib/x")]],
  ["a file that went", false, ["file", { path: "one.txt" }, remove("one.txt")]],
  ["a missing file that came", false, ["file", { path: "new.txt" }, write("new.txt")]],
  [
    "a file that was searched for, after an edit of it",
    true,
    ["findUp", { name: "one.txt", from: "lib" }, write("one.txt")],
  ],
  ["a file that was found, and went", false, ["findUp", { name: "one.txt", from: "lib" }, remove("one.txt")]],
  [
    "a file that was not found there, and came",
    false,
    ["findUp", { name: "one.txt", from: "lib" }, write("lib/one.txt")],
  ],
])("a read of %s holds: %s", async (_what, holds, given) => {
  expect(await holdsAfter(...given)).toBe(holds);
});

test("a folder that was missing and still is holds beside a read of the folder that it would be in", async () => {
  expect(await holdsAfter("directory", { path: "new" }, write("lib/x"), ["."])).toBe(false);
  expect(await holdsAfter("directory", { path: "new" }, () => undefined, ["."])).toBe(true);
  expect(await holdsAfter("directory", { path: "empty" }, remove("empty"), ["lib"])).toBe(false);
});
