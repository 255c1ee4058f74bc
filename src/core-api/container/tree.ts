import { ApiError } from "../values/errors.ts";
import { expandVariables } from "../values/expand.ts";
import { lookupEnv } from "../image/config.ts";
import { absolutePath, relativeTo } from "../values/paths.ts";
import type { Container, Mount, Tree } from "../values/values.ts";

/** Returns a changed container, which the reference of the image that it came from no longer describes. */
export function changed(container: Container, patch: Partial<Container>): Container {
  return { ...container, imageReference: undefined, ...patch };
}

/**
 * Replaces variables in an argument if `expand` is set. Throws an `ApiError` for secret and volatile variables, which
 * have no value yet.
 */
export function expandArgument(container: Container, text: string, expand: boolean): string {
  if (!expand) return text;
  return expandVariables(text, (name) => {
    if (container.secrets.some((secret) => secret.envName === name)) {
      throw new ApiError(`expand cannot be used with secret env variable ${JSON.stringify(name)}`);
    }
    if (lookupEnv(container.volatileEnv, name) !== undefined) {
      throw new ApiError(`expand cannot be used with volatile env variable ${JSON.stringify(name)}`);
    }
    return lookupEnv(container.config.Env, name) ?? "";
  });
}

/** Returns an argument as an absolute path. */
export function containerPath(container: Container, text: string, expand: boolean): string {
  return absolutePath(container.config.WorkingDir, expandArgument(container, text, expand));
}

/** The tree that holds a path of a container: a mount's, or the root file system. */
export interface Location {
  readonly tree: Tree;
  readonly path: string;
  /** Mount that holds the path. */
  readonly mount?: Mount;
}

/** Finds the tree that holds an absolute path. Throws an `ApiError` for a path in a tmpfs or a cache. */
export function locate(container: Container, absolute: string): Location {
  for (const mount of container.mounts.toReversed()) {
    const relative = relativeTo(mount.target, absolute);
    if (relative === undefined) continue;
    if (mount.source.kind === "tmpfs") throw new ApiError(`${absolute}: cannot retrieve path from tmpfs`);
    if (mount.source.kind === "cache") throw new ApiError(`${absolute}: cannot retrieve path from cache`);
    return { tree: mount.source.tree, path: absolutePath(mount.source.path, relative), mount };
  }
  return { tree: container.rootfs, path: absolute };
}

/** Adds a mount. It replaces mounts at the same path and below it. */
export function withMount(container: Container, mount: Mount): Container {
  const kept = container.mounts.filter(({ target }) => relativeTo(mount.target, target) === undefined);
  const mounts = [...kept, mount];
  return "tree" in mount.source ? changed(container, { mounts }) : { ...container, mounts };
}

/** Removes the topmost mount and the last secret that are mounted at exactly this path. */
export function withoutMount(container: Container, target: string): Container {
  const index = container.mounts.findLastIndex((mount) => mount.target === target);
  const secret = container.secrets.findLastIndex(({ mountPath }) => mountPath === target);
  return changed(container, {
    ...(index < 0 ? {} : { mounts: container.mounts.toSpliced(index, 1) }),
    ...(secret < 0 ? {} : { secrets: container.secrets.toSpliced(secret, 1) }),
  });
}

/**
 * Changes what is at an absolute path, in the mount that covers it or in the root file system. A mount at exactly this
 * path is removed first when `covers` returns true for it.
 */
export function editAt(
  container: Container,
  absolute: string,
  edit: (tree: Tree, pathInTree: string) => Tree,
  covers: (mount: Mount) => boolean = () => true,
): Container {
  const place = placeOf(container, absolute, covers);
  return place.with(edit(place.tree, place.path));
}

/**
 * Returns the tree in which a change of an absolute path happens, and a function that returns the container with the
 * changed tree.
 */
export function placeOf(
  container: Container,
  absolute: string,
  covers: (mount: Mount) => boolean = () => true,
): { tree: Tree; path: string; with(tree: Tree): Container } {
  const { tree, path, mount } = locate(container, absolute);
  // As on a Dagger engine, the container keeps the image's reference.
  if (mount === undefined) return { tree, path, with: (rootfs) => ({ ...container, rootfs }) };
  if (mount.target === absolute && covers(mount)) return placeOf(withoutMount(container, absolute), absolute, covers);
  const { source } = mount;
  if (source.kind !== "directory" && source.kind !== "file") throw new Error("only trees have edits");
  const replaced = (made: Tree): Mount => ({ ...mount, source: { ...source, tree: made } });
  return {
    tree,
    path,
    with: (made) => ({
      ...container,
      mounts: container.mounts.map((known) => (known === mount ? replaced(made) : known)),
    }),
  };
}
