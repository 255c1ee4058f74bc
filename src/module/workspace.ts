/**
 * `Workspace` arguments: the folders of the user's that a function may read, asked for by the body and read by us. A function
 * that declares none has none: what may be read is seen in signatures.
 */
import type { ArgumentInfo, InterfaceInfo, ModuleInfo, ObjectInfo } from "./types.ts";

/** In the place of a dependency's name: the workspace is the parent's own, and no module is called so. */
export const workspaceOwner = "";

/** The workspace that functions are given, as an object of `workspaceOwner`. */
export const workspaceHandle = "fastloop:workspace";

/** Reads the workspace for one call. */
export interface WorkspaceReader {
  /** Answers a field: a scalar, or the id of a directory or file. Throws what the body is told. */
  read(field: string, args: Record<string, unknown>): Promise<string | boolean | null | { $id: string; $type: string }>;
  /** An engine reads it by itself: whatever is in it may have been read. */
  readByEngine(): void;
}

/** Whether a signature has one. */
export function declaresWorkspace(signature: readonly ArgumentInfo[] | undefined): boolean {
  return signature?.some(({ engineFills }) => engineFills === true) === true;
}

/** Whether the function of the object, or its constructor (`""`), is given one. */
export function isGivenWorkspace(
  { objects, interfaces }: Pick<ModuleInfo, "objects" | "interfaces">,
  object: string,
  fn: string,
): boolean {
  const info: ObjectInfo | InterfaceInfo | undefined = objects[object] ?? interfaces[object];
  if (fn === "") return declaresWorkspace(objects[object]?.constructorArguments);
  return declaresWorkspace(info?.functions[fn]?.arguments);
}

/** Whether any function of the module is given one. */
export function takesWorkspace({ objects }: Pick<ModuleInfo, "objects">): boolean {
  return Object.values(objects).some(
    ({ constructorArguments, functions }) =>
      declaresWorkspace(constructorArguments) || Object.values(functions).some((fn) => declaresWorkspace(fn.arguments)),
  );
}
