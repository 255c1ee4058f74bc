/** What a repository asks of the user's host, and whether the user has allowed it. */
export type * from "./types.ts";
export { askKey, describeAsk, digestOfAsks, refusal } from "./describe.ts";
export { asksOfCall, asksOfModule, type AskContext } from "./asks-of-call.ts";
export { asksOfConfig, asksOfLocal, cacheAsk, clusterAsk, engineAsk } from "./asks-of-config.ts";
export {
  asksOfExtensions,
  extensionKeys,
  isExtensionFile,
  readExtension,
  type ExtensionFile,
  type ExtensionKey,
} from "./extensions.ts";
export { hostProcessAsk } from "./host-process.ts";
export { TrustStore, type StoredTrust } from "./store.ts";
export { trustedCacheOf } from "./trusted-cache.ts";
export { Trust, trustMode, type TrustMode } from "./trust.ts";
export { engineOptionsOf, type EngineChoiceOptions } from "./engine-options.ts";
