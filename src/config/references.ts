import { suggest } from "./suggest.ts";
import type { ConfigCode } from "./types.ts";

/** A semantic problem: each part is well-formed, but together they make no sense. */
export interface MeaningProblem {
  path: (string | number)[];
  message: string;
  hint?: string;
  /** Default: `contradiction`. */
  code?: ConfigCode;
}

/** Problem of a name that is not defined, with a suggestion. */
export function unknown(
  path: (string | number)[],
  kind: string,
  name: string,
  known: readonly string[],
): MeaningProblem {
  const meant = suggest(name, known);
  const hint =
    meant === undefined ? (known.length > 0 ? `known: ${known.join(", ")}` : undefined) : `did you mean \`${meant}\`?`;
  return { path, code: "unknown-reference", message: `unknown ${kind} \`${name}\``, hint };
}

/** Returns the first cycle of a graph as the names along it, with the first one repeated at the end. */
export function findCircle(
  names: readonly string[],
  needsOf: (name: string) => readonly string[],
): string[] | undefined {
  const done = new Set<string>();
  const visit = (name: string, trail: readonly string[]): string[] | undefined => {
    const start = trail.indexOf(name);
    if (start >= 0) return [...trail.slice(start), name];
    if (done.has(name)) return undefined;
    for (const need of needsOf(name)) {
      const circle = visit(need, [...trail, name]);
      if (circle !== undefined) return circle;
    }
    done.add(name);
    return undefined;
  };
  for (const name of names) {
    const circle = visit(name, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}
