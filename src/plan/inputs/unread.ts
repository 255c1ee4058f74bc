import path from "node:path";
import { PathTest, type TreeEntry } from "../../tree/index.ts";
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
    const kind = path.extname(file);
    if (name === undefined || kind === "" || name.split("/").includes(".git") || !this.own.selects(name))
      return undefined;
    const isRead = [...this.sources, ...this.inputs].some(({ at, test }) => {
      const inside = below(at, file);
      return file === at || (inside !== undefined && test?.selects(inside) === true);
    });
    if (isRead) return undefined;
    this.kinds ??= new Set(
      this.inputs.flatMap(({ at, test, input }) =>
        test === undefined ? [path.extname(at)] : this.entriesOf(input).map((entry) => path.extname(entry.path)),
      ),
    );
    return this.kinds.has(kind) ? name : undefined;
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
