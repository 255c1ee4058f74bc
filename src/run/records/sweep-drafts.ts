import { isAlive, type ProjectState, type StateFolderName } from "../../state/index.ts";

/** What is written under another name first, by the process with this number; and what only lives for a moment. */
const drafts: readonly (readonly [StateFolderName, RegExp])[] = [
  [".", /^(?:hashes|config\.json|lock|\.gitignore|probe-\d+)\.(\d+)\.\d+\.tmp$/],
  [".", /^(?:probe-(\d+)|lock\.(\d+)\.stale)$/],
  ["manifests", /^[0-9a-f]{64}\.(\d+)\.\d+\.tmp$/],
  ["calls", /^[0-9a-f]{64}\.json\.(\d+)\.\d+\.tmp$/],
];

/** A process in another container, whose pid says nothing here, is done with a draft by then. */
const draftMs = 60_000;

/** Deletes the half-written files of processes that died while they wrote. Those of living ones are left alone. */
export function sweepDrafts(state: ProjectState): void {
  for (const [folder, shape] of drafts) {
    state.sweep(
      folder,
      shape,
      ([, pid, other], stats) => !isAlive(Number(pid ?? other)) && Date.now() - stats.mtimeMs >= draftMs,
    );
  }
}
