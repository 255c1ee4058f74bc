/** What a function is called on the command line, and what it cannot be called without. */
import { kebabCase, type ArgumentInfo, type FunctionInfo } from "../module/index.ts";

/** What the command line calls a function. */
export function commandName(fn: Pick<FunctionInfo, "name" | "alias">): string {
  return kebabCase(fn.alias ?? fn.name);
}

export function isRequired(argument: ArgumentInfo): boolean {
  return !argument.optional && argument.defaultValue === undefined && argument.defaultPath === undefined && argument.defaultAddress === undefined;
}
