/**
 * A syntax tree as a table, for passing it between threads: structured cloning is recursive, and a chain of calls is
 * deeper than the stack. A number stands for the entry at that index; syntax trees contain no numbers themselves.
 */
export type FlatTree = readonly (unknown[] | Record<string, unknown>)[];

/** Converts a syntax tree to a table. */
export function flat(root: object): FlatTree {
  const nodes: object[] = [root];
  const table: (unknown[] | Record<string, unknown>)[] = [];
  const refer = (value: unknown): unknown =>
    typeof value === "object" && value !== null ? nodes.push(value) - 1 : value;
  for (let index = 0; index < nodes.length; index++) {
    const node = nodes[index]!;
    table.push(
      Array.isArray(node)
        ? node.map(refer)
        : Object.fromEntries(Object.entries(node).map(([name, value]) => [name, refer(value)])),
    );
  }
  return table;
}

/** Converts a table back to the syntax tree. Modifies the table's entries. */
export function rebuilt(table: FlatTree): unknown {
  const resolve = (value: unknown): unknown => (typeof value === "number" ? table[value] : value);
  for (const entry of table) {
    if (Array.isArray(entry)) entry.forEach((value, index) => (entry[index] = resolve(value)));
    else for (const [name, value] of Object.entries(entry)) entry[name] = resolve(value);
  }
  return table[0];
}
