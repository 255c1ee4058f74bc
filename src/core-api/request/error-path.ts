import { Kind, type DocumentNode, type FieldNode, type SelectionSetNode } from "graphql";

type Path = readonly (string | number)[];

/**
 * Returns the path of an error as a Dagger engine gives it: fields by their real names, except the last one, which
 * keeps its alias.
 */
export function fieldPath(document: DocumentNode, path: Path): Path {
  const names: (string | number)[] = [];
  let sets = document.definitions.flatMap((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION ? [definition.selectionSet] : [],
  );
  const last = path.findLastIndex((step) => typeof step === "string");
  path.forEach((step, index) => {
    const fields = typeof step === "string" ? sets.flatMap((set) => fieldsCalled(document, set, step)) : [];
    names.push(index === last ? step : (fields[0]?.name.value ?? step));
    if (typeof step === "string") sets = fields.flatMap(({ selectionSet }) => selectionSet ?? []);
  });
  return names;
}

function fieldsCalled(document: DocumentNode, { selections }: SelectionSetNode, name: string): FieldNode[] {
  return selections.flatMap((selection): FieldNode[] => {
    if (selection.kind === Kind.FIELD) return (selection.alias ?? selection.name).value === name ? [selection] : [];
    if (selection.kind === Kind.INLINE_FRAGMENT) return fieldsCalled(document, selection.selectionSet, name);
    const fragment = document.definitions.find(
      (each) => each.kind === Kind.FRAGMENT_DEFINITION && each.name.value === selection.name.value,
    );
    return fragment?.kind === Kind.FRAGMENT_DEFINITION ? fieldsCalled(document, fragment.selectionSet, name) : [];
  });
}
