import { readdirSync } from "node:fs";
import path from "node:path";
import { isInside } from "../../paths/index.ts";
import { PathTest, type TreeEntry } from "../../tree/index.ts";
import { literalHead } from "./patterns-read.ts";
import { realIfPresent, selectionOf, type ScannedInput } from "./scanned-input.ts";

/**
 * Finds edited files that no target reads, although they look like files that targets read: e.g. a source beside the
 * watched folder instead of in it. Files that git ignores, editors' leftovers and kinds that nothing reads (a README
 * beside sources) do not count.
 */
export class UnreadFiles {
  private readonly root: string;
  private readonly inputs: readonly ScannedInput[];
  private readonly selections: readonly ((file: string) => boolean)[];
  private readonly own: PathTest;
  private readonly entriesOf: (input: ScannedInput) => readonly TreeEntry[];
  private kinds: Set<string> | undefined;

  /**
   * `inputs` are those of the targets, `sources` those of the project itself. `entriesOf` lists an input, and is called
   * only for a file that has passed every other check.
   */
  constructor(
    root: string,
    inputs: readonly ScannedInput[],
    sources: readonly ScannedInput[],
    entriesOf: (input: ScannedInput) => readonly TreeEntry[],
  ) {
    this.root = realIfPresent(root);
    this.inputs = inputs;
    this.selections = [...sources, ...inputs].map(selectionOf);
    this.own = new PathTest(this.root, { leaveOut: "ignored" });
    this.entriesOf = entriesOf;
  }

  /** Returns the path, relative to the project, of an unread file (absolute, real path); undefined for others. */
  named(file: string): string | undefined {
    if (!isInside(this.root, file) || !this.isNobodys(file)) return undefined;
    this.kinds ??= new Set(
      this.inputs.flatMap((input) =>
        input.kind === "file"
          ? [path.extname(realIfPresent(input.path))]
          : this.entriesOf(input).map((entry) => path.extname(entry.path)),
      ),
    );
    return this.kinds.has(path.extname(file)) ? this.nameOf(file) : undefined;
  }

  /**
   * Returns absolute paths of possible unread files in folders on the way to an input, so that nothing else has to be
   * listed.
   */
  beside(): string[] {
    const folders = new Set([this.root]);
    for (const input of this.inputs) {
      const at = realIfPresent(input.path);
      const heads = (input.filter.include ?? []).filter((pattern) => !pattern.startsWith("!")).map(literalHead);
      for (const head of heads.length === 0 ? [""] : heads)
        for (let above = path.dirname(path.join(at, head)); !folders.has(above); above = path.dirname(above)) {
          if (!isInside(this.root, above)) break;
          folders.add(above);
        }
    }
    return [...folders].flatMap((folder) =>
      filesIn(folder)
        .map((name) => path.join(folder, name))
        .filter((file) => this.isNobodys(file)),
    );
  }

  private nameOf(file: string): string {
    return path.relative(this.root, file).split(path.sep).join("/");
  }

  private isNobodys(file: string): boolean {
    const name = this.nameOf(file);
    if (path.extname(name) === "" || name.split("/").includes(".git") || !this.own.selects(name)) return false;
    return !this.selections.some((selects) => selects(file));
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []));
  } catch {
    return [];
  }
}
