/** Dagger 0.21's core API on BuildKit: takes GraphQL requests and turns them into LLB. See docs/architecture.md. */
export { openApiSession } from "./open.ts";
export type { ApiRequest, ApiResponse, ApiSession, ApiSessionOptions } from "./options.ts";
export { apiVersion } from "./schema/query.ts";
export type * from "./types.ts";
export type { KnownImage, KnownImages } from "./image/known-images.ts";
export { buildkitLost } from "./request/execute.ts";
export { isRefused } from "./request/validate.ts";
export { gitProxyFor } from "./git/proxy.ts";
export { encodeFrame, FrameReader, type Frame } from "./terminal/frames.ts";
