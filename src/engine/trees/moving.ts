import { UserError } from "../../errors/index.ts";

/** Files that concern the caller changed each time they were read. */
export class MovingFiles extends UserError {
  /** Absolute paths. */
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

/** Ends the sender's message (buildkit/fsutil/sender.ts), which begins with the file. */
const saidOfMoving = " changed while it was being read";

/**
 * Returns the file that the engine could not read as listed, as the engine names it; undefined for any other failure.
 * The file changed while it was sent, or the engine read it again much later: BuildKit keeps one copy of a host folder,
 * updates it with the next transfer of that folder in any session, and may prune it. An edit laid on the first transfer
 * then makes BuildKit read that tree again. The engine embeds the sender's message in its own.
 */
export function fileReadAgain(failure: unknown): string | undefined {
  if (!(failure instanceof Error)) return undefined;
  const line = failure.message.split("\n").find((each) => each.includes(saidOfMoving));
  if (line === undefined) return undefined;
  const before = line.slice(0, line.lastIndexOf(saidOfMoving));
  const start = before.lastIndexOf(": ");
  return (start < 0 ? before : before.slice(start + 2)) || undefined;
}
