import { lstatSync } from "node:fs";
import path from "node:path";
import { isWithin } from "../../paths/index.ts";
import { PathTest } from "../../tree/index.ts";
import { realIfPresent, selectionOf, type ScannedInput } from "../inputs/scanned-input.ts";
import type { ResolvedTarget } from "../resolve.ts";
import type { TargetInput } from "../inputs/target-input.ts";

/** An input with the real path at which it was last found. */
export interface FoundInput {
  input: ScannedInput;
  real: string;
}

/**
 * Tests which absolute paths can affect some inputs: files that they select, existing or not; folders that may contain
 * such files; ignore files; and everything on the way to an input. Other writes in a watched folder are no reason to
 * scan.
 */
export class Concern {
  private readonly tests: { real: string; start: string; test: PathTest | undefined }[];
  private readonly waysTo: readonly string[];
  /** Reports whether the last scan found a folder at that path. */
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
    if (this.waysTo.some((way) => isWithin(file, way))) return true;
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
 * Returns a test for which paths of a sent tree (relative to it) can affect the target's result; undefined if all can.
 * Files that are sent but are no input may change at any time without making anything stale.
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
