import type { WorkspaceRead } from "../../call/index.ts";
import type { ArgumentInfo } from "../../module/index.ts";
import type { TreeFilter } from "../../tree/index.ts";

/** A tree or file that decides whether a target is current. */
export interface TargetInput {
  /** Whose value it is; undefined where fastloop.yaml names the files itself. Two functions may have arguments of one name. */
  of?: ArgumentInfo;
  /** The argument that reads it, or `inputs` where fastloop.yaml names the files itself. */
  argument: string;
  kind: "directory" | "file";
  /** Absolute. */
  path: string;
  filter: TreeFilter;
  /** What links in it lead to counts, too. */
  follow?: true;
  /** Only whether it is there counts. */
  presence?: true;
  /** What the function read of its workspace the last time. */
  read?: WorkspaceRead;
}

/** State of ours; it changes with every run and is never anyone's input. */
export const stateFolder = "**/.fastloop";
