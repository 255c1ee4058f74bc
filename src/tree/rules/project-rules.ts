import path from "node:path";
import { findGitRoot, infoExcludeFile, readTextIfPresent } from "../git/git-folders.ts";
import { TrackedFiles } from "../git/git-index.ts";
import { GitignoreChain, parseGitignore, type IgnoreRule } from "./gitignore.ts";
import { editorFiles, excludesConfigurations, globalExcludesFile, installed } from "./habits.ts";
import { readOnce } from "../shared-reads.ts";

/** Ignore rules below one folder, and the tracked files that they cannot affect; see `leaveOut` of `TreeFilter`. */
export class ProjectRules {
  readonly chain: GitignoreChain | undefined;
  /** The user's own rules among these. */
  readonly personal: GitignoreChain | undefined;
  readonly pathInRepository: string;
  private readonly weakest: readonly IgnoreRule[];
  private readonly repository: string | undefined;
  private trackedOnce: Tracked | undefined;

  constructor(root: string) {
    this.repository = findGitRoot(root);
    const excludes = excludesOf(this.repository);
    // Later rules are stronger.
    this.weakest = [editorFiles, ...installedRules, ...excludes];
    this.personal = GitignoreChain.of([editorFiles, ...excludes]);
    ({ chain: this.chain, pathInRepository: this.pathInRepository } = GitignoreChain.forRoot(root, this.weakest));
  }

  /** What the repository around the folder tracks; read when something wanted is ignored. */
  get tracked(): Tracked {
    this.trackedOnce ??= {
      files: this.repository === undefined ? new TrackedFiles([]) : TrackedFiles.of(this.repository),
      cut: 0,
    };
    return this.trackedOnce;
  }

  /** Returns the rules inside a nested repository; `folder` is relative to the outer git root. */
  inside(directory: string, folder: string): { chain: GitignoreChain | undefined; tracked: Tracked } {
    return {
      chain: GitignoreChain.forRepository(directory, folder, this.weakest),
      tracked: { files: TrackedFiles.of(directory), cut: folder.length + 1 },
    };
  }
}

/** Returns the rules of `.gitignore` files, and those of the user's global excludes. */
export function gitRulesOf(root: string, isWithGlobal: boolean): ReturnType<typeof GitignoreChain.forRoot> {
  return GitignoreChain.forRoot(root, isWithGlobal ? excludesOf(findGitRoot(root)) : []);
}

const installedRules = parseGitignore(installed);

function excludesOf(repository: string | undefined): readonly IgnoreRule[] {
  return readOnce(`excludes of ${repository}`, () => parseGitignore(readTextIfPresent(globalExcludesFile(repository))));
}

/** Returns the rules of a folder; read once inside `sharingReads`. */
export function rulesOf(root: string): ProjectRules {
  return readOnce(`rules of ${root}`, () => new ProjectRules(root));
}

/** Files that a repository tracks; `cut` is the length to remove from paths relative to the outermost repository. */
export interface Tracked {
  files: TrackedFiles;
  cut: number;
}

/**
 * Returns files outside a walk below `root` whose rules apply to it; if one changes, the tree has to be walked again.
 */
export function ruleFiles(root: string): string[] {
  const repository = findGitRoot(root);
  const files = [globalExcludesFile(repository), ...excludesConfigurations(repository)];
  if (repository === undefined) return files;
  files.push(infoExcludeFile(repository));
  for (let folder = root; folder !== repository;) {
    folder = path.dirname(folder);
    files.push(path.join(folder, ".gitignore"));
  }
  return files;
}
