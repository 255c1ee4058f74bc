import type { KubeObject } from "./objects.ts";

/** When a hook runs; Helm's other moments (tests, deletions) are none of a deploy. */
const moments = [
  "pre-install",
  "post-install",
  "pre-upgrade",
  "post-upgrade",
  "pre-rollback",
  "post-rollback",
] as const;
export type HookMoment = (typeof moments)[number];

export interface Hook {
  moments: HookMoment[];
  /** The smallest runs first. */
  weight: number;
  /** `before-hook-creation`, `hook-succeeded`, `hook-failed`: when its object is deleted. */
  deletions: string[];
}

/** What an object says of itself as a hook of Helm, in a chart or in any manifest; undefined for objects that are none. */
export function hookOf({ metadata: { annotations } }: KubeObject): Hook | undefined {
  const words = (key: string): string[] => (annotations?.[key] ?? "").split(",").map((word) => word.trim());
  if (annotations?.["helm.sh/hook"] === undefined) return undefined;
  const named = words("helm.sh/hook");
  const deletions = words("helm.sh/hook-delete-policy").filter((word) => word !== "");
  return {
    moments: moments.filter((moment) => named.includes(moment)),
    weight: Number.parseInt(annotations["helm.sh/hook-weight"] ?? "0", 10) || 0,
    deletions: deletions.length > 0 ? deletions : ["before-hook-creation"],
  };
}
