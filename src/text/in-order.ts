/**
 * Whether one of the pieces has `then` somewhere behind its first `first`. A single pattern for both would look through the
 * rest of the piece again for every `first`.
 */
export function hasInOrder(pieces: readonly string[], first: RegExp, then: RegExp): boolean {
  return pieces.some((piece) => {
    const at = piece.search(first);
    return at >= 0 && then.test(piece.slice(at));
  });
}
