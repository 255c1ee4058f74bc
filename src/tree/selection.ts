import { GitignoreChain } from "./gitignore.ts";
import { PatternMatcher, type MatchState } from "./patterns.ts";
import type { TreeFilter } from "./types.ts";

/** What one selection knows about a folder that the walk stands in. */
export interface FolderState {
  /** The folder itself is selected (not only as the parent of something that is). */
  selected: boolean;
  /** Something inside may be selected. */
  enter: boolean;
  include?: MatchState;
  exclude?: MatchState;
  ignored?: GitignoreChain;
}

/**
 * A filter made ready for a walk below its own root: the semantics of fsutil's filter, plus git's ignore rules. Paths
 * are relative to that root.
 */
export interface CompiledFilter {
  rootState(): FolderState;
  /** Undefined: neither the folder nor anything in it is selected. */
  enterFolder(path: string, parent: FolderState): FolderState | undefined;
  selectsFile(path: string, parent: FolderState): boolean;
  /** The state below a folder that has a `.gitignore` of its own. */
  withGitignoreOf(directory: string, path: string, state: FolderState): FolderState;
}

export function compileFilter(root: string, filter: TreeFilter): CompiledFilter {
  const include = matcherOf(filter.include);
  const exclude = matcherOf(filter.exclude);
  const git = filter.gitignore === true ? GitignoreChain.forRoot(root) : undefined;
  const inRepository = (path: string): string =>
    git === undefined || git.pathInRepository === "" ? path : `${git.pathInRepository}/${path}`;

  return {
    rootState: () => ({ selected: false, enter: true, ignored: git?.chain }),

    enterFolder(path, parent) {
      if (parent.ignored?.ignores(inRepository(path), true) === true) return undefined;
      const state: FolderState = { selected: true, enter: true, ignored: parent.ignored };
      if (include !== undefined) {
        state.include = include.matchBelow(path, parent.include);
        if (!state.include.matched) {
          state.selected = false;
          state.enter = include.mayMatchInside(path, "inclusion");
        }
      }
      if (exclude !== undefined) {
        state.exclude = exclude.matchBelow(path, parent.exclude);
        if (state.exclude.matched) {
          state.selected = false;
          state.enter &&= exclude.hasExceptions && exclude.mayMatchInside(path, "exception");
        }
      }
      if (!state.selected && !state.enter) return undefined;
      return sameState(state, parent) ? parent : state;
    },

    selectsFile(path, parent) {
      if (parent.ignored?.ignores(inRepository(path), false) === true) return false;
      if (include !== undefined && !include.matchesBelow(path, parent.include)) return false;
      return exclude === undefined || !exclude.matchesBelow(path, parent.exclude);
    },

    withGitignoreOf(directory, path, state) {
      // The root's own file is part of the chain already.
      if (git === undefined || path === "") return state;
      return { ...state, ignored: GitignoreChain.forFolder(state.ignored, directory, inRepository(path)) };
    },
  };
}

/** Ten thousand folders that say the same share one state. */
function sameState(a: FolderState, b: FolderState): boolean {
  return a.selected === b.selected && a.enter === b.enter && a.include === b.include && a.exclude === b.exclude && a.ignored === b.ignored;
}

function matcherOf(patterns: readonly string[] | undefined): PatternMatcher | undefined {
  if (patterns === undefined || patterns.length === 0) return undefined;
  const matcher = new PatternMatcher(patterns);
  return matcher.isEmpty ? undefined : matcher;
}
