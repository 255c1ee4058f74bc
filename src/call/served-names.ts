/** Names as an engine serves them, and `dagger call` takes and prints them. */
import { memberName, typeName, type ModuleInfo } from "../module/index.ts";

/** `Person` of the module `conform` -> `ConformPerson`: other modules may have one too. */
export function servedObject(name: string, { name: moduleName }: Pick<ModuleInfo, "name">): string {
  const [object, prefix] = [typeName(name), typeName(moduleName)];
  const rest = object.startsWith(prefix) ? object.slice(prefix.length) : undefined;
  return rest === "" || (rest !== undefined && /^[A-Z]/.test(rest)) ? object : typeName(`${prefix}_${object}`);
}

/** `VeryHigh` -> `VERY_HIGH`. */
export function servedMember(name: string): string {
  return memberName(name);
}
