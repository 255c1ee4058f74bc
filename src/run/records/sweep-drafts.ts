import { isAlive, type ProjectState, type StateFolderName } from "../../state/index.ts";

/**
 * Names of drafts, which contain the pid of the process that writes them, and of files that exist only for a moment.
 */
const drafts: readonly (readonly [StateFolderName, RegExp])[] = [
  [".", /^(?:hashes|scan(?:-[0-9a-f]{16})?|config\.json|lock|\.gitignore|probe-\d+)\.(\d+)\.\d+\.tmp$/],
  [".", /^(?:probe-(\d+)|lock\.(\d+)\.stale)$/],
  ["manifests", /^[0-9a-f]{64}\.(\d+)\.\d+\.tmp$/],
  ["calls", /^[0-9a-f]{64}\.json\.(\d+)\.\d+\.tmp$/],
];

/** A process in another container, whose pid means nothing here, has finished its draft by then. */
const draftMs = 60_000;

/** Deletes the half-written files of processes that died while writing. Those of living processes stay. */
export function sweepDrafts(state: ProjectState): void {
  for (const [folder, shape] of drafts) {
    state.sweep(
      folder,
      shape,
      ([, pid, other], stats) => !isAlive(Number(pid ?? other)) && Date.now() - stats.mtimeMs >= draftMs,
    );
  }
}
