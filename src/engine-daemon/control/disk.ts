/** Summarizes what BuildKit holds on disk, from the descriptions of its records. */
import type { BuildkitClient } from "../../buildkit/types.ts";
import type { EngineDisk } from "./protocol.ts";

const pulled = /^pulled from (\S+)$/;
const volume = /^cached mount (\S+) from [^]* with id "fastloop-cache-([0-9a-f]+(?:-\d+)?)[:/]([^"]*)"$/;

export async function diskOf(client: BuildkitClient): Promise<EngineDisk> {
  const kinds: EngineDisk["kinds"] = {};
  const images = new Map<string, number>();
  const volumes: EngineDisk["volumes"] = [];
  for (const { description, recordType, inUse, sizeBytes } of (await client.diskUsage()).records) {
    const kind = (kinds[recordType] ??= { bytes: 0, reclaimableBytes: 0, records: 0 });
    kind.bytes += sizeBytes;
    kind.reclaimableBytes += inUse ? 0 : sizeBytes;
    kind.records++;
    const image = pulled.exec(description)?.[1];
    if (image !== undefined) images.set(image, (images.get(image) ?? 0) + sizeBytes);
    const [, path, project, name] = volume.exec(description) ?? [];
    if (path !== undefined && project !== undefined && name !== undefined)
      volumes.push({ project, name, path, bytes: sizeBytes });
  }
  return { kinds, images: [...images].map(([name, bytes]) => ({ name, bytes })), volumes };
}
