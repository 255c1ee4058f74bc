import { UserError } from "../../errors/index.ts";

/** Files that concern the caller moved each time they were read. */
export class MovingFiles extends UserError {
  /** Absolute. */
  readonly moved: readonly string[];

  constructor(root: string, moved: readonly string[]) {
    super("engine-unsupported", "these files change faster than they can be read", {
      place: root,
      detail: moved
        .slice(0, 5)
        .map((file) => `  ${file}`)
        .join("\n"),
      hint: "leave out what a running program writes: `ignore` of the argument, or `exclude`",
    });
    this.moved = moved.map((file) => `${root}/${file}`);
  }
}

/**
 * The file that the engine could not read as it was listed, as the engine names it; undefined for any other failure. It moved while
 * it was sent, or the engine read it once more long after: BuildKit keeps one copy of a host folder, brings it up to date with the
 * next transfer of that folder, in whichever session, and may prune it, so that an edit laid on the tree that was sent first has that
 * tree read anew. The engine wraps the sender's words (buildkit/fsutil/sender.ts) in its own.
 */
export function fileReadAgain(failure: unknown): string | undefined {
  return failure instanceof Error
    ? /(?:.*: )?(.+) changed while it was being read/.exec(failure.message)?.[1]
    : undefined;
}
