import { describe, expect, it } from "vitest";
import { codec } from "../../../src/llb/proto/pb.ts";
import {
  copiesIntoFolders,
  definition,
  exec,
  file,
  fromDefinition,
  image,
  local,
  onlyFrom,
  scratch,
  stateDigest,
  type CopyAction,
  type FolderMakingCopy,
} from "../../../src/llb/index.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- a decoded message is looked at by path
type Message = Record<string, any>;
const ops = codec<Message>("pb.Op");

const base = image("docker.io/library/debian:latest", { platform: "linux/amd64" });
const context = local({ sessionId: "tree-1", name: "context" });

const copying = (copies: Partial<CopyAction>[]): ReturnType<typeof definition> =>
  definition(
    file(
      base,
      copies.map((copy): CopyAction => ({ kind: "copy", from: context, source: "/f", destination: "/a/b/", ...copy })),
    ),
  );

const imported = (
  made: ReturnType<typeof definition>,
  isFile = (_copy: FolderMakingCopy): boolean => true,
): Message[] =>
  definition(fromDefinition(made, { isFile }))
    .def.map((bytes) => ops.decode(bytes))
    .flatMap((op) => op["file"]?.actions ?? []);

describe("a copy of a definition that makes folders", () => {
  it("has those above made first by root with 0755, and the one that a file goes into with the file's owner", () => {
    const actions = imported(copying([{ mode: 0o640, owner: "1000:1001" }]));
    expect(actions.map(({ mkdir }) => mkdir && [mkdir.path, mkdir.mode, mkdir.owner?.user?.byId])).toEqual([
      ["/a", 0o755, undefined],
      ["/a/b/", 0o755, 1000],
      undefined,
    ]);
    // Each action goes on from the one before; the copy reads the context, which is the second input.
    expect(actions.map(({ input, secondaryInput, output }) => [input, secondaryInput, output])).toEqual([
      ["0", "-1", "-1"],
      ["2", "-1", "-1"],
      ["3", "1", "0"],
    ]);
  });

  it("leaves the folder itself alone where a folder is copied, which gives it its own permissions", () => {
    const actions = imported(copying([{ mode: 0o640 }]), () => false);
    expect(actions.flatMap(({ mkdir }) => mkdir?.path ?? [])).toEqual(["/a"]);
  });

  it("keeps what later actions go on from", () => {
    const actions = imported(copying([{ mode: 0o640, destination: "/x/f" }, { destination: "/y/f" }]));
    expect(actions.map(({ input, secondaryInput }) => [input, secondaryInput])).toEqual([
      ["0", "-1"],
      ["2", "1"],
      ["3", "1"],
    ]);
  });

  it("stays what it is without an owner and permissions, or right below the root", () => {
    for (const copy of [{}, { mode: 0o640, createDestPath: false }]) {
      const made = copying([copy]);
      expect(stateDigest(fromDefinition(made, { isFile: () => true }))).toBe(stateDigest(fromDefinition(made)));
      expect(imported(made)).toHaveLength(1);
    }
    expect(imported(copying([{ mode: 0o640, destination: "/f" }]))).toHaveLength(1);
  });

  it("is told with what it copies, and whether that is of the context alone", () => {
    const part = file(scratch, [{ kind: "copy", from: context, source: "/", destination: "/", exclude: ["x"] }]);
    const built = exec({ root: base, args: ["make"] }).root;
    const made = definition(
      file(base, [
        { kind: "copy", from: part, source: "/f", destination: "/a/", mode: 0o640 },
        { kind: "copy", from: built, source: "/g*", destination: "/b/", mode: 0o640, allowWildcard: true },
        { kind: "copy", from: built, source: "/h", destination: "/c", mode: 0o640 },
      ]),
    );
    const [first, second, ...more] = copiesIntoFolders(made);
    expect(more).toEqual([]);
    expect([first?.source, first?.wildcard, second?.source, second?.wildcard]).toEqual(["/f", false, "/g*", true]);
    const ofContext = onlyFrom(made, context.vertex!.digest);
    expect([ofContext.has(first?.from ?? ""), ofContext.has(second?.from ?? "")]).toEqual([true, false]);
  });
});
