/** Composes a cycle: commands, in order. */
import type { CacheLevel } from "../caches/index.ts";

export const cycles = {
  fast: { clears: undefined, what: "keep caches (the default)" },
  clean: { clears: "medium", what: "clear the project's results and cache volumes first" },
  nuclear: { clears: "nuke", what: "clear everything first, including base images" },
} as const satisfies Record<string, { clears: CacheLevel | undefined; what: string }>;
export type Cycle = keyof typeof cycles;

export interface CycleFacts {
  /** Functions of the module, by their names on the command line. */
  functions: readonly string[];
  /** Images of `images` in fastloop.yaml. */
  images: readonly string[];
  hasServices: boolean;
  /** Whether the user has confirmed deleting what all projects share. */
  yes: boolean;
  /** Options to pass to every step. */
  shared: readonly string[];
}

/**
 * Returns the commands of a cycle. Only `clean` and `nuclear` clear caches, at the level in `cycles`, since the user
 * asked for it by name.
 */
export function cycleSteps(kind: Cycle, { functions, images, hasServices, yes, shared }: CycleFacts): string[][] {
  const { clears } = cycles[kind];
  const build = (image: string): string[][] =>
    images.includes(image) && functions.includes(`build-${image}`)
      ? [["call", ...shared, `build-${image}`, "sync"]]
      : [];
  return [
    ...(clears === undefined ? [] : [["cache", "clear", "--level", clears, ...(yes ? ["--yes"] : []), ...shared]]),
    ...(kind === "nuclear" ? build("base") : []),
    ...build("dev"),
    ["run", ...shared],
    ...(hasServices ? [["up", "--detach", ...shared]] : []),
  ];
}
