import { expect, it } from "vitest";
import { fileActions } from "../../../src/core-api/solve/compile-edit.ts";
import { execCommand, isLargeSnapshot } from "../../../src/core-api/solve/compile-exec.ts";
import { Compiler, type CompilerHooks } from "../../../src/core-api/solve/compile.ts";
import { diffTree } from "../../../src/core-api/values/diff.ts";
import { type Edit, type Exec, type HostTree, type Tree } from "../../../src/core-api/values/values.ts";
import { edited, scratch } from "../../../src/core-api/values/rooted.ts";
import { definition, scratch as emptyState } from "../../../src/llb/index.ts";

const compiler = (hooks: Partial<CompilerHooks> = {}): Compiler =>
  new Compiler({
    onExec: () => undefined,
    definitionOf: () => emptyState,
    destinationOf: ({ folder }) => ({ folder }),
    fileDestinationOf: () => ({}),
    masked: (text) => text,
    ...hooks,
  });
const write = (path: string): Edit => ({ action: "write", path, contents: "x", mode: 0o644 });
const copy = (source: Tree): Edit => ({
  action: "copy-directory",
  source,
  sourcePath: "/",
  path: "/d",
  include: [],
  exclude: [],
});
const host = (entryCount: number): HostTree => ({
  kind: "host",
  digest: "d",
  sessionId: "s",
  localName: "l",
  name: "n",
  entryCount,
  internal: false,
});
const chain = (base: Tree, ...edits: Edit[]): Tree => edits.reduce(edited, base);
/** Operations of a tree, the one that names the result not counted. */
const operations = (tree: Tree): number => (definition(compiler().compile(tree))?.def.length ?? 1) - 1;

const exec: Exec = {
  args: ["true"],
  env: [],
  cwd: "/",
  user: "",
  platform: "linux/amd64",
  rootfs: scratch,
  shim: host(1),
  mounts: [],
  secrets: [],
  expect: "SUCCESS",
  stdin: "",
  redirectStdin: "",
  redirectStdout: "",
  redirectStderr: "",
  insecure: false,
  noInit: false,
  services: [],
  sockets: [],
};

it("writes a run of edits as one operation", () => {
  expect(operations(chain(scratch, write("/a"), write("/b"), { action: "remove", path: "/a" }))).toBe(1);
});

it("keeps the copy of a folder apart, so that an edit does not copy it again", () => {
  expect(operations(chain(scratch, write("/a"), copy(host(1)), write("/b")))).toBe(5);
});

it("compiles a chain of ten thousand edits", () => {
  let tree: Tree = scratch;
  for (let index = 0; index < 10_000; index++) tree = edited(tree, write(`/f${index}`));
  expect(operations(tree)).toBe(1);
});

it("makes the parents of a path once, and again after a removal", () => {
  const parents = (edits: Edit[]): string[] =>
    fileActions(edits, () => emptyState).flatMap((action) => (action.kind === "mkdir" ? [action.path] : []));
  expect(parents([write("/a/b/x"), write("/a/b/y"), write("/a/z")])).toEqual(["/a/b"]);
  expect(parents([write("/a/x"), { action: "remove", path: "/a" }, write("/a/x")])).toEqual(["/a", "/a"]);
});

it("stamps what it writes with the time of writing, which build tools compare", () => {
  const [action] = fileActions([write("/x")], () => emptyState);
  expect(action).toMatchObject({ kind: "mkfile", timestampNs: -1n });
});

it("hashes no files of a large snapshot with literal edits, and those of any other tree", () => {
  expect(isLargeSnapshot(chain(host(1000), write("/a")))).toBe(true);
  expect(isLargeSnapshot(chain(host(999), write("/a")))).toBe(false);
  expect(isLargeSnapshot(chain(host(1000), copy(host(1))))).toBe(false);
  expect(isLargeSnapshot({ kind: "exec", exec, output: "/" })).toBe(false);
});

it("compiles the upper side of a diff on top of exactly the lower one", () => {
  const lower = chain(scratch, write("/a"));
  const upper = chain(chain(scratch, write("/a")), write("/b"));
  expect(operations(diffTree(lower, upper))).toBe(3);
});

it("compiles what both sides of a diff have in common once, whichever of them has more", () => {
  const common = (): Tree => chain(scratch, write("/same"));
  const [one, other] = [chain(common(), write("/a")), chain(common(), write("/b"))];
  expect(operations(diffTree(one, other))).toBe(4);
  expect(operations(diffTree(one, common()))).toBe(3);
});

it("runs the command under the shim and names secrets to be masked, volatile variables not", () => {
  const secrets = [
    { id: "secret-1", envName: "TOKEN" },
    { id: "secret-2", mountPath: "/run/s" },
    { id: "volatile-V", envName: "V" },
  ];
  expect(execCommand({ ...exec, expect: "ANY", redirectStdout: "/o", secrets })).toEqual([
    "/.fastloop/bin/shim",
    "--expect",
    "any",
    "--redirect-stdout",
    "/o",
    "--scrub-env",
    "TOKEN",
    "--scrub-file",
    "/run/s",
    "--",
    "true",
  ]);
});

it("names a step by its words on one line, a script's commands apart, and secrets masked before", () => {
  const named = (masked: (text: string) => string, ...args: string[]): string => {
    const state = compiler({ masked }).compile({ kind: "exec", exec: { ...exec, args }, output: "/" });
    const names = Object.values(definition(state)?.metadata ?? {}).map((each) => each.description?.["llb.customname"]);
    return names.find((name) => name?.startsWith("exec ") === true) ?? "";
  };
  expect(named((text) => text, "sh", "-ec", "npm ci\nfor a in b; do\n  echo\ndone")).toBe(
    "exec sh -ec npm ci; for a in b; do echo; done",
  );
  expect(named((text) => text.replaceAll("one\ntwo", "***"), "echo", "one\ntwo")).toBe("exec echo ***");
  expect(named((text) => text.replaceAll("one two", "***"), "echo", "one", "two")).toBe("exec echo ***");
});

it("puts no plaintext and no volatile value into LLB", () => {
  const withSecrets: Exec = {
    ...exec,
    secrets: [
      { id: "secret-1", envName: "TOKEN" },
      { id: "volatile-V", envName: "V" },
    ],
  };
  const bytes = Buffer.concat(
    definition(compiler().compile({ kind: "exec", exec: withSecrets, output: "/" })).def,
  ).toString("latin1");
  expect(bytes).toContain("secret-1");
  expect(bytes).not.toContain("hunter2");
});
