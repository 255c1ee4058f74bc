/**
 * Exports what the Dagger module needs of this room; `tools/generate.mjs` writes it to `pipelines/vendor/deploy.mjs`.
 */
export {
  hasDigest,
  imagesOf,
  parsePath,
  parseReplacement,
  replaceImages,
  unusedReplacements,
} from "./objects/image-references.ts";
export type { ImagePath } from "./objects/image-references.ts";
export { hookOf } from "./objects/hook-of.ts";
export { manifestsText, parseManifests } from "./objects/manifests.ts";
export type { ManifestFile } from "./objects/manifests.ts";
export type { KubeObject, Manifest } from "./objects/objects.ts";
export type { App, Environment, Request } from "./objects/request.ts";
