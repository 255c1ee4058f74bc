import path from "node:path/posix";
import { Inputs, type State, type StepOptions } from "./state.ts";
import { NONE } from "./wire.ts";

/**
 * Timestamp of what an action creates. Without one, BuildKit uses the time of the run, and equal operations would not
 * produce equal files. It is 1980-01-01, because zip and some of its readers cannot represent earlier days.
 */
export const PINNED_TIMESTAMP_NS = 315_532_800n * 1_000_000_000n;

/**
 * `user`, `1000`, `user:group` or `1000:1000`. Names are looked up in the file system that the operation starts from.
 */
export type Owner = string;

export interface MkfileAction {
  kind: "mkfile";
  path: string;
  content: Uint8Array | string;
  /** Permission bits; 0644 when absent. */
  mode?: number;
  owner?: Owner;
  timestampNs?: bigint;
}

export interface MkdirAction {
  kind: "mkdir";
  path: string;
  /** Permission bits; 0755 when absent. */
  mode?: number;
  /** True when absent. */
  makeParents?: boolean;
  owner?: Owner;
  timestampNs?: bigint;
}

export interface RmAction {
  kind: "rm";
  path: string;
  /** True when absent. */
  allowNotFound?: boolean;
  allowWildcard?: boolean;
}

export interface SymlinkAction {
  kind: "symlink";
  /** Text of the link. */
  target: string;
  /** Path of the link. */
  path: string;
  owner?: Owner;
  timestampNs?: bigint;
}

export interface CopyAction {
  kind: "copy";
  from: State;
  /** The source is an earlier action's result in the same operation; `from` is ignored. */
  isAside?: boolean;
  source: string;
  destination: string;
  include?: readonly string[];
  exclude?: readonly string[];
  /** Permission bits for everything that is copied. */
  mode?: number;
  /** Symbolic mode such as `u=rw,go=r`; takes precedence over `mode`. */
  modeText?: string;
  owner?: Owner;
  followSymlinks?: boolean;
  /** True when absent. */
  createDestPath?: boolean;
  /** Copy a folder's content instead of the folder itself. */
  dirCopyContents?: boolean;
  /**
   * With `dirCopyContents`: attributes for the destination itself. BuildKit only changes folders inside of what is
   * copied, so a folder with these attributes is created aside and copied over the destination. `at` is the
   * destination's real path, if a link leads to it.
   */
  folder?: { mode: number; owner: Owner; at?: string };
  allowWildcard?: boolean;
  allowEmptyWildcard?: boolean;
  /** Unpack a tar archive instead of copying it. */
  attemptUnpack?: boolean;
  /** Replace a destination of another type (a folder by a file) instead of failing. */
  alwaysReplaceExistingDestPaths?: boolean;
  /** With `include`: paths that must be part of the copy. */
  requiredPaths?: readonly string[];
  /** The timestamps of the source are kept when absent. */
  timestampNs?: bigint;
}

export type FileAction = MkfileAction | MkdirAction | RmAction | SymlinkAction | CopyAction;

/**
 * Runs the actions in order as one operation, which gives one snapshot and one cache entry. Without actions, returns
 * the base itself.
 */
export function file(base: State, actions: readonly FileAction[], options: StepOptions = {}): State {
  if (actions.length === 0) return base;
  const inputs = new Inputs();
  const baseIndex = inputs.add(base);
  // Every input gets its index before the first action is written, because results of actions are numbered after the
  // inputs.
  const sources = actions.map((action) => (action.kind === "copy" ? inputs.add(action.from) : NONE));
  const wire: object[] = [];
  let result = baseIndex;
  const push = (action: FileAction, input: number, secondaryInput: number): number => {
    wire.push({ input, secondaryInput, output: NONE, ...encodeAction(action, baseIndex) });
    return inputs.length + wire.length - 1;
  };
  actions.forEach((action, index) => {
    if (action.kind === "copy" && action.folder !== undefined) {
      const [made, laid] = aside(action, action.folder);
      result = push(laid, result, push(made, NONE, NONE));
    }
    result = push(action, result, sources[index] ?? NONE);
  });
  Object.assign(wire.at(-1)!, { output: 0 });
  return { vertex: inputs.vertex({ file: { actions: wire } }, options), output: 0 };
}

/**
 * Returns the actions that create a folder from scratch and copy it over the destination, which sets its permissions
 * and owner. The destination's time comes from the content that is copied afterwards.
 */
function aside(
  { from, destination }: CopyAction,
  { mode, owner, at = destination }: { mode: number; owner: Owner; at?: string },
): [MkdirAction, CopyAction] {
  const made: MkdirAction = { kind: "mkdir", path: `/${path.basename(at)}`, mode, owner };
  return [
    made,
    {
      kind: "copy",
      from,
      isAside: true,
      source: "/",
      destination: path.dirname(at),
      dirCopyContents: true,
      alwaysReplaceExistingDestPaths: true,
      // Creating a folder sets no set-id bits, but copying does.
      mode,
    },
  ];
}

/**
 * Encodes an action. `names` is the input in which user names are looked up: BuildKit accepts no result of an earlier
 * action for that.
 */
function encodeAction(action: FileAction, names: number): object {
  switch (action.kind) {
    case "mkfile":
      return {
        mkfile: {
          path: absolute(action.path),
          mode: action.mode ?? 0o644,
          data: typeof action.content === "string" ? Buffer.from(action.content) : action.content,
          ...created(action, names),
        },
      };
    case "mkdir":
      return {
        mkdir: {
          path: absolute(action.path),
          mode: action.mode ?? 0o755,
          makeParents: action.makeParents ?? true,
          ...created(action, names),
        },
      };
    case "symlink":
      return { symlink: { oldpath: action.target, newpath: absolute(action.path), ...created(action, names) } };
    case "rm":
      return {
        rm: {
          path: absolute(action.path),
          allowNotFound: action.allowNotFound ?? true,
          allowWildcard: action.allowWildcard,
        },
      };
    case "copy":
      return encodeCopy(action, names);
  }
}

function encodeCopy(action: CopyAction, names: number): object {
  // BuildKit refuses a copy from scratch. Copying an empty tree creates the folder.
  if (action.from.vertex === undefined && action.isAside !== true) {
    return {
      mkdir: {
        path: absolute(action.destination),
        mode: (action.mode ?? 0o755) & 0o777,
        makeParents: true,
        ...created(action, names),
      },
    };
  }
  return {
    copy: {
      src: absolute(action.source),
      dest: absolute(action.destination),
      owner: encodeOwner(action.owner, names),
      mode: action.mode ?? -1,
      modeStr: action.modeText,
      followSymlink: action.followSymlinks,
      dirCopyContents: action.dirCopyContents,
      attemptUnpack: action.attemptUnpack,
      createDestPath: action.createDestPath ?? true,
      allowWildcard: action.allowWildcard,
      allowEmptyWildcard: action.allowEmptyWildcard,
      timestamp: action.timestampNs === undefined ? -1 : toLong(action.timestampNs),
      includePatterns: action.include,
      excludePatterns: action.exclude,
      alwaysReplaceExistingDestPaths: action.alwaysReplaceExistingDestPaths,
      requiredPaths: action.requiredPaths,
    },
  };
}

function created(action: { owner?: Owner; timestampNs?: bigint }, names: number): object {
  return { owner: encodeOwner(action.owner, names), timestamp: toLong(action.timestampNs ?? PINNED_TIMESTAMP_NS) };
}

function encodeOwner(owner: Owner | undefined, names: number): object | undefined {
  if (owner === undefined || owner === "") return undefined;
  const [user, group] = owner.split(":");
  const side = (name: string | undefined): object | undefined => {
    if (name === undefined || name === "") return undefined;
    return /^\d+$/.test(name) ? { byId: Number(name) } : { byName: { name, input: names } };
  };
  return { user: side(user), group: side(group) };
}

function absolute(name: string): string {
  return name.startsWith("/") ? name : `/${name}`;
}

/** Converts a 64-bit integer to the form in which protobufjs keeps its nanoseconds exact. */
function toLong(value: bigint): { low: number; high: number; unsigned: boolean } {
  return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)), unsigned: false };
}
