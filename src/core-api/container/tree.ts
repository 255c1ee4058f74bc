import { ApiError } from "../values/errors.ts";
import { expandVariables } from "../values/expand.ts";
import { lookupEnv } from "../image/config.ts";
import { absolutePath, relativeTo } from "../values/paths.ts";
import type { Container, Mount, Tree } from "../values/values.ts";

/** A container after a change: the image that it was made from is no longer what it is. */
export function changed(container: Container, patch: Partial<Container>): Container {
  return { ...container, imageReference: undefined, ...patch };
}

/** Replaces variables in an argument that asks for it. Secret and volatile ones have no value yet. */
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

/** Absolute path of an argument. */
export function containerPath(container: Container, text: string, expand: boolean): string {
  return absolutePath(container.config.WorkingDir, expandArgument(container, text, expand));
}

/** Where a path of a container really is: in a mount's tree or in the root file system. */
export interface Location {
  readonly tree: Tree;
  readonly path: string;
  /** The mount that holds it. */
  readonly mount?: Mount;
}

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

/** A mount of the same path, and those below it, give way to the new one. */
export function withMount(container: Container, mount: Mount): Container {
  const kept = container.mounts.filter(({ target }) => relativeTo(mount.target, target) === undefined);
  const mounts = [...kept, mount];
  return "tree" in mount.source ? changed(container, { mounts }) : { ...container, mounts };
}

export function withoutMount(container: Container, target: string): Container {
  const index = container.mounts.findLastIndex((mount) => mount.target === target);
  const secret = container.secrets.findLastIndex(({ mountPath }) => mountPath === target);
  return changed(container, {
    ...(index < 0 ? {} : { mounts: container.mounts.toSpliced(index, 1) }),
    ...(secret < 0 ? {} : { secrets: container.secrets.toSpliced(secret, 1) }),
  });
}

/**
 * Changes what is at an absolute path: in the mount that covers it or in the root file system. A mount that `covers` says
 * is itself to be replaced is taken away first.
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

/** Where a change of an absolute path happens, and the container with the tree that the change makes. */
export function placeOf(
  container: Container,
  absolute: string,
  covers: (mount: Mount) => boolean = () => true,
): { tree: Tree; path: string; with(tree: Tree): Container } {
  const { tree, path, mount } = locate(container, absolute);
  // As on a Dagger engine, the container is still known by the image's reference.
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
