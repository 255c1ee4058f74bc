/** Names as an engine serves them, and `dagger call` takes and prints them. */
import { screamingSnakeCase, pascalCase, type ModuleInfo } from "../module/index.ts";

/** `Person` of the module `conform` -> `ConformPerson`: other modules may have one too. */
export function servedObject(name: string, { mainObject, name: moduleName }: Pick<ModuleInfo, "mainObject" | "name">): string {
  const prefix = mainObject || pascalCase(moduleName);
  const rest = name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
  return rest === "" || (rest !== undefined && /^[A-Z]/.test(rest)) ? name : prefix + name;
}

/** `VeryHigh` -> `VERY_HIGH`. */
export function servedMember(name: string): string {
  return screamingSnakeCase(name);
}
