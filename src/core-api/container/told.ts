import { notFound, withTree } from "../tree/read.ts";
import type { Call } from "../request/call.ts";
import type { Resolver } from "../values/resolver.ts";
import type { Container, Tree } from "../values/values.ts";

/** What a container is said to be: on a Dagger engine these fields run its commands first, and fail where they do. */
const toldFields = [
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

/** Resolvers of which those fields wait for what the container is made of. */
export function told(resolvers: Record<string, Resolver<Container>>): Record<string, Resolver<Container>> {
  const after = Object.entries(resolvers).map(([name, resolve]): [string, Resolver<Container>] => {
    if (!toldFields.includes(name)) return [name, resolve];
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

/** Whether anything is still to be done for a container; an image is not fetched for what its configuration says. */
function isPending({ rootfs, mounts }: Container): boolean {
  const isMade = ({ kind }: Tree): boolean => kind !== "scratch" && kind !== "image" && kind !== "host";
  return isMade(rootfs) || mounts.some(({ source }) => "tree" in source && isMade(source.tree));
}

/** Makes all that a container consists of exist: its root file system and what is mounted. */
export async function evaluateContainer(call: Call, container: Container): Promise<void> {
  await withTree(call, container.rootfs, async () => undefined);
  for (const { source } of container.mounts) {
    if (source.kind !== "directory" && source.kind !== "file") continue;
    await withTree(call, source.tree, async (reader) => {
      if ((await reader.stat(source.path)) === undefined) throw notFound("stat", source.path);
    });
  }
}
