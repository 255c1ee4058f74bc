/**
 * graphql-js says that a field, argument or type does not exist. Most often it exists, on a Dagger engine: say so, in the
 * words that the documentation uses. Undefined for errors of another kind.
 */
export function unservedMessage(message: string): string | undefined {
  const field = /^Cannot query field "(\w+)" on type "(\w+)"\.(.*)$/s.exec(message);
  if (field !== null) return unserved(field[2] === "Query" ? field[1]! : `${field[2]}.${field[1]}`, field[3]!);
  const argument = /^Unknown argument "(\w+)" on field "(\w+)\.(\w+)"\.(.*)$/s.exec(message);
  if (argument !== null) {
    const owner = argument[2] === "Query" ? argument[3] : `${argument[2]}.${argument[3]}`;
    return unserved(`${owner}(${argument[1]})`, argument[4]!);
  }
  const type = /^Unknown type "(\w+)"\.(.*)$/s.exec(message);
  if (type !== null) return unserved(type[1]!, type[2]!);
  return undefined;
}

function unserved(what: string, suggestion: string): string {
  return `${what} is not served by the embedded engine; use a Dagger engine${suggestion === "" ? "" : `.${suggestion}`}`;
}
