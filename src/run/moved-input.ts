import { MovingFiles } from "../engine/index.ts";

/**
 * The files of which a run failed because they were touched while they were sent to the engine, absolute or as the engine
 * names them: that says nothing of the function, even where the content is what it was. Undefined for any other failure.
 * The engine wraps the sender's words (fsutil/sender.ts) in its own.
 */
export function movedInputs(failure: unknown): readonly string[] | undefined {
  if (failure instanceof MovingFiles) return failure.moved;
  const [, file] =
    (failure instanceof Error && /(?:.*: )?(.+) changed while it was being read/.exec(failure.message)) || [];
  return file === undefined ? undefined : [file];
}
