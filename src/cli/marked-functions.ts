/** Functions of a module that are marked: `@check`, `@generate`. */
import { commandName } from "../call/index.ts";
import { UserError } from "../errors/index.ts";
import type { FunctionInfo, ModuleInfo } from "../module/index.ts";
import { printable } from "../text/index.ts";
import type { CliContext } from "./context.ts";

export function marked(module: ModuleInfo, mark: "isCheck" | "isGenerate"): FunctionInfo[] {
  return Object.values(module.objects[module.mainObject]?.functions ?? {}).filter((fn) => fn[mark]);
}

/** Those of the names, in their order; all of them without names. */
export function namedFunctions(
  functions: readonly FunctionInfo[],
  names: readonly string[],
  kind: string,
): FunctionInfo[] {
  const known = functions.map(commandName);
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined)
    throw new UserError("usage", `there is no ${kind} "${wrong}"`, {
      hint: known.length === 0 ? `no function of the module is marked @${kind}` : `there are ${known.join(", ")}`,
    });
  return names.length === 0 ? [...functions] : functions.filter((fn) => names.includes(commandName(fn)));
}

/** Names and what their docs say first. */
export function printMarked(context: CliContext, functions: readonly FunctionInfo[], none: string): void {
  if (context.options.json)
    return context.printJson(
      functions.map((fn) => ({ name: commandName(fn), description: fn.description, place: fn.place })),
    );
  if (functions.length === 0) return context.notice(none);
  const width = Math.max(...functions.map((fn) => commandName(fn).length));
  for (const fn of functions)
    context.print(
      `${commandName(fn).padEnd(width)}  ${printable(fn.description.split("\n")[0] ?? "")}`.trimEnd() + "\n",
    );
}
