/**
 * `Workspace` arguments: folders of the user that a function may read. The body asks, and the CLI reads them. A
 * function that declares no such argument has no access, so signatures show what may be read.
 */
import type { ArgumentInfo, InterfaceInfo, ModuleInfo, ObjectInfo } from "./types.ts";

/**
 * Stands for a dependency's name in requests for the workspace, which the parent answers itself. No module can have
 * this name.
 */
export const workspaceOwner = "";

/** The workspace that functions receive, as an object of `workspaceOwner`. */
export const workspaceHandle = "fastloop:workspace";

/** Reads the workspace for one call. */
export interface WorkspaceReader {
  /** Answers a field with a scalar, or with the id of a directory or file. Throws the error that the body receives. */
  read(field: string, args: Record<string, unknown>): Promise<string | boolean | null | { $id: string; $type: string }>;
  /** Notes that an engine reads the workspace by itself, so anything in it may have been read. */
  readByEngine(): void;
}

/** Reports whether a signature has a `Workspace` argument. */
export function declaresWorkspace(signature: readonly ArgumentInfo[] | undefined): boolean {
  return signature?.some(({ engineFills }) => engineFills === true) === true;
}

/** Reports whether a function of an object, or its constructor (`""`), has a `Workspace` argument. */
export function isGivenWorkspace(
  { objects, interfaces }: Pick<ModuleInfo, "objects" | "interfaces">,
  object: string,
  fn: string,
): boolean {
  const info: ObjectInfo | InterfaceInfo | undefined = objects[object] ?? interfaces[object];
  if (fn === "") return declaresWorkspace(objects[object]?.constructorArguments);
  return declaresWorkspace(info?.functions[fn]?.arguments);
}

/** Reports whether any function of the module has a `Workspace` argument. */
export function takesWorkspace({ objects }: Pick<ModuleInfo, "objects">): boolean {
  return Object.values(objects).some(
    ({ constructorArguments, functions }) =>
      declaresWorkspace(constructorArguments) || Object.values(functions).some((fn) => declaresWorkspace(fn.arguments)),
  );
}
