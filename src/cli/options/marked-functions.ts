/** Functions of a module and its toolchains that are marked: `@check`, `@generate`. */
import { markedFunctions, selectMarked, type MarkedFunction } from "../../call/index.ts";
import { UserError } from "../../errors/index.ts";
import type { ModuleInfo } from "../../module/index.ts";
import type { CliContext } from "../context.ts";
import { printNames } from "./name-table.ts";

/** Those that the patterns name, in the order of declaration; all of them without patterns. */
export function namedFunctions(
  module: ModuleInfo,
  mark: "isCheck" | "isGenerate",
  patterns: readonly string[],
): MarkedFunction[] {
  const all = markedFunctions(module, mark);
  const { selected, wrong } = selectMarked(all, patterns);
  const kind = mark === "isCheck" ? "check" : "generate";
  if (wrong !== undefined)
    throw new UserError("usage", `there is no ${kind} "${wrong}"`, {
      hint:
        all.length === 0
          ? `no function of the module is marked @${kind}`
          : `there are ${all.map(({ name }) => name).join(", ")}`,
    });
  return selected;
}

/** Names and what their docs say first. */
export function printMarked(context: CliContext, functions: readonly MarkedFunction[], none: string): void {
  if (context.options.json)
    return context.printJson(
      functions.map(({ fullName: name, fn }) => ({ name, description: fn.description, place: fn.place })),
    );
  if (functions.length === 0) return context.notice(none);
  printNames(
    context,
    functions.map(({ fullName, fn }) => ({ name: fullName, description: fn.description })),
  );
}
