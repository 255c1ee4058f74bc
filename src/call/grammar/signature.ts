/** What a function is called on the command line, and what it cannot be called without. */
import { cliName, type ArgumentInfo, type FieldInfo, type FunctionInfo } from "../../module/index.ts";

/** What the command line calls a function or a field. */
export function commandName(member: Pick<FunctionInfo | FieldInfo, "name" | "alias">): string {
  return cliName(member.alias ?? member.name);
}

/** An argument's flag, without the dashes. */
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
