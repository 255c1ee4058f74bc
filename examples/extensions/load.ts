/**
 * Starts another function only while the machine has less to do than it has cores.
 *
 *     extensions:
 *       resources: ./load.ts
 */
import os from "node:os";
import type { ResourceMonitor } from "fastloop";

export default {
  name: "load",
  currentUsage: (running) => ({
    containers: running.length,
    memoryBytes: os.totalmem() - os.freemem(),
    cpus: os.loadavg()[0] ?? 0,
  }),
  canAllocate: (_request, usage) => usage.cpus < os.availableParallelism(),
} satisfies ResourceMonitor;
