import { suggest } from "./suggest.ts";
import type { ConfigCode } from "./types.ts";

/** A semantic problem: each part is well-formed, but together they make no sense. */
export interface SemanticProblem {
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
): SemanticProblem {
  const meant = suggest(name, known);
  const hint =
    meant === undefined ? (known.length > 0 ? `known: ${known.join(", ")}` : undefined) : `did you mean \`${meant}\`?`;
  return { path, code: "unknown-reference", message: `unknown ${kind} \`${name}\``, hint };
}

/** Result of `needsFirst`: the order, or the first cycle. */
export interface NeedsFirst {
  /** The names and everything that they need, each after its needs. */
  order: string[];
  /** Names along a cycle, with the first one repeated at the end. */
  circle?: string[];
}

/** Orders names so that each comes after its needs, otherwise as given. Takes linear time and no recursion. */
export function needsFirst(names: readonly string[], needsOf: (name: string) => readonly string[]): NeedsFirst {
  const order: string[] = [];
  const states = new Map<string, "open" | "done">();
  for (const name of names) {
    if (states.has(name)) continue;
    const trail = [{ name, needs: needsOf(name), next: 0 }];
    states.set(name, "open");
    for (let top = trail.at(-1); top !== undefined; top = trail.at(-1)) {
      const need = top.needs[top.next++];
      if (need === undefined) {
        states.set(top.name, "done");
        order.push(top.name);
        trail.pop();
      } else if (states.get(need) === "open") {
        const start = trail.findIndex((step) => step.name === need);
        return { order, circle: [...trail.slice(start).map((step) => step.name), need] };
      } else if (!states.has(need)) {
        states.set(need, "open");
        trail.push({ name: need, needs: needsOf(need), next: 0 });
      }
    }
  }
  return { order };
}
