import { GitignoreChain } from "./gitignore.ts";
import { PatternMatcher, type MatchState } from "../patterns/patterns.ts";
import { gitRulesOf, rulesOf, type Tracked } from "./project-rules.ts";
import type { TreeFilter } from "../types.ts";

/** State of one selection for a folder of the walk. */
export interface FolderState {
  /** The folder itself is selected, not only as the parent of something selected. */
  selected: boolean;
  /** Something inside may be selected. */
  enter: boolean;
  include?: MatchState;
  exclude?: MatchState;
  ignored?: GitignoreChain;
  /** A rule ignores the folder: only files that git tracks are selected in it. */
  onlyTracked?: boolean;
  /** Tracked files of a repository inside the outermost one. */
  tracked?: Tracked;
}

/**
 * A filter compiled for a walk below its own root: the semantics of fsutil's filter, plus git's ignore rules. Paths are
 * relative to that root.
 */
export interface CompiledFilter {
  rootState(): FolderState;
  /** Returns undefined if neither the folder nor anything in it is selected. */
  enterFolder(path: string, parent: FolderState): FolderState | undefined;
  selectsFile(path: string, parent: FolderState): boolean;
  /** Returns the state below a folder with its own `.gitignore`. */
  withGitignoreOf(directory: string, path: string, state: FolderState): FolderState;
  /** Returns the state below a folder that is a repository of its own. */
  withRepositoryOf(directory: string, path: string, state: FolderState): FolderState;
}

export function compileFilter(root: string, filter: TreeFilter): CompiledFilter {
  const include = matcherOf(filter.include);
  const exclude = matcherOf(filter.exclude);
  const rules = filter.leaveOut === undefined ? undefined : rulesOf(root);
  const git = rules ?? (filter.gitignore === true ? gitRulesOf(root, filter.globalExcludes === true) : undefined);
  const isIgnored = (path: string, isFolder: boolean, state: FolderState): boolean => {
    if (state.onlyTracked === true) return true;
    if (state.ignored === undefined) return false;
    const name = inRepository(path);
    // A call without named inputs reads files that the project ignores, but not those that only the user's own rules
    // ignore.
    if (filter.leaveOut === "personal" && rules?.personal?.ignores(name, isFolder) !== true) return false;
    return state.ignored.ignores(name, isFolder);
  };
  const isTracked = (path: string, state: FolderState): boolean => {
    if (rules === undefined) return false;
    const { files, cut } = state.tracked ?? rules.tracked;
    return files.has(inRepository(path).slice(cut));
  };
  const holdsTracked = (path: string, state: FolderState): boolean => {
    if (rules === undefined) return false;
    const { files, cut } = state.tracked ?? rules.tracked;
    return files.hasBelow(inRepository(path).slice(cut));
  };
  const inRepository = (path: string): string =>
    git === undefined || git.pathInRepository === "" ? path : `${git.pathInRepository}/${path}`;

  return {
    rootState: () => ({ selected: false, enter: true, ignored: git?.chain }),

    enterFolder(path, parent) {
      // Tested first, as most of a thousand inputs have nothing in a given folder.
      const included = include?.matchBelow(path, parent.include);
      const selected = included?.matched !== false;
      if (!selected && !include!.mayMatchInside(path, "inclusion")) return undefined;
      const isOut = isIgnored(path, true, parent);
      if (isOut && rules === undefined) return undefined;
      const state: FolderState = { selected, enter: true, ignored: parent.ignored, tracked: parent.tracked };
      if (included !== undefined) state.include = included;
      if (exclude !== undefined) {
        state.exclude = exclude.matchBelow(path, parent.exclude);
        if (state.exclude.matched) {
          state.selected = false;
          state.enter &&= exclude.hasExceptions && exclude.mayMatchInside(path, "exception");
        }
      }
      if (!state.selected && !state.enter) return undefined;
      if (isOut) {
        if (!holdsTracked(path, parent)) return undefined;
        state.selected = false;
        state.onlyTracked = true;
      }
      return sameState(state, parent) ? parent : state;
    },

    selectsFile(path, parent) {
      const isOut = isIgnored(path, false, parent);
      if (isOut && rules === undefined) return false;
      if (include !== undefined && !include.matchesBelow(path, parent.include)) return false;
      if (exclude?.matchesBelow(path, parent.exclude) === true) return false;
      return !isOut || isTracked(path, parent);
    },

    withGitignoreOf(directory, path, state) {
      // The root's own file is already part of the chain.
      if (git === undefined || path === "") return state;
      return { ...state, ignored: GitignoreChain.forFolder(state.ignored, directory, inRepository(path)) };
    },

    withRepositoryOf(directory, path, state) {
      if (rules === undefined || path === "") return state;
      const { chain, tracked } = rules.inside(directory, inRepository(path));
      return { ...state, ignored: chain, tracked, onlyTracked: false };
    },
  };
}

/** Reports whether states are equal, so that ten thousand folders can share one. */
function sameState(a: FolderState, b: FolderState): boolean {
  return (
    a.selected === b.selected &&
    a.enter === b.enter &&
    a.include === b.include &&
    a.exclude === b.exclude &&
    a.ignored === b.ignored &&
    a.onlyTracked === b.onlyTracked &&
    a.tracked === b.tracked
  );
}

function matcherOf(patterns: readonly string[] | undefined): PatternMatcher | undefined {
  if (patterns === undefined || patterns.length === 0) return undefined;
  const matcher = new PatternMatcher(patterns);
  return matcher.isEmpty ? undefined : matcher;
}
