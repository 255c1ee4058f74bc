/** Selects and lists functions of a module and its toolchains that are marked `@check` or `@generate`. */
import { markedFunctions, selectMarked, type MarkedFunction } from "../../call/index.ts";
import { UserError } from "../../errors/index.ts";
import type { ModuleInfo } from "../../module/index.ts";
import type { CliContext } from "../context.ts";
import { printNames } from "./name-table.ts";

/**
 * Returns the generators that the patterns name, in order of declaration; all of them without patterns. Throws for a
 * pattern without a match.
 */
export function namedGenerators(module: ModuleInfo, patterns: readonly string[]): MarkedFunction[] {
  return named(markedFunctions(module, "isGenerate"), patterns, "generate");
}

/** The same for checks. */
export function namedChecks<F extends MarkedFunction>(checks: readonly F[], patterns: readonly string[]): F[] {
  return named(checks, patterns, "check");
}

function named<F extends MarkedFunction>(all: readonly F[], patterns: readonly string[], kind: string): F[] {
  const { selected, wrong } = selectMarked(all, patterns);
  if (wrong !== undefined)
    throw new UserError("usage", `there is no ${kind} "${wrong}"`, {
      hint:
        all.length === 0
          ? `no function of the module is marked @${kind}`
          : `there are ${all.map(({ name }) => name).join(", ")}`,
    });
  return selected;
}

/** Lists names and the first lines of their documentation; prints `none` when there are none. */
export function printMarked(
  context: CliContext,
  functions: readonly (MarkedFunction & { isGenerator?: boolean })[],
  none: string,
): void {
  if (context.options.json)
    return context.printJson(
      functions.map(({ fullName: name, fn: { description, place }, isGenerator }) => ({
        name,
        description,
        place,
        isGenerator,
      })),
    );
  if (functions.length === 0) return context.notice(none);
  printNames(context, rowsOf(functions));
}

/** Lists checks as `dagger check -l` does: generators, which are checks too, are below a heading of their own. */
export function printChecks(context: CliContext, checks: readonly (MarkedFunction & { isGenerator: boolean })[]): void {
  const generators = checks.filter(({ isGenerator }) => isGenerator);
  if (context.options.json || generators.length === 0)
    return printMarked(context, checks, "no function of the module is marked @check");
  const others = checks.filter(({ isGenerator }) => !isGenerator);
  printNames(context, rowsOf(others), "", { heading: "Generators", rows: rowsOf(generators) });
}

const rowsOf = (functions: readonly MarkedFunction[]): { name: string; description: string }[] =>
  functions.map(({ fullName, fn }) => ({ name: fullName, description: fn.description }));
