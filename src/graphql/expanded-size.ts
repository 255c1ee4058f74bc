import { Kind, type DocumentNode, type FragmentDefinitionNode, type SelectionSetNode } from "graphql";

export interface ExpandedSize {
  selections: number;
  levels: number;
}

/**
 * Measures a document with all fragments expanded: a few fragments that use each other twice can amount to millions of
 * fields. Each fragment is measured once. A fragment that uses itself counts as empty, because validation refuses it.
 * Beyond `maxLevels` nothing is counted, and the document counts as infinitely deep.
 */
export function expandedSize(document: DocumentNode, maxLevels: number): ExpandedSize {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  const known = new Map<string, ExpandedSize>();
  const nothing: ExpandedSize = { selections: 0, levels: 0 };
  const tooDeep: ExpandedSize = { selections: 0, levels: Number.POSITIVE_INFINITY };

  const sizeOf = (set: SelectionSetNode | undefined, level: number): ExpandedSize => {
    if (set === undefined) return nothing;
    if (level > maxLevels) return tooDeep;
    let selections = 0;
    let levels = 0;
    for (const selection of set.selections) {
      const inner =
        selection.kind === Kind.FRAGMENT_SPREAD
          ? sizeOfFragment(selection.name.value, level)
          : sizeOf(selection.selectionSet, level + 1);
      selections += 1 + inner.selections;
      levels = Math.max(levels, inner.levels);
    }
    return { selections, levels: levels + 1 };
  };
  const sizeOfFragment = (name: string, level: number): ExpandedSize => {
    const before = known.get(name);
    if (before !== undefined) return before;
    known.set(name, nothing);
    const size = sizeOf(fragments.get(name)?.selectionSet, level + 1);
    known.set(name, size);
    return size;
  };

  const sizes = document.definitions.map((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION ? sizeOf(definition.selectionSet, 1) : nothing,
  );
  return sizes.reduce(
    (a, b) => ({ selections: a.selections + b.selections, levels: Math.max(a.levels, b.levels) }),
    nothing,
  );
}
