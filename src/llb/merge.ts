import { Inputs, scratch, stateDigest, type State, type StepOptions } from "./state.ts";
import { NONE } from "./wire.ts";

/** Stacks file systems without copying; later ones take precedence. Empty ones are left out. */
export function merge(states: readonly State[], options: StepOptions = {}): State {
  const present = states.filter((state) => state.vertex !== undefined);
  const [first] = present;
  if (present.length < 2) return first ?? scratch;
  const inputs = new Inputs();
  const wire = present.map((state) => ({ input: inputs.add(state) }));
  return { vertex: inputs.vertex({ merge: { inputs: wire } }, options), output: 0 };
}

/** Returns what `upper` adds to, changes in and removes from `lower`. */
export function diff(lower: State, upper: State, options: StepOptions = {}): State {
  if (upper.vertex === undefined && lower.vertex === undefined) return scratch;
  if (lower.vertex === undefined) return upper;
  // BuildKit refuses to compare a state with itself ("invalid diff op").
  if (stateDigest(lower) === stateDigest(upper)) return scratch;
  const inputs = new Inputs();
  const op = {
    lower: { input: inputs.add(lower) },
    upper: { input: upper.vertex === undefined ? NONE : inputs.add(upper) },
  };
  return { vertex: inputs.vertex({ diff: op }, options), output: 0 };
}
