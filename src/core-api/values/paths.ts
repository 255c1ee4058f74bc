import path from "node:path/posix";

/** Returns `name` as an absolute, clean path in a container whose working directory is `workdir`. */
export function absolutePath(workdir: string, name: string): string {
  return withoutTrailingSlash(path.resolve("/", workdir === "" ? "/" : workdir, name));
}

/**
 * Resolves `name`, even an absolute one, against the folder `base` of a tree. `..` may leave the folder but not the
 * tree: as on a Dagger engine, a directory is a place in a tree.
 */
export function pathBelow(base: string, name: string): string {
  return withoutTrailingSlash(path.join("/", base, name));
}

/** Reports whether `name` ends like a folder, so that a copy goes into it. */
export function namesFolder(name: string): boolean {
  return name.endsWith("/") || name.endsWith("/.") || name === "." || name === "";
}

/** Returns `inner` relative to `outer` (`""` for itself), or undefined when it is not inside. */
export function relativeTo(outer: string, inner: string): string | undefined {
  if (inner === outer) return "";
  const prefix = outer === "/" ? "/" : `${outer}/`;
  return inner.startsWith(prefix) ? inner.slice(prefix.length) : undefined;
}

function withoutTrailingSlash(name: string): string {
  return name.length > 1 && name.endsWith("/") ? name.slice(0, -1) : name;
}
