import { withTree } from "../tree/read.ts";
import type { Call } from "../session.ts";
import type { Container } from "../values/values.ts";

/** Makes all that a container consists of exist: its root file system and what is mounted. */
export async function evaluateContainer(call: Call, container: Container): Promise<void> {
  await withTree(call, container.rootfs, async () => undefined);
  for (const { source, target } of container.mounts) {
    if (source.kind !== "directory" && source.kind !== "file") continue;
    await withTree(call, source.tree, async (reader) => {
      if ((await reader.stat(source.path)) === undefined)
        throw new Error(`mount ${target}: ${source.path} does not exist`);
    });
  }
}
