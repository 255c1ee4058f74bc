import { GitignoreChain } from "./gitignore.ts";
import { PatternMatcher, type MatchState } from "./patterns.ts";
import type { TreeSelection } from "./walk.ts";

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

/** A selection made ready for a walk: the semantics of fsutil's filter, plus git's ignore rules. */
export interface CompiledSelection {
  rootState(): FolderState;
  enterFolder(path: string, parent: FolderState): FolderState | undefined;
  selectsFile(path: string, parent: FolderState): boolean;
  withGitignoreOf(directory: string, folder: string, state: FolderState): FolderState;
  /** Whether a path lies below the selection's own root. */
  isInside(path: string): boolean;
}

export function compileSelection(root: string, selection: TreeSelection): CompiledSelection {
  const base = selection.path;
  const filter = selection.filter ?? {};
  const include = matcherOf(filter.include);
  const exclude = matcherOf(filter.exclude);
  const prefix = base === "" ? "" : `${base}/`;
  const git = filter.gitignore === true ? GitignoreChain.forRoot(root) : undefined;
  const inRepository = (path: string): string =>
    git === undefined || git.pathInRepository === "" ? path : `${git.pathInRepository}/${path}`;

  const isInside = (path: string): boolean => path.startsWith(prefix) && path.length > prefix.length;
  const leadsToBase = (path: string): boolean => prefix.startsWith(`${path}/`);

  return {
    isInside,
    rootState: () => ({ selected: false, enter: true, ignored: git?.chain }),

    enterFolder(path, parent) {
      if (!isInside(path)) return leadsToBase(path) ? { ...parent, selected: false, enter: true } : undefined;
      if (parent.ignored?.ignores(inRepository(path), true) === true) return undefined;
      const relative = path.slice(prefix.length);
      const state: FolderState = { selected: true, enter: true, ignored: parent.ignored };
      if (include !== undefined) {
        state.include = include.matchBelow(relative, parent.include);
        if (!state.include.matched) {
          state.selected = false;
          state.enter = include.mayMatchInside(relative, "inclusion");
        }
      }
      if (exclude !== undefined) {
        state.exclude = exclude.matchBelow(relative, parent.exclude);
        if (state.exclude.matched) {
          state.selected = false;
          state.enter &&= exclude.hasExceptions && exclude.mayMatchInside(relative, "exception");
        }
      }
      return state.selected || state.enter ? state : undefined;
    },

    selectsFile(path, parent) {
      if (!isInside(path)) return path === base;
      if (parent.ignored?.ignores(inRepository(path), false) === true) return false;
      const relative = path.slice(prefix.length);
      if (include !== undefined && !include.matchesBelow(relative, parent.include)) return false;
      return exclude === undefined || !exclude.matchesBelow(relative, parent.exclude);
    },

    withGitignoreOf(directory, folder, state) {
      // The root's own file is part of the chain already.
      if (git === undefined || folder === "") return state;
      return { ...state, ignored: GitignoreChain.forFolder(state.ignored, directory, inRepository(folder)) };
    },
  };
}

function matcherOf(patterns: readonly string[] | undefined): PatternMatcher | undefined {
  if (patterns === undefined || patterns.length === 0) return undefined;
  const matcher = new PatternMatcher(patterns);
  return matcher.isEmpty ? undefined : matcher;
}
