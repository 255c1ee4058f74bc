/** Deploying to Kubernetes: manifests, what protects a cluster, and the program that applies them. */
export {
  hasDigest,
  imagesOf,
  parsePath,
  parseReplacement,
  replaceImages,
  unusedReplacements,
} from "./image-references.ts";
export type { ImagePath } from "./image-references.ts";
export { manifestsText, parseManifests } from "./manifests.ts";
export type { ManifestFile } from "./manifests.ts";
export type { KubeObject, Manifest } from "./objects.ts";
export type { App, Environment, Request } from "./request.ts";
