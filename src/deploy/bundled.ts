/** What the Dagger module needs of this room; `tools/generate.mjs` writes it to `pipelines/vendor/deploy.mjs`. */
export {
  hasDigest,
  imagesOf,
  parsePath,
  parseReplacement,
  replaceImages,
  unusedReplacements,
} from "./image-references.ts";
export type { ImagePath } from "./image-references.ts";
export { hookOf } from "./hook-of.ts";
export { manifestsText, parseManifests } from "./manifests.ts";
export type { ManifestFile } from "./manifests.ts";
export type { KubeObject, Manifest } from "./objects.ts";
export type { App, Environment, Request } from "./request.ts";
