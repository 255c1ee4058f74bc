/** Builds GraphQL text. */

/** Returns a JSON value as a GraphQL literal. Enum members are not JSON; see `enumLiteral`. */
export function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(([name, field]) => `${name}: ${literal(field)}`);
    return `{ ${fields.join(", ")} }`;
  }
  return JSON.stringify(value);
}

/** Returns an enum member as a GraphQL literal, which is a bare name. Throws if it is not a valid name. */
export function enumLiteral(member: string): string {
  if (!/^[A-Za-z_]\w*$/.test(member)) throw new Error(`${member} is not an enum member`);
  return member;
}

/** Returns `node(id) { ... on Type { a(x: 1) { b } } }`. */
export function chainOn(id: string, type: string, selections: readonly string[]): string {
  const chain = selections.reduceRight(
    (inner, selection) => (inner === "" ? selection : `${selection} { ${inner} }`),
    "",
  );
  return `{ node(id: ${literal(id)}) { ... on ${type} { ${chain} } } }`;
}
