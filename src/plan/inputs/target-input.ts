import type { WorkspaceRead } from "../../call/index.ts";
import type { ArgumentInfo } from "../../module/index.ts";
import type { TreeFilter } from "../../tree/index.ts";

/** A tree or file that decides whether a target is up to date. */
export interface TargetInput {
  /**
   * Argument that has it as a value, since two functions may have arguments of one name; undefined if fastloop.yaml
   * names the files.
   */
  of?: ArgumentInfo;
  /** Name of the argument that reads it; `inputs` if fastloop.yaml names the files. */
  argument: string;
  kind: "directory" | "file";
  /** Absolute path. */
  path: string;
  filter: TreeFilter;
  /** Targets of its links count too. */
  follow?: true;
  /** Only its existence counts. */
  presence?: true;
  /** What the function read of its workspace last time. */
  read?: WorkspaceRead;
}

/** fastloop's own state, which changes with every run and is never an input. */
export const stateFolder = "**/.fastloop";
