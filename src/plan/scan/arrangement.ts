import path from "node:path";
import { ruleFiles, sharingReads, topmost, TreeScanner, type TreeFilter } from "../../tree/index.ts";
import { realIfPresent, type ScannedInput } from "../inputs/scanned-input.ts";

/** Location of an input among the walks. */
export interface Place {
  /** Index of the walk. */
  root: number;
  /** Path of the input relative to that walk's root. */
  path: string;
  /** Index of the selection in that walk. */
  selection: number;
  /** Whether a change of it counts; false for what is only sent along. */
  counts: boolean;
}

/** Assigns inputs to as few walks as possible: nested inputs share one walk, and equal ones share one selection. */
export class Arrangement {
  readonly walks: readonly { root: string; scanner: TreeScanner }[];
  readonly places: ReadonlyMap<string, Place>;
  /**
   * Folders that are read through a symlink, and files, which may be or become one; with the target of each when it was
   * followed.
   */
  readonly links: ReadonlyMap<string, string>;
  /** Ignore files outside the walks whose rules apply to them. */
  readonly rules: ReadonlySet<string>;

  /** `filterOf` returns the selection of an input; `carried` is scanned as well, but its changes do not count. */
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
    // A file given by a link is the link's target, as that is what is read.
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

  /** Identifies what is scanned and where, without the targets of links in inputs. */
  get key(): unknown {
    return [this.walks.map(({ root }) => root), [...this.places], [...this.links], [...this.rules]];
  }

  placeOf(input: ScannedInput): Place {
    const place = this.places.get(keyOf(input));
    if (place === undefined) throw new Error(`${input.path} was not scanned`);
    return place;
  }

  /** Reports whether a walk entered that folder (absolute) last time. */
  knowsFolder(folder: string): boolean {
    return this.walks.some(({ scanner }) => scanner.knowsFolder(folder));
  }

  /** Reports whether a link to an input leads elsewhere now; checks only those in `changed`, if given. */
  hasMovedLink(changed?: ReadonlySet<string>): boolean {
    return [...this.links].some(
      ([given, real]) => (changed === undefined || changed.has(given)) && realIfPresent(given) !== real,
    );
  }
}

const keys = new WeakMap<ScannedInput, string>();

/** Returns a key; inputs with the same key are the same to a walk. */
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

/** Returns a function that finds which of these disjoint folders contains a path; fast enough for a thousand inputs. */
function positionsOf(roots: readonly string[]): (held: string) => number {
  const positions = new Map(roots.map((root, index) => [root, index]));
  return (held) => {
    for (let folder = held; ; folder = path.dirname(folder)) {
      const position = positions.get(folder);
      if (position !== undefined || folder === path.dirname(folder)) return position ?? -1;
    }
  };
}
