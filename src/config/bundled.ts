/**
 * The part of this room that the Dagger module uses. `tools/generate.mjs` bundles it with the YAML and schema libraries
 * into `pipelines/vendor/config.mjs`, because a module with dependencies of its own would need an installation at each
 * first load.
 */
export type * from "./types.ts";
export type { Preset, ResolvedSuite } from "./presets.ts";
export type { ResolvedService } from "./service-presets.ts";
export { parseConfig } from "./parse.ts";
export { presets, resolveSuite } from "./presets.ts";
export { portMappings, type PortMapping } from "./service-ports.ts";
export { resolveService } from "./service-presets.ts";
export { durationMs, sizeBytes } from "./schema/units.ts";
export { countsText, testCounts } from "../text/index.ts";
