/**
 * graphql-js reports that a field, argument or type does not exist. Most often it does exist on a Dagger engine. This
 * function returns a message that says so: first GraphQL's words, which scripts match on, then those of the
 * documentation. Undefined for errors of another kind.
 */
export function unservedMessage(message: string): string | undefined {
  const reason = reasonOf(message);
  return reason === undefined ? undefined : `${message.slice(0, message.indexOf('".') + 1)}: ${reason}`;
}

function reasonOf(message: string): string | undefined {
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

/** Features left out on purpose, with the alternative if there is one. docs/engines.md has the same list. */
const reasons: Readonly<Record<string, string>> = {
  "Container.exportImage": "it has no container runtime's image store; `export` writes an archive for `docker load`",
  "Container.experimentalWithGPU": "BuildKit gives containers no GPU",
  "Container.experimentalWithAllGPUs": "BuildKit gives containers no GPU",
  "Container.withMountedVolume": "it mounts no network volumes",
  "Directory.asGit": "BuildKit reads no repository out of a directory; git(url) reads remote ones",
  moduleSource: "modules are loaded by the fastloop CLI, or by a Dagger engine",
};

function unserved(what: string, suggestion: string): string {
  const reason = reasons[what] === undefined ? "" : ` (${reasons[what]})`;
  return `${what} is not served by the embedded engine${reason}; use a Dagger engine${suggestion === "" || reason !== "" ? "" : `.${suggestion}`}`;
}
