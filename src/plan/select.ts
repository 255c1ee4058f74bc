import { isNamedBy, ownersOf } from "../call/index.ts";
import type { TierName } from "../config/index.ts";
import { UserError } from "../errors/index.ts";
import { withNeeds } from "./order.ts";
import type { Project } from "./project.ts";
import { describeReason } from "./reasons.ts";
import { isInTier, type ResolvedTarget } from "./resolve.ts";
import type { Target } from "./targets.ts";
import { affectedSince } from "./since.ts";

/** Selects targets; by default all. Several criteria narrow each other. */
export interface Selection {
  names?: readonly string[];
  /** Targets of this tier and of quicker ones. */
  tier?: TierName;
  /** Targets affected by the changes since the merge base with this commit. */
  since?: string;
}

export interface Selected {
  /** In order, together with their needs. */
  targets: ResolvedTarget[];
  /** Notices for the user, e.g. that git could not tell and everything counts as affected. */
  notices: string[];
}

export async function selectTargets(project: Project, { names, tier, since }: Selection): Promise<Selected> {
  const all = project.targets.map((item) => item.target);
  const notices: string[] = [];
  let chosen = all;
  if (names !== undefined) {
    const owners = ownersOf(project.module);
    const isNamed = (pattern: string, { name }: Target): boolean =>
      isNamedBy(pattern, name) || owners.some((owner) => isNamedBy(pattern, `${owner}:${name}`));
    const unknown = names.find((name) => !all.some((target) => isNamed(name, target)));
    if (unknown !== undefined) {
      throw new UserError("usage", `there is no function "${unknown}"`, {
        hint: `there are ${all.map((target) => target.name).join(", ")}`,
      });
    }
    chosen = chosen.filter((target) => names.some((name) => isNamed(name, target)));
  }
  if (tier !== undefined) chosen = chosen.filter((target) => isInTier(target, tier));
  if (since !== undefined) {
    const { base, targets } = await affectedSince(project, since);
    if (base === undefined) notices.push(`${describeReason(targets[0]!.reasons[0]!)}; everything counts as affected`);
    chosen = chosen.filter((target) => targets.some((affected) => affected.name === target.name));
  }
  const wanted = withNeeds(new Set(chosen.map((target) => target.name)), all);
  return { targets: project.targets.filter((item) => wanted.has(item.target.name)), notices };
}
