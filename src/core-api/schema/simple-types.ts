import { id, typeModule, type TypeModule } from "../values/resolver.ts";
import type { ApiObject } from "../values/ids.ts";

/** SDL of the scalars, enums and interfaces. */
export const commonSdl = /* GraphQL */ `
  directive @expectedType(name: String!) on FIELD_DEFINITION | ARGUMENT_DEFINITION

  "The platform config OS and architecture in a Container, e.g. linux/arm64."
  scalar Platform
  "The absence of a value."
  scalar Void

  "An object with a globally unique ID."
  interface Node {
    id: ID!
  }
  "An object that supports being force-evaluated."
  interface Syncer implements Node {
    id: ID!
    sync: ID!
  }
  "An object that can be exported to the host."
  interface Exportable implements Node {
    id: ID!
    export(path: String!): String!
  }

  enum CacheSharingMode { SHARED PRIVATE LOCKED }
  enum ReturnType { SUCCESS FAILURE ANY }
  enum NetworkProtocol { TCP UDP }
  enum ExistsType { REGULAR_TYPE DIRECTORY_TYPE SYMLINK_TYPE }
  enum FileType { UNKNOWN REGULAR DIRECTORY SYMLINK REGULAR_TYPE DIRECTORY_TYPE SYMLINK_TYPE }
  enum ImageLayerCompression { Gzip Zstd EStarGZ Uncompressed GZIP ZSTD ESTARGZ UNCOMPRESSED }
  enum ImageMediaTypes { OCIMediaTypes DockerMediaTypes OCI DOCKER }
`;

/** Enum members that are aliases of other members, as in Dagger's schema. */
export const enumAliases: Record<string, Record<string, string>> = {
  FileType: { REGULAR_TYPE: "REGULAR", DIRECTORY_TYPE: "DIRECTORY", SYMLINK_TYPE: "SYMLINK" },
  ImageLayerCompression: { GZIP: "Gzip", ZSTD: "Zstd", ESTARGZ: "EStarGZ", UNCOMPRESSED: "Uncompressed" },
  ImageMediaTypes: { OCI: "OCIMediaTypes", DOCKER: "DockerMediaTypes" },
};

/** Types whose values are plain objects with one property per field. */
export const recordModules: TypeModule[] = [
  typeModule<ApiObject>("EnvVariable", `type EnvVariable implements Node { id: ID! name: String! value: String! }`, {
    id,
  }),
  typeModule<ApiObject>("Label", `type Label implements Node { id: ID! name: String! value: String! }`, { id }),
  typeModule<ApiObject>(
    "Port",
    `type Port implements Node { id: ID! port: Int! protocol: NetworkProtocol! description: String experimentalSkipHealthcheck: Boolean! }`,
    { id },
  ),
  typeModule<ApiObject>(
    "Stat",
    `type Stat implements Node { id: ID! size: Int! name: String! fileType: FileType permissions: Int! }`,
    { id },
  ),
];
