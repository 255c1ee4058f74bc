import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
} from "node:fs";
import path from "node:path";
import process from "node:process";
import { expect, it } from "vitest";
import { ProjectState } from "../../../src/state/index.ts";
import { makeTree } from "../tree/fixture.ts";

const name = "0".repeat(64);
const body = [Buffer.from('{"a":1}')];

function stateAt(root: string): { state: ProjectState; notices: string[] } {
  const notices: string[] = [];
  return { state: new ProjectState(root, { onNotice: (text) => notices.push(text) }), notices };
}

it("what was written is read by the next process, and git never sees the folder", () => {
  const root = makeTree({ a: "" });
  execFileSync("git", ["init", "-q"], { cwd: root });
  expect(stateAt(root).state.write("runs", "x.json", body)).toBe(true);
  expect(stateAt(root).state.read("runs", "x.json")?.toString()).toBe('{"a":1}');
  expect(execFileSync("git", ["status", "--porcelain"], { cwd: root, encoding: "utf8" })).toBe("?? a\n");
});

it("what is under another name, of another place or of another user counts as absent", () => {
  const root = makeTree({ "p/a": "", "q/a": "" });
  const { state } = stateAt(path.join(root, "p"));
  state.write("runs", "x.json", body);
  for (const [from, to] of [
    ["p/.fastloop/runs/x.json", "p/.fastloop/runs/y.json"],
    ["p/.fastloop/runs/x.json", "p/.fastloop/calls/x.json"],
    ["p/.fastloop", "q/.fastloop"],
  ] as const) {
    cpSync(path.join(root, from), path.join(root, to), { recursive: true });
  }
  const foreign: string[] = [];
  const { state: moved } = stateAt(path.join(root, "q"));
  for (const [where, folder, file] of [
    [state, "runs", "y.json"],
    [state, "calls", "x.json"],
    [moved, "runs", "x.json"],
  ] as const) {
    expect(where.read(folder, file, () => foreign.push(file))).toBeUndefined();
  }
  expect(foreign).toHaveLength(3);
  const other = new ProjectState(state.root, { env: { XDG_STATE_HOME: makeTree() } });
  expect(other.read("runs", "x.json")).toBeUndefined();
  expect(other.hashKey).not.toEqual(state.hashKey);
  expect(state.read("runs", "x.json")).toBeDefined();
});

it.each<[string, (root: string) => void, RegExp]>([
  ["a link", (root) => symlinkSync("../outside", path.join(root, ".fastloop")), /\.fastloop.* is a symbolic link/],
  [
    "a link to nothing",
    (root) => symlinkSync("../nothing", path.join(root, ".fastloop")),
    /\.fastloop.* is a symbolic link/,
  ],
  ["a file", (root) => writeFileSync(path.join(root, ".fastloop"), ""), /\.fastloop.* is not a folder/],
  ...["runs", "manifests", "calls"].flatMap((folder): [string, (root: string) => void, RegExp][] => [
    [
      `one with ${folder} as a link`,
      (root) => {
        mkdirSync(path.join(root, ".fastloop"));
        symlinkSync("../../outside", path.join(root, ".fastloop", folder));
      },
      new RegExp(`\\.fastloop/${folder}.* is a symbolic link`),
    ],
    [
      `one with ${folder} as a file`,
      (root) => {
        mkdirSync(path.join(root, ".fastloop"));
        writeFileSync(path.join(root, ".fastloop", folder), "");
      },
      new RegExp(`\\.fastloop/${folder}.* is not a folder`),
    ],
  ]),
  [
    "one with a tracked file",
    (root) => {
      mkdirSync(path.join(root, ".fastloop"));
      writeFileSync(path.join(root, ".fastloop/hashes"), "");
      for (const words of [
        ["init", "-q"],
        ["add", "-f", "."],
      ])
        execFileSync("git", words, { cwd: root });
    },
    /\.fastloop.* is tracked by git/,
  ],
])(
  "%s in its place is refused: nothing is read, written or deleted, and it is said once what to do",
  (_what, make, says) => {
    const outside = {
      "outside/x.json": "{}",
      "outside/hashes": "",
      [`outside/${name}`]: "",
      "outside/20260101T000000.000Z-a-aaaaaa.json": "",
    };
    const top = makeTree({ ...outside, "p/a": "" });
    const root = path.join(top, "p");
    make(root);
    const before = readdirSync(top, { recursive: true });
    const { state, notices } = stateAt(root);
    expect(state.write("runs", "x.json", body)).toBe(false);
    expect(state.openForAppending("calls", "x.log")).toBeUndefined();
    for (const folder of [".", "runs", "manifests", "calls"] as const) {
      expect(state.read(folder, "x.json")).toBeUndefined();
      expect(state.names(folder, /./)).toEqual([]);
      state.remove(folder, ["x.json", "hashes", name]);
      state.sweep(folder, /./, () => true);
      state.keepNewest(folder, /./, 0);
    }
    expect(state.openReader("runs", /./, { files: 9, fileBytes: 9 })).toBeUndefined();
    state.removeIfEmpty();
    expect(readdirSync(top, { recursive: true })).toEqual(before);
    expect(notices).toEqual([expect.stringMatching(says)]);
    expect(() => state.requireUsable()).toThrow(
      expect.objectContaining({ exitCode: 2, hint: expect.stringMatching(/^(?:remove it: rm |git rm )/) }),
    );
  },
);

it.runIf(process.getuid?.() === 0)(
  "one that belongs to a stranger is refused, one of the project's owner is not",
  () => {
    const root = makeTree({ ".fastloop/runs": null });
    chownSync(path.join(root, ".fastloop"), 4242, 4242);
    expect(() => stateAt(root).state.requireUsable()).toThrow("belongs to another user");
    chownSync(root, 4242, 4242);
    stateAt(root).state.requireUsable();
    chownSync(path.join(root, ".fastloop/runs"), 4243, 4243);
    expect(() => stateAt(root).state.requireUsable()).toThrow("belongs to another user");
  },
);

it("a folder that becomes a link between two uses is refused from then on", () => {
  const top = makeTree({ "p/a": "", "outside/x.json": "precious" });
  const { state, notices } = stateAt(path.join(top, "p"));
  state.write("runs", "x.json", body);
  renameSync(path.join(state.path, "runs"), path.join(state.path, "old"));
  symlinkSync("../../outside", path.join(state.path, "runs"));
  expect(state.write("runs", "x.json", body)).toBe(false);
  state.remove("runs", ["x.json"]);
  expect(readFileSync(path.join(top, "outside/x.json"), "utf8")).toBe("precious");
  expect(notices).toHaveLength(1);
});

it("what is cut, has a folder, a link or a pipe in its place counts as absent, and is mended by the next write", () => {
  const root = makeTree({ precious: "precious" });
  const { state, notices } = stateAt(root);
  const file = path.join(root, ".fastloop/hashes");
  for (const damage of [
    () => truncateSync(file, 20),
    () => writeFileSync(file, ""),
    () => {
      rmSync(file);
      mkdirSync(file);
    },
    () => {
      rmSync(file);
      symlinkSync("../precious", file);
    },
    () => {
      rmSync(file);
      execFileSync("mkfifo", [file]);
    },
  ]) {
    state.write(".", "hashes", body);
    damage();
    let told = 0;
    expect(state.read(".", "hashes", () => told++)).toBeUndefined();
    expect(told).toBe(1);
    expect(state.write(".", "hashes", body)).toBe(true);
    expect(state.read(".", "hashes")).toEqual(body[0]);
  }
  expect(readFileSync(path.join(root, "precious"), "utf8")).toBe("precious");
  expect(notices).toEqual([]);
});

it("a folder with something in it in the place of a file stays, and is told once", () => {
  const root = makeTree({ ".fastloop/hashes/mine": "" });
  const { state, notices } = stateAt(root);
  for (let time = 0; time < 2; time++) expect(state.write(".", "hashes", body)).toBe(false);
  expect(existsSync(path.join(root, ".fastloop/hashes/mine"))).toBe(true);
  expect(notices).toEqual([expect.stringMatching(/nothing can be written to .*\.fastloop \((?:ENOTEMPTY|EEXIST)\)/)]);
});

it.runIf(process.getuid?.() !== 0)("a folder that may not be read or written costs a notice", () => {
  const root = makeTree({ ".fastloop/hashes": "" });
  const { state, notices } = stateAt(root);
  chmodSync(state.path, 0o000);
  expect([state.read(".", "hashes"), state.write(".", "hashes", body)]).toEqual([undefined, false]);
  state.requireUsable();
  expect(notices).toEqual([expect.stringContaining("EACCES"), expect.stringContaining("EACCES")]);
  chmodSync(state.path, 0o700);
});

it("a project that was deleted is not made again for the sake of its state", () => {
  const root = path.join(makeTree({ "p/a.txt": "a" }), "p");
  const { state, notices } = stateAt(root);
  state.write("calls", "x.json", body);
  rmSync(root, { recursive: true });
  expect(state.write("calls", "x.json", body)).toBe(false);
  expect(() => state.inOwnFolder(() => undefined)).toThrow("ENOENT");
  expect(existsSync(root)).toBe(false);
  expect(notices).toEqual([]);
});

it("a folder that was deleted while it was used is made again, without a leak of open folders", () => {
  const root = makeTree();
  const { state } = stateAt(root);
  const open = (): number => readdirSync("/proc/self/fd").length;
  state.write("runs", "x.json", body);
  const before = process.platform === "linux" ? open() : 0;
  for (let time = 0; time < 50; time++) {
    rmSync(state.path, { recursive: true });
    expect(state.read("runs", "x.json")).toBeUndefined();
    expect(state.write("runs", "x.json", body)).toBe(true);
    const log = state.openForAppending("runs", "x.log")!;
    writeSync(log, "line");
    closeSync(log);
  }
  if (process.platform === "linux") expect(open()).toBe(before);
});

it("the newest names are read first, so many and no larger than was asked for", () => {
  const root = makeTree();
  const { state } = stateAt(root);
  for (const file of ["1.json", "2.json", "3.json"]) state.write("runs", file, body);
  writeFileSync(path.join(state.path, "runs/4.json"), `${" ".repeat(5000)}{}`);
  writeFileSync(path.join(state.path, "runs/notes.txt"), "");
  const reader = state.openReader("runs", /^\d\.json$/, { files: 3, fileBytes: 4096 })!;
  rmSync(path.join(state.path, "runs/2.json"));
  expect(reader.names.map((file) => [file, reader.read(file).toString()])).toEqual([
    ["4.json", "unreadable"],
    ["3.json", '{"a":1}'],
    ["2.json", "absent"],
  ]);
  reader.close();
  expect(reader.read("3.json")).toBe("absent");
  expect(state.openReader("calls", /./, { files: 1, fileBytes: 1 })).toBeUndefined();
});
