import { emptyContainer } from "../container/from.ts";
import { cacheVolume, type CacheVolumeArguments } from "../container/cache-volume.ts";
import { emptyDirectory, edited, scratch } from "../values/rooted.ts";
import { ApiError } from "../values/errors.ts";
import { givenPlatform } from "../values/platform.ts";
import { typeModule } from "../values/resolver.ts";
import { checkSecretUri } from "../secret/vault.ts";
import { type File, type Secret } from "../values/values.ts";
import { writeEdit } from "../tree/write.ts";

/** Version of Dagger's API that this one follows. SDKs compare it with their own version. */
export const apiVersion = "v0.21.9";

const sdl = /* GraphQL */ `
  "The root of the API."
  type Query implements Node {
    id: ID!
    version: String!
    defaultPlatform: Platform!
    node(id: ID!): Node
    container(platform: Platform): Container!
    directory: Directory!
    file(name: String!, contents: String!, permissions: Int = 420): File!
    host: Host!
    cacheVolume(
      key: String!
      source: ID @expectedType(name: "Directory")
      sharing: CacheSharingMode = SHARED
      owner: String = ""
    ): CacheVolume!
    secret(uri: String!, cacheKey: String): Secret!
    setSecret(name: String!, plaintext: String!): Secret!
  }
`;

const query = { type: "Query" };

export const queryModule = typeModule<unknown>("Query", sdl, {
  id: (_root, _args: object, call) => call.session.ids.idOf(query),
  version: () => apiVersion,
  defaultPlatform: (_root, _args: object, call) => call.session.defaultPlatform,
  node: (_root, args: { id: string }, call) => call.session.ids.load(args.id),
  container: (_root, args: { platform?: string | null }, call) =>
    emptyContainer(
      args.platform === undefined || args.platform === null
        ? call.session.defaultPlatform
        : givenPlatform(args.platform),
    ),
  directory: () => emptyDirectory,
  file: async (_root, args: { name: string; contents: string; permissions: number }, call) => {
    if (args.name === "" || args.name.includes("/")) {
      throw new ApiError(`file name ${JSON.stringify(args.name)} must not contain a directory`);
    }
    const write = await writeEdit(call, args.contents, args.permissions);
    return { type: "File", tree: edited(scratch, write(`/${args.name}`)), path: `/${args.name}` } satisfies File;
  },
  host: () => ({ type: "Host" }),
  cacheVolume: (_root, args: CacheVolumeArguments, call) => cacheVolume(args, call),
  secret: (_root, args: { uri: string; cacheKey?: string | null }) => {
    checkSecretUri(args.uri);
    return { type: "Secret", id: "", name: args.cacheKey ?? "", uri: args.uri } satisfies Secret;
  },
  setSecret: (_root, args: { name: string; plaintext: string }, call) =>
    call.session.secrets.set(args.name, args.plaintext),
});
