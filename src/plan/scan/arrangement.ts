import path from "node:path";
import { ruleFiles, sharingReads, topmost, TreeScanner, type TreeFilter } from "../../tree/index.ts";
import { realIfPresent, type ScannedInput } from "../inputs/scanned-input.ts";

/** Where an input is found among the walks. */
export interface Place {
  /** Which walk. */
  root: number;
  /** Path of the input relative to that walk's root. */
  path: string;
  /** Which selection of that walk. */
  selection: number;
  /** Whether a change of it means anything; false for what is only sent along. */
  counts: boolean;
}

/**
 * Which walks look at which inputs, as few as possible: inputs that lie in one another share one walk, and equal ones one
 * selection.
 */
export class Arrangement {
  readonly walks: readonly { root: string; scanner: TreeScanner }[];
  readonly places: ReadonlyMap<string, Place>;
  /** Folders that are read through a symlink, and files, which may be or become one; and where each led when it was followed. */
  readonly links: ReadonlyMap<string, string>;
  /** Ignore files outside of the walks whose rules hold in them. */
  readonly rules: ReadonlySet<string>;

  /** `filterOf` gives what is to be selected of an input; `carried` is looked at as well, but means nothing. */
  constructor(
    inputs: readonly ScannedInput[],
    carried: readonly ScannedInput[],
    filterOf: (input: ScannedInput) => TreeFilter,
  ) {
    const all = [...inputs, ...carried];
    const places = new Map<string, Place>();
    const links = new Map<string, string>();
    const realNow = new Map<string, string>();
    const through = (given: string, mayBecomeLink = false): string => {
      const real = realNow.get(given) ?? realIfPresent(given);
      realNow.set(given, real);
      if (real !== given || mayBecomeLink) links.set(given, real);
      return real;
    };
    // A file that is given by a link to it is what the link leads to: that is what is read.
    const targets = all.map(({ kind, path: at }) =>
      kind === "file" ? through(path.join(through(path.dirname(at)), path.basename(at)), true) : through(at),
    );
    const bases = all.map(({ kind }, index) => (kind === "file" ? path.dirname(targets[index]!) : targets[index]!));
    const roots = [...topmost(bases)];
    const rootOf = positionsOf(roots);
    const selections: { path: string; filter: TreeFilter }[][] = roots.map(() => []);
    for (const [index, input] of all.entries()) {
      const key = keyOf(input);
      if (places.has(key)) continue;
      const base = bases[index]!;
      const root = rootOf(base);
      const relative = path.relative(roots[root]!, targets[index]!).split(path.sep).join("/");
      const selection = selections[root]!.push({ path: relative, filter: filterOf(input) }) - 1;
      places.set(key, { root, path: relative, selection, counts: index < inputs.length });
    }
    const byRules = all.flatMap((input, index) => (input.filter.leaveOut === undefined ? [] : [bases[index]!]));
    this.places = places;
    this.links = links;
    this.rules = sharingReads(() => new Set([...new Set(byRules)].flatMap(ruleFiles)));
    this.walks = roots.map((root, index) => ({ root, scanner: new TreeScanner(root, selections[index]!) }));
  }

  placeOf(input: ScannedInput): Place {
    const place = this.places.get(keyOf(input));
    if (place === undefined) throw new Error(`${input.path} was not scanned`);
    return place;
  }

  /** Whether a walk entered that folder (absolute) the last time. */
  knowsFolder(folder: string): boolean {
    return this.walks.some(({ scanner }) => scanner.knowsFolder(folder));
  }

  /** Whether a link that inputs are read through leads elsewhere now; of those in `changed`, if that is given. */
  hasMovedLink(changed?: ReadonlySet<string>): boolean {
    return [...this.links].some(
      ([given, real]) => (changed === undefined || changed.has(given)) && realIfPresent(given) !== real,
    );
  }
}

const keys = new WeakMap<ScannedInput, string>();

/** Inputs of one key are one thing to a walk. */
export function keyOf(input: ScannedInput): string {
  let key = keys.get(input);
  if (key === undefined) {
    const { include, exclude, gitignore, leaveOut } = input.filter;
    key = JSON.stringify([
      input.kind,
      input.path,
      include ?? [],
      exclude ?? [],
      gitignore ?? false,
      leaveOut ?? "",
      input.presence ?? false,
    ]);
    keys.set(input, key);
  }
  return key;
}

/** Which of these folders, that lie in none of one another, holds a path: asked for each of a thousand inputs. */
function positionsOf(roots: readonly string[]): (held: string) => number {
  const positions = new Map(roots.map((root, index) => [root, index]));
  return (held) => {
    for (let folder = held; ; folder = path.dirname(folder)) {
      const position = positions.get(folder);
      if (position !== undefined || folder === path.dirname(folder)) return position ?? -1;
    }
  };
}
