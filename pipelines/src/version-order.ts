/** Returns a negative number if `a` is older than `b`, 0 if they are equal, and a positive number if `a` is newer. */
export type CompareVersions = (a: string, b: string) => number;

/** Compares strings of digits by value, at any length. */
export function compareNumbers(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+(?=\d)/, ""), b.replace(/^0+(?=\d)/, "")];
  return left.length - right.length || compareText(left, right);
}

/** Compares strings by code units, as `strcmp` compares ASCII. */
export const compareText: CompareVersions = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** Compares lists item by item. If one is a prefix of the other, the shorter one sorts first. */
export function compareLists<T>(a: readonly T[], b: readonly T[], compare: (x: T, y: T) => number): number {
  for (const [index, item] of a.entries()) {
    if (index >= b.length) break;
    const difference = compare(item, b[index]!);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
