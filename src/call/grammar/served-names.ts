/** Names as an engine serves them, and `dagger call` takes and prints them. */
import { memberName, servedName, type ModuleInfo } from "../../module/index.ts";

/** `Person` of the module `conform` -> `ConformPerson`. */
export function servedObject(name: string, { name: moduleName }: Pick<ModuleInfo, "name">): string {
  return servedName(name, moduleName);
}

/** `VeryHigh` -> `VERY_HIGH`. */
export function servedMember(name: string): string {
  return memberName(name);
}
