/** Host trees and files that a function reads by itself: its arguments with `defaultPath`. */
import path from "node:path";
import { isInside } from "../paths/index.ts";
import { UserError } from "../errors/index.ts";
import type { ArgumentInfo, FunctionInfo, FunctionInput, ModuleInfo } from "./types.ts";

/** Returns the host trees and files of a function, resolved as the engine resolves them. */
export function functionInputs(
  module: Pick<ModuleInfo, "root" | "contextDir" | "contextRoot">,
  fn: Pick<FunctionInfo, "name" | "arguments" | "place">,
): FunctionInput[] {
  return fn.arguments.flatMap((argument) => {
    const input = argumentInput(module, argument, fn.place);
    return input === undefined ? [] : [input];
  });
}

/**
 * Resolves an argument's `defaultPath`: `/x` is relative to the context (the git root), `x` to dagger.json's folder.
 * Throws a `UserError` if the path leaves the context.
 */
export function argumentInput(
  module: Pick<ModuleInfo, "root" | "contextDir" | "contextRoot">,
  argument: ArgumentInfo,
  place?: string,
): FunctionInput | undefined {
  const { defaultPath, type } = argument;
  if (defaultPath === undefined || type.kind !== "object" || (type.name !== "Directory" && type.name !== "File")) {
    return undefined;
  }
  const resolved = defaultPath.startsWith("/")
    ? path.join(module.contextDir, defaultPath)
    : path.resolve(module.contextRoot ?? module.root, defaultPath);
  // A path that leaves by a symbolic link is treated like any other place outside: it needs the user's trust.
  if (!isInside(module.contextDir, resolved)) {
    throw new UserError("module", `defaultPath "${defaultPath}" of "${argument.name}" leaves the repository`, {
      place,
    });
  }
  return {
    argument: argument.name,
    kind: type.name === "Directory" ? "directory" : "file",
    path: resolved,
    ignore: argument.ignore ?? [],
  };
}
