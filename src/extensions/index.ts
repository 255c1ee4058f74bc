/** Programs that replace parts of fastloop: how runs are compared, where results are stored, what may start. */
export { cachePoint, diskBackend, guardedBackend } from "./cache.ts";
export { withinComputeTime } from "./compute-time.ts";
export { builtIn, extensionOf, loadExtension, type ExtensionOf, type ExtensionPoint } from "./load.ts";
export { Allocation, resourcesPoint } from "./resources.ts";
export type { CacheBackend, ResourceMonitor } from "./types.ts";
