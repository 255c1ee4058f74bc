/**
 * Reports whether `then` occurs after the first `first` in one of the pieces. A single pattern for both would scan the
 * rest of the piece again for every `first`.
 */
export function hasInOrder(pieces: readonly string[], first: RegExp, then: RegExp): boolean {
  return pieces.some((piece) => {
    const at = piece.search(first);
    return at >= 0 && then.test(piece.slice(at));
  });
}
