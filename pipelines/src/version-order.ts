/** Below 0 where `a` comes before `b`, 0 where they are the same version, above 0 where it comes after. */
export type CompareVersions = (a: string, b: string) => number;

/** Digits as a number of any length. */
export function compareNumbers(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+(?=\d)/, ""), b.replace(/^0+(?=\d)/, "")];
  return left.length - right.length || compareText(left, right);
}

/** By code units, as C sorts bytes. */
export const compareText: CompareVersions = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** Item by item; where all are the same, the shorter list comes first. */
export function compareLists<T>(a: readonly T[], b: readonly T[], compare: (x: T, y: T) => number): number {
  for (const [index, item] of a.entries()) {
    if (index >= b.length) break;
    const difference = compare(item, b[index]!);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
