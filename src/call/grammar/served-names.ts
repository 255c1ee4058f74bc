/** Names as an engine serves them and `dagger call` accepts and prints them. */
import { memberName, servedName, type ModuleInfo } from "../../module/index.ts";

/** Converts `Person` of the module `conform` to `ConformPerson`. */
export function servedObject(name: string, { name: moduleName }: Pick<ModuleInfo, "name">): string {
  return servedName(name, moduleName);
}

/** Converts `VeryHigh` to `VERY_HIGH`. */
export function servedMember(name: string): string {
  return memberName(name);
}
