import { lstatSync } from "node:fs";
import path from "node:path";
import { PathTest } from "../../tree/index.ts";
import { realIfPresent, selectionOf, type ScannedInput } from "../inputs/scanned-input.ts";
import type { ResolvedTarget } from "../resolve.ts";
import type { TargetInput } from "../inputs/target-input.ts";

/** An input and the real path that it was last found at. */
export interface FoundInput {
  input: ScannedInput;
  real: string;
}

/**
 * Which paths (absolute) have anything to do with some inputs: files that they select, there or not, folders that may
 * hold such files, ignore files, and what leads to an input. What else is written in a watched folder is no reason to look.
 */
export class Concern {
  private readonly tests: { real: string; start: string; test: PathTest | undefined }[];
  private readonly waysTo: readonly string[];
  /** Whether a folder of that path was there at the last look. */
  private readonly wasFolder: (path: string) => boolean;
  private readonly selected = new Map<string, boolean>();

  /** `links` are paths through which inputs are reached. */
  constructor(inputs: readonly FoundInput[], links: readonly string[], wasFolder: (path: string) => boolean) {
    this.tests = inputs.map(({ input, real }) => ({
      real,
      start: real === "/" ? "/" : `${real}/`,
      test: input.kind === "file" ? undefined : new PathTest(real, input.filter),
    }));
    this.waysTo = [...new Set([...inputs.map(({ real }) => real), ...links])];
    this.wasFolder = wasFolder;
  }

  covers(file: string): boolean {
    if (file.endsWith("/.gitignore")) return true;
    let selected = this.selected.get(file);
    if (selected === undefined) {
      if (this.selected.size >= rememberedPaths) this.selected.clear();
      this.selected.set(file, (selected = this.isSelected(file)));
    }
    return selected || (this.mayHold(file) && this.isFolderOrLink(file));
  }

  private isSelected(file: string): boolean {
    if (this.waysTo.some((way) => way === file || way.startsWith(`${file}/`))) return true;
    return this.tests.some(
      ({ start, test }) => test !== undefined && file.startsWith(start) && test.selects(file.slice(start.length)),
    );
  }

  private mayHold(folder: string): boolean {
    return this.tests.some(
      ({ start, test }) => test !== undefined && folder.startsWith(start) && test.mayHold(folder.slice(start.length)),
    );
  }

  private isFolderOrLink(file: string): boolean {
    if (this.wasFolder(file)) return true;
    const stats = lstatSync(file, { throwIfNoEntry: false });
    return stats?.isDirectory() === true || stats?.isSymbolicLink() === true;
  }
}

const rememberedPaths = 10_000;

/**
 * Which paths of a tree that is sent (relative to it) decide the target's result; undefined where all do. What is sent
 * along, but none of its inputs, may change at any time: it makes nothing stale.
 */
export function concernOf(item: ResolvedTarget, sent: TargetInput): ((file: string) => boolean) | undefined {
  if (
    item.inputs.some(
      (input) => input.path === sent.path && JSON.stringify(input.filter) === JSON.stringify(sent.filter),
    )
  )
    return undefined;
  const root = realIfPresent(sent.path);
  let tests: ((file: string) => boolean)[] | undefined;
  const known = new Map<string, boolean>();
  return (file) => {
    let concerns = known.get(file);
    if (concerns !== undefined) return concerns;
    tests ??= item.inputs.map(selectionOf);
    concerns = tests.some((test) => test(path.join(root, file)));
    known.set(file, concerns);
    return concerns;
  };
}
