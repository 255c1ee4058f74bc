import type { Channel } from "./connection/channel.ts";
import { fromCallError } from "./connection/grpc-error.ts";
import { control } from "./connection/messages.ts";
import type { DiskUsage, PruneOptions } from "./types.ts";

/** Returns the cache records of the daemon, with sizes in bytes. */
export async function diskUsage(channel: Channel): Promise<DiskUsage> {
  const { record } = await channel.unary(control.diskUsage, {});
  const sum = (records: typeof record): number =>
    records.reduce((total, { size }) => total + Math.max(0, Number(size)), 0);
  return {
    totalBytes: sum(record),
    reclaimableBytes: sum(record.filter(({ inUse }) => !inUse)),
    records: record.map(({ description, recordType, inUse, size, lastUsedAt }) => ({
      description,
      recordType,
      inUse,
      sizeBytes: Math.max(0, Number(size)),
      lastUsedMs: lastUsedAt === null ? 0 : Number(lastUsedAt.seconds) * 1000 + Math.round(lastUsedAt.nanos / 1e6),
    })),
  };
}

/** Removes cache records. The daemon streams each record as it removes it. */
export function prune(channel: Channel, options: PruneOptions = {}): Promise<{ freedBytes: number; records: number }> {
  const { all = false, keepUsedWithinMs = 0, keepBytes = 0 } = options;
  return new Promise((resolve, reject) => {
    let freedBytes = 0;
    let records = 0;
    const stream = channel.serverStream(control.prune, {
      all,
      keepDuration: keepUsedWithinMs * 1e6,
      reservedSpace: keepBytes,
    });
    stream.on("data", ({ size }) => {
      records += 1;
      freedBytes += Math.max(0, Number(size));
    });
    stream.on("error", (error) => reject(fromCallError(error)));
    stream.on("end", () => resolve({ freedBytes, records }));
  });
}
