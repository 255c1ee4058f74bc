import { realpathSync } from "node:fs";
import path from "node:path";
import type { PlannedTarget, ProjectSnapshot } from "../plan/index.ts";
import { changedPaths, type ContentHasher } from "../tree/index.ts";

/** Files of a target's inputs that are others in `now` than those that its digest stands for, relative to `root`. */
export function filesMovedSince(
  plan: PlannedTarget,
  then: ProjectSnapshot,
  now: ProjectSnapshot,
  hasher: ContentHasher,
  root: string,
): string[] {
  const real = realpathSync(root);
  const moved = plan.item.inputs.flatMap((input, index) => {
    if (now.digest(input) === plan.fingerprint.inputs[index]!.digest) return [];
    const [before, after] = [then.listing(input), now.listing(input)];
    const folder = after?.root ?? before?.root;
    if (before === undefined || after === undefined || folder === undefined) return [path.relative(real, input.path)];
    const paths = changedPaths(before, after, (old, entry) => {
      const hash = hasher.earlierHash(before.root, old);
      return hash !== undefined && hash === hasher.hash(after.root, entry);
    });
    return paths.map((file) => path.relative(real, path.join(folder, file)));
  });
  return [...new Set(moved)];
}
