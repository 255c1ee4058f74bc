import type { KubeObject } from "./objects.ts";

/** Moments of a deploy. Helm's other moments (tests, deletions) never occur in one. */
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
  /** The smallest weight runs first. */
  weight: number;
  /** When the hook's object is deleted: `before-hook-creation`, `hook-succeeded`, `hook-failed`. */
  deletions: string[];
}

/**
 * Returns an object's Helm hook annotations, whether it comes from a chart or any manifest; undefined for objects
 * without.
 */
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
