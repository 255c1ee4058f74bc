import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { fileReadAgain, openSession, type EngineSession } from "../../src/engine/index.ts";
import { TreeSync, type SyncedTree } from "../../src/engine/trees/sync.ts";
import { ContentHasher, listTree, type TreeFilter } from "../../src/tree/index.ts";

let session: EngineSession;
let folder: string;
let root: string;
let trees: TreeSync;

beforeAll(async () => {
  session = await openSession({ workdir: process.cwd(), engine: process.env.FASTLOOP_ENGINE ?? "auto" });
});
afterAll(() => session?.close());
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-trees-"));
  root = path.join(folder, "tree");
  for (let index = 0; index < 60; index++) write(`d${index % 5}/f${index}.txt`, `content ${index}\n`);
  symlinkSync("f1.txt", path.join(root, "d1/link"));
  trees = new TreeSync(session, { hasher: new ContentHasher() });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | Uint8Array): void {
  mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
  writeFileSync(path.join(root, name), content);
}

/** Everything about a tree but times and inodes. */
function describeTree(at: string, filter: TreeFilter = {}): string[] {
  return listTree(at, filter).entries.map((entry) => {
    const content = entry.type === "file" ? readFileSync(path.join(at, entry.path), "hex") : (entry.linkTarget ?? "");
    return `${entry.type} ${entry.type === "symlink" ? "" : entry.mode.toString(8)} ${entry.path} ${content}`;
  });
}

/** Syncs, and holds what the engine has against what is on disk. */
async function sync(filter: TreeFilter = {}): Promise<SyncedTree> {
  const synced = await trees.directory(root, filter);
  const exported = path.join(folder, "exported");
  rmSync(exported, { recursive: true, force: true });
  const document =
    "query Export($id: ID!, $path: String!) { node(id: $id) { ... on Directory { export(path: $path) } } }";
  await session.query(document, { id: synced.id, path: exported });
  expect(describeTree(exported)).toEqual(describeTree(root, filter));
  return synced;
}

describe("a host tree in the engine", () => {
  test("is sent once, and an edit costs one step", async () => {
    expect((await sync()).via).toEqual({ kind: "base", reason: "first" });
    expect((await sync()).via).toEqual({ kind: "same" });
    write("d1/f1.txt", "edited\n");
    expect((await sync()).via).toEqual({ kind: "edits", steps: 1 });
  });

  test("that comes back to a state is the same object again", async () => {
    const base = await sync();
    write("d1/f1.txt", "edited\n");
    write("d2/new.txt", "new\n");
    const edited = await sync();
    write("d1/f1.txt", "content 1\n");
    unlinkSync(path.join(root, "d2/new.txt"));
    expect(await sync()).toMatchObject({ id: base.id, via: { kind: "same" } });
    write("d2/new.txt", "new\n");
    write("d1/f1.txt", "edited\n");
    expect((await sync()).id).toBe(edited.id);
  });

  /** Each edit, and how it gets there: laid on the base, or sent anew where an engine could not lay it alike. */
  const edits: [string, () => void, "edits" | "base"][] = [
    ["a binary file", () => write("d1/bin", Uint8Array.from([0, 1, 2, 254, 255])), "edits"],
    ["bytes that are no UTF-8", () => write("d1/latin1", Uint8Array.from([0x67, 0xfc, 0x6e])), "edits"],
    ["control characters and a byte order mark", () => write("d1/odd.txt", "\uFEFFa\u0001\u007f\r\n\t"), "edits"],
    ["an empty file", () => write("d1/empty", ""), "edits"],
    ["a large text", () => write("d1/large.txt", "line\n".repeat(100_000)), "edits"],
    ["a mode", () => chmodSync(path.join(root, "d1/f6.txt"), 0o755), "edits"],
    ["a file that only its owner may read", () => chmodSync(path.join(root, "d1/f6.txt"), 0o600), "edits"],
    ["a folder's mode", () => chmodSync(path.join(root, "d4"), 0o700), "base"],
    ["a set-user-id bit", () => chmodSync(path.join(root, "d1/f6.txt"), 0o4755), "base"],
    ["a removed file", () => unlinkSync(path.join(root, "d1/f6.txt")), "edits"],
    ["a removed folder", () => rmSync(path.join(root, "d1"), { recursive: true }), "edits"],
    ["a renamed file", () => renameSync(path.join(root, "d1/f6.txt"), path.join(root, "d2/other.txt")), "edits"],
    ["a renamed folder", () => renameSync(path.join(root, "d1"), path.join(root, "e1")), "edits"],
    ["empty folders", () => mkdirSync(path.join(root, "empty/nested"), { recursive: true }), "edits"],
    ["a new link", () => symlinkSync("/etc/passwd", path.join(root, "absolute")), "edits"],
    [
      "a link to elsewhere",
      () => (unlinkSync(path.join(root, "d1/link")), symlinkSync("f6.txt", path.join(root, "d1/link"))),
      "edits",
    ],
    [
      "a link that became a file",
      () => (unlinkSync(path.join(root, "d1/link")), write("d1/link", "file now")),
      "edits",
    ],
    [
      "a file that became a link",
      () => (unlinkSync(path.join(root, "d1/f6.txt")), symlinkSync("f1.txt", path.join(root, "d1/f6.txt"))),
      "edits",
    ],
    [
      "a file that became a folder",
      () => (unlinkSync(path.join(root, "d1/f6.txt")), write("d1/f6.txt/in", "x")),
      "edits",
    ],
    [
      "a folder that became a file",
      () => (rmSync(path.join(root, "d1"), { recursive: true }), write("d1", "x")),
      "edits",
    ],
    ["odd names", () => write('o dd/"quoted" $x \\n é😀 {{.}}.txt', "x"), "edits"],
    ["names that are patterns", () => write("d1/[id]/*.ts", "x"), "edits"],
  ];
  test.each(edits)("%s arrives as it is on disk", async (_name, edit, kind) => {
    await sync();
    edit();
    expect((await sync()).via.kind).toBe(kind);
  });

  test("a removed file whose name is a pattern takes no other file along", async () => {
    write("d1/[f]", "pattern");
    write("d1/f", "not meant");
    await sync();
    unlinkSync(path.join(root, "d1/[f]"));
    await sync();
  });

  test("filters hold for what is laid on as for what is sent", async () => {
    const filter = { exclude: ["d2", "**/*.log"] };
    await sync(filter);
    write("d1/x.log", "ignored");
    write("d2/f2.txt", "ignored");
    expect((await sync(filter)).via).toEqual({ kind: "same" });
    write("d1/y.txt", "seen");
    expect((await sync(filter)).via).toEqual({ kind: "edits", steps: 1 });
  });

  test("many changes make a new base, and edits are laid on that", async () => {
    await sync();
    for (let index = 0; index < 40; index++) write(`d${index % 5}/f${index}.txt`, `again ${index}\n`);
    expect((await sync()).via).toEqual({ kind: "base", reason: "many-changes" });
    write("d1/f1.txt", "one more\n");
    expect((await sync()).via).toEqual({ kind: "edits", steps: 1 });
  });

  test("after a thousand edits it is what is on disk, still laid on one base", async () => {
    await trees.directory(root);
    for (let edit = 0; edit < 1000; edit++) {
      write(`d${edit % 3}/f${edit % 3}.txt`, `edit ${edit}\n`);
      expect((await trees.directory(root)).via).toMatchObject({ kind: "edits" });
    }
    expect((await sync()).via).toEqual({ kind: "edits", steps: 3 });
  });

  test("callers at the same time share one sync", async () => {
    const [one, other] = await Promise.all([trees.directory(root), trees.directory(root)]);
    expect(other.id).toBe(one.id);
    expect([one.via.kind, other.via.kind]).toEqual(["base", "same"]);
  });

  test("a tree that moved after it was listed is listed again", async () => {
    const listing = listTree(root);
    await trees.directory(root, {}, { listing });
    const old = listTree(root);
    write("d1/f1.txt", "newer than the listing\n");
    const edited = listTree(root);
    write("d1/f1.txt", "newest, and longer\n");
    const synced = await trees.directory(root, {}, { listing: edited });
    expect(synced.listing).not.toBe(edited);
    expect((await trees.directory(root, {}, { listing: old })).listing).toBe(old);
    await sync();
  });
});

test("is sent anew where the engine has lost the base and the host no longer has its content", async () => {
  await sync();
  write("d1/f1.txt", "edited\n");
  // The transfer of another session replaces the engine's copy of the folder, unless somebody holds it at this moment.
  await new TreeSync(session).directory(root);
  const failure: unknown = await sync().then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failure !== undefined) expect(fileReadAgain(failure)).toBe("d1/f1.txt");
  trees.forget();
  expect((await sync()).via).toEqual({ kind: "base", reason: "first" });
});
