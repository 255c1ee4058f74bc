import { readdirSync } from "node:fs";
import path from "node:path";
import { PathTest, type TreeEntry } from "../../tree/index.ts";
import { literalHead } from "./patterns-read.ts";
import { realIfPresent, type ScannedInput } from "./scanned-input.ts";

/**
 * Files that somebody edits and no target reads, although they look like what targets read: a source that lies beside the
 * watched folder instead of in it. What git ignores, what editors leave and kinds that nothing reads (a README beside
 * sources) are none of these.
 */
export class UnreadFiles {
  private readonly root: string;
  private readonly inputs: readonly { at: string; test: PathTest | undefined; input: ScannedInput }[];
  private readonly sources: readonly { at: string; test: PathTest | undefined }[];
  private readonly own: PathTest;
  private readonly entriesOf: (input: ScannedInput) => readonly TreeEntry[];
  private kinds: Set<string> | undefined;

  /**
   * `inputs` are those of the targets, `sources` what the project itself is read from. `entriesOf` lists an input; it is
   * asked only once a file has passed everything else.
   */
  constructor(
    root: string,
    inputs: readonly ScannedInput[],
    sources: readonly ScannedInput[],
    entriesOf: (input: ScannedInput) => readonly TreeEntry[],
  ) {
    this.root = realIfPresent(root);
    this.inputs = inputs.map((input) => ({ ...testOf(input), input }));
    this.sources = sources.map(testOf);
    this.own = new PathTest(this.root, { leaveOut: "ignored" });
    this.entriesOf = entriesOf;
  }

  /** The path relative to the project of a file (absolute, by its real path) that is one; undefined for others. */
  named(file: string): string | undefined {
    const name = below(this.root, file);
    if (name === undefined || !this.isNobodys(name, file)) return undefined;
    this.kinds ??= new Set(
      this.inputs.flatMap(({ at, test, input }) =>
        test === undefined ? [path.extname(at)] : this.entriesOf(input).map((entry) => path.extname(entry.path)),
      ),
    );
    return this.kinds.has(path.extname(file)) ? name : undefined;
  }

  /** Absolute: what may be one and lies in a folder on the way to an input, so that nothing else has to be listed. */
  beside(): string[] {
    const folders = new Set([this.root]);
    for (const { at, input } of this.inputs) {
      const heads = (input.filter.include ?? []).filter((pattern) => !pattern.startsWith("!")).map(literalHead);
      for (const head of heads.length === 0 ? [""] : heads)
        for (let above = path.dirname(path.join(at, head)); !folders.has(above); above = path.dirname(above)) {
          if (below(this.root, above) === undefined) break;
          folders.add(above);
        }
    }
    return [...folders].flatMap((folder) =>
      filesIn(folder)
        .map((name) => path.join(folder, name))
        .filter((file) => this.isNobodys(path.relative(this.root, file).split(path.sep).join("/"), file)),
    );
  }

  private isNobodys(name: string, file: string): boolean {
    if (path.extname(name) === "" || name.split("/").includes(".git") || !this.own.selects(name)) return false;
    return ![...this.sources, ...this.inputs].some(({ at, test }) => {
      const inside = below(at, file);
      return file === at || (inside !== undefined && test?.selects(inside) === true);
    });
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []));
  } catch {
    return [];
  }
}

function testOf({ kind, path: place, filter }: ScannedInput): { at: string; test: PathTest | undefined } {
  const at = realIfPresent(place);
  return { at, test: kind === "file" ? undefined : new PathTest(at, filter) };
}

/** Relative, with `/`; undefined for the folder itself and what lies outside of it. */
function below(folder: string, file: string): string | undefined {
  const name = path.relative(folder, file).split(path.sep).join("/");
  return name === "" || name === ".." || name.startsWith("../") || path.isAbsolute(name) ? undefined : name;
}
