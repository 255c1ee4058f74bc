/** Names of functions and arguments on the command line, and which arguments are required. */
import { cliName, type ArgumentInfo, type FieldInfo, type FunctionInfo } from "../../module/index.ts";

/** Returns the command-line name of a function or field. */
export function commandName(member: Pick<FunctionInfo | FieldInfo, "name" | "alias">): string {
  return cliName(member.alias ?? member.name);
}

/** Returns an argument's flag without the dashes. */
export function flagName(argument: Pick<ArgumentInfo, "name">): string {
  return cliName(argument.name);
}

export function isRequired(argument: ArgumentInfo): boolean {
  return (
    !argument.optional &&
    argument.defaultValue === undefined &&
    argument.defaultPath === undefined &&
    argument.defaultAddress === undefined &&
    argument.engineFills !== true
  );
}
