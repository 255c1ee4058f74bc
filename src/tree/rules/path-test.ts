import path from "node:path";
import { existsSync } from "node:fs";
import { compileFilter, type CompiledFilter, type FolderState } from "./selection.ts";
import { readOnce } from "../shared-reads.ts";
import type { TreeFilter } from "../types.ts";
import { currentRecorder } from "../../paths/index.ts";

/** Tests single paths against a filter without a walk. Ignore files are read once, when they are first needed. */
export class PathTest {
  private readonly root: string;
  private readonly filter: CompiledFilter;
  /** By folder; undefined if nothing in it is selected. */
  private readonly states = new Map<string, FolderState | undefined>();

  /** `root` is a real path; tested paths are relative to it. */
  constructor(root: string, filter: TreeFilter) {
    this.root = root;
    this.filter = compileFilter(root, filter);
    this.states.set("", this.filter.rootState());
  }

  /** Reports whether a file with this name is selected, existing or not. */
  selects(file: string): boolean {
    const state = this.stateOf(folderOf(file));
    return state !== undefined && this.filter.selectsFile(file, state);
  }

  /** Reports whether a folder with this name, or something that may be in it, is selected. */
  mayHold(folder: string): boolean {
    // What a folder's own rules leave out is in it, so they need not be read.
    return this.states.get(folder) !== undefined || this.entered(folder) !== undefined;
  }

  /** Reports whether a folder with this name is selected with everything in it, except for what is excluded again. */
  selectsFolder(folder: string): boolean {
    return this.stateOf(folder)?.selected === true;
  }

  private stateOf(folder: string): FolderState | undefined {
    if (this.states.has(folder)) return this.states.get(folder);
    let state = this.entered(folder);
    const directory = path.join(this.root, folder);
    if (state !== undefined) {
      const { isRepository, hasRules } = rulesIn(directory);
      if (isRepository) state = this.filter.withRepositoryOf(directory, folder, state);
      if (hasRules) state = this.filter.withGitignoreOf(directory, folder, state);
    }
    this.states.set(folder, state);
    return state;
  }

  /** Returns the state of a folder without the rules in it. */
  private entered(folder: string): FolderState | undefined {
    const above = this.stateOf(folderOf(folder));
    return above === undefined ? undefined : this.filter.enterFolder(folder, above);
  }
}

function rulesIn(directory: string): { isRepository: boolean; hasRules: boolean } {
  return readOnce(`rules in ${directory}`, () => {
    for (const name of [".git", ".gitignore"]) currentRecorder()?.kind(`${directory}/${name}`);
    return { isRepository: existsSync(`${directory}/.git`), hasRules: existsSync(`${directory}/.gitignore`) };
  });
}

function folderOf(file: string): string {
  return file.slice(0, Math.max(0, file.lastIndexOf("/")));
}
