/**
 * Builds BuildKit LLB from core operations, modeled on moby/buildkit's `client/llb`: pure functions from immutable
 * states to new ones. Nothing is sent anywhere. `definition(state)` marshals a state for `Build.solve`.
 */
export { definition, opDigest, scratch, stateDigest, type State, type StepOptions, type Vertex } from "./state.ts";
export { formatPlatform, parsePlatform } from "./platform.ts";
export { git, image, local, ociLayout, type GitOptions, type ImageOptions } from "./source.ts";
export {
  file,
  PINNED_TIMESTAMP_NS,
  type CopyAction,
  type FileAction,
  type MkdirAction,
  type MkfileAction,
  type Owner,
  type RmAction,
  type SymlinkAction,
} from "./file.ts";
export {
  exec,
  resolverMount,
  type BindMount,
  type CacheMount,
  type ExecOptions,
  type ExecResult,
  type Mount,
  type SecretMount,
  type SshMount,
  type TmpfsMount,
} from "./exec.ts";
export {
  cacheIdsOf,
  commandsOf,
  fromDefinition,
  imagesIn,
  runsCommands,
  sourcesOf,
  startSecretId,
  type ReadImage,
} from "./import.ts";
export { copiesIntoFolders, onlyFrom, type FolderMakingCopy } from "./made-folders.ts";
export { diff, merge } from "./merge.ts";
export { codecsOf, type Codec, type Codecs } from "./proto/codec.ts";
export { opsProto } from "./proto/ops.ts";
export type * from "./types.ts";
