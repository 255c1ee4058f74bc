import path from "node:path";
import { currentRecorder, readRegular, statIfThere } from "../../paths/index.ts";
import { readOnce } from "../shared-reads.ts";

/** Returns the nearest folder at or above `start` that contains `.git`. */
export function findGitRoot(start: string): string | undefined {
  return readOnce(`git root of ${start}`, () => {
    currentRecorder()?.kind(path.join(start, ".git"));
    if (statIfThere(path.join(start, ".git")) !== undefined) return start;
    const above = path.dirname(start);
    return above === start ? undefined : findGitRoot(above);
  });
}

/** Resolves `.git`: a folder, or in a worktree a file that points to one, which may in turn point to the common one. */
export function gitDirectories(repository: string): { gitDir: string; commonDir: string } {
  return readOnce(`git folders of ${repository}`, () => findGitDirectories(repository));
}

function findGitDirectories(repository: string): { gitDir: string; commonDir: string } {
  const dotGit = path.join(repository, ".git");
  currentRecorder()?.kind(dotGit);
  if (statIfThere(dotGit)?.isFile() !== true) return { gitDir: dotGit, commonDir: dotGit };
  // As in git, everything except trailing newlines may be part of the path.
  const text = readTextIfPresent(dotGit);
  const target = text.startsWith("gitdir: ") ? withoutLineEnds(text.slice("gitdir: ".length)) : ".git";
  const gitDir = path.resolve(repository, target);
  const common = withoutLineEnds(readTextIfPresent(path.join(gitDir, "commondir")));
  return { gitDir, commonDir: common === "" ? gitDir : path.resolve(gitDir, common) };
}

/** Removes trailing line ends in linear time; `/[\r\n]+$/` is quadratic when other text follows a run of them. */
export function withoutLineEnds(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === "\n" || text[end - 1] === "\r")) end--;
  return text.slice(0, end);
}

/** Returns the file with ignore rules of one clone, which is in no commit. */
export function infoExcludeFile(repository: string): string {
  return path.join(gitDirectories(repository).commonDir, "info", "exclude");
}

/** Variables that git sets for a hook; they name the hook's repository and index, not those of the requested folder. */
const ofOneRepository = new Set(
  "ALTERNATE_OBJECT_DIRECTORIES OBJECT_DIRECTORY DIR WORK_TREE IMPLICIT_WORK_TREE GRAFT_FILE INDEX_FILE NO_REPLACE_OBJECTS REPLACE_REF_BASE PREFIX INTERNAL_SUPER_PREFIX SHALLOW_FILE COMMON_DIR"
    .split(" ")
    .map((name) => `GIT_${name}`),
);

/** Returns an environment in which git finds the repository by its working directory. */
export function gitEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ofOneRepository.has(name)));
}

export function readTextIfPresent(file: string): string {
  currentRecorder()?.content(file);
  try {
    return readRegular(file).toString("utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    // The file may be there: out of file descriptors, for example. A later scan could see it.
    if (["EMFILE", "ENFILE", "EIO", "ENOMEM"].includes(code))
      currentRecorder()?.doubtful(`${file} can't be read (${code})`);
    return "";
  }
}
