import path from "node:path/posix";
import { codec, encodeCanonical } from "./proto/pb.ts";
import type { Definition } from "./types.ts";
import { opDigest } from "./state.ts";
import { NONE } from "./wire.ts";

/** A copy that creates missing folders, and sets an owner or permissions on what it creates. */
export interface FolderMakingCopy {
  /** Digest of the operation that it copies from; absent when it copies from an action of the same operation. */
  from?: string;
  /** Paths as written, with a trailing slash where the destination is a folder. */
  source: string;
  destination: string;
  wildcard: boolean;
}

interface Copy {
  src: string;
  dest: string;
  mode: number;
  modeStr: string;
  owner?: object | null;
  timestamp: string;
  createDestPath: boolean;
  allowWildcard: boolean;
}

interface Action {
  input: string;
  secondaryInput: string;
  output: string;
  copy?: Copy | null;
}

interface FileOp {
  inputs: { digest: string }[];
  file?: { actions: Action[] } | null;
}

const opCodec = codec<FileOp>("pb.Op");

/** Returns the copies into a folder. `withMadeFolders` asks of these whether they copy a file. */
export function copiesIntoFolders({ def }: Definition): FolderMakingCopy[] {
  return def.flatMap((bytes) => {
    const { inputs, file } = opCodec.decode(bytes);
    return (file?.actions ?? []).flatMap(({ copy, secondaryInput }) =>
      isFolderMaking(copy) && isFolder(copy.dest) ? [described(copy, inputs[Number(secondaryInput)]?.digest)] : [],
    );
  });
}

/**
 * Returns the operations whose content comes only from the operation `source`: `source` itself and file operations on
 * it.
 */
export function onlyFrom({ def }: Definition, source: string): Set<string> {
  const found = new Set([source]);
  // Inputs precede the operations that use them.
  for (const bytes of def) {
    const { inputs, file } = opCodec.decode(bytes);
    if (file && inputs.length > 0 && inputs.every(({ digest }) => found.has(digest))) found.add(opDigest(bytes));
  }
  return found;
}

/**
 * Returns the operation with the parent folders of its copies created first. BuildKit gives folders that `COPY --chown
 * --chmod` creates the owner and permissions of the files. On a Dagger engine they belong to root with 0755, except the
 * last one before a file, which gets the owner too.
 */
export function withMadeFolders(bytes: Uint8Array, isFile: (copy: FolderMakingCopy) => boolean): Uint8Array {
  const op = opCodec.decode(bytes);
  const actions = op.file?.actions ?? [];
  if (!actions.some(({ copy }) => isFolderMaking(copy))) return bytes;
  const inputCount = op.inputs.length;
  /** Positions of the old actions' results among the new ones. */
  const moved: number[] = [];
  const renumbered = (index: string): number => {
    const old = Number(index);
    return old < inputCount ? old : inputCount + moved[old - inputCount]!;
  };
  const result: object[] = [];
  for (const action of actions) {
    const { copy } = action;
    let input = renumbered(action.input);
    const make = (folder: string, owner?: object | null): void => {
      if (folder === "/") return;
      const mkdir = { path: folder, mode: 0o755, makeParents: true, owner: owner ?? null, timestamp: copy!.timestamp };
      result.push({ input, secondaryInput: NONE, output: NONE, mkdir });
      input = inputCount + result.length - 1;
    };
    if (isFolderMaking(copy)) {
      const destination = path.join("/", copy.dest);
      make(path.dirname(destination.replace(/(?<=.)\/$/, "")));
      if (isFolder(copy.dest) && isFile(described(copy, op.inputs[Number(action.secondaryInput)]?.digest)))
        make(destination, copy.owner);
    }
    moved.push(result.length);
    result.push({ ...action, input, secondaryInput: renumbered(action.secondaryInput) });
  }
  return encodeCanonical("pb.Op", { ...op, file: { actions: result } });
}

function isFolderMaking(copy: Copy | null | undefined): copy is Copy {
  if (copy === undefined || copy === null || !copy.createDestPath) return false;
  return copy.mode !== NONE || copy.modeStr !== "" || (copy.owner ?? undefined) !== undefined;
}

function isFolder(name: string): boolean {
  return name.endsWith("/") || name.endsWith("/.");
}

function described(copy: Copy, from: string | undefined): FolderMakingCopy {
  return {
    ...(from === undefined ? {} : { from }),
    source: copy.src,
    destination: copy.dest,
    wildcard: copy.allowWildcard,
  };
}
