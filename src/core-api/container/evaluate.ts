import { notFound, withTree } from "../tree/read.ts";
import type { Call } from "../request/call.ts";
import type { Resolver } from "../values/resolver.ts";
import type { Container, Tree } from "../values/values.ts";

/**
 * Fields that read a container's configuration. A Dagger engine first runs the container's commands for them, and the
 * fields fail if a command does.
 */
const evaluatedFields = [
  "user",
  "workdir",
  "platform",
  "envVariable",
  "envVariables",
  "label",
  "labels",
  "entrypoint",
  "defaultArgs",
  "exposedPorts",
  "mounts",
];

/** Wraps the resolvers of those fields: they evaluate the container first. */
export function evaluatedFirst(resolvers: Record<string, Resolver<Container>>): Record<string, Resolver<Container>> {
  const after = Object.entries(resolvers).map(([name, resolve]): [string, Resolver<Container>] => {
    if (!evaluatedFields.includes(name)) return [name, resolve];
    return [
      name,
      async (container, args, call) => {
        if (isPending(container)) await evaluateContainer(call, container);
        return resolve(container, args, call);
      },
    ];
  });
  return Object.fromEntries(after);
}

/**
 * Reports whether a container has anything left to evaluate. An image does not need to be pulled for its configuration.
 */
function isPending({ rootfs, mounts }: Container): boolean {
  const isMade = ({ kind }: Tree): boolean => kind !== "scratch" && kind !== "image" && kind !== "host";
  return isMade(rootfs) || mounts.some(({ source }) => "tree" in source && isMade(source.tree));
}

/** Evaluates a container's root file system and mounts. Throws an `ApiError` when a mounted path does not exist. */
export async function evaluateContainer(call: Call, container: Container): Promise<void> {
  await withTree(call, container.rootfs, async () => undefined);
  for (const { source } of container.mounts) {
    if (source.kind !== "directory" && source.kind !== "file") continue;
    await withTree(call, source.tree, async (reader) => {
      if ((await reader.stat(source.path)) === undefined) throw notFound("stat", source.path);
    });
  }
}
