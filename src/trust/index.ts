/** What a repository may ask of the user's machine, and whether the user has allowed it. */
export type * from "./types.ts";
export { askKey, describeAsk, digestOfAsks, refusal } from "./describe.ts";
export { hostProcessAsk, requireHostProcess } from "./host-process.ts";
export { TrustStore, type StoredTrust } from "./store.ts";
export { Trust, trustMode, type TrustMode } from "./trust.ts";
