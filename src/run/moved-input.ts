/**
 * Whether a run failed because a file of its inputs was touched while it was sent to the engine: that says nothing of the
 * function, even where the content is what it was. The engine wraps the sender's words (fsutil/sender.ts) in its own.
 */
export function isMovedInput(failure: unknown): boolean {
  return failure instanceof Error && failure.message.includes("changed while it was being read");
}
