import {
  buildSchema,
  GraphQLEnumType,
  GraphQLNonNull,
  GraphQLScalarType,
  isObjectType,
  isInterfaceType,
  type GraphQLFieldResolver,
  type GraphQLSchema,
} from "graphql";
import { changesetModules } from "../directory/changeset.ts";
import { dockerBuildModule } from "../dockerfile/docker-build.ts";
import { engineModules } from "./engine.ts";
import { envFileModules } from "../container/env-file.ts";
import { jsonModules } from "../file/json-value.ts";
import { remoteModules } from "../git/remote-sources.ts";
import { cacheVolumeModule } from "../container/cache-volume.ts";
import { healthcheckModule } from "../container/healthcheck.ts";
import { containerModule } from "./container.ts";
import { currentModuleModules } from "./current-module.ts";
import { directoryModule } from "../directory/directory.ts";
import { fileModule } from "../file/file.ts";
import { hostModule } from "../host/host.ts";
import { queryModule } from "./query.ts";
import { typeModule, type Resolver, type TypeModule } from "../values/resolver.ts";
import { searchResultModule, searchSubmatchModule } from "../search/search.ts";
import { secretModule } from "../secret/secret.ts";
import { serviceModule, socketModule } from "./service.ts";
import type { Call } from "../request/call.ts";
import { breathe } from "../../async/index.ts";
import { typedErrorModules } from "./typed-error.ts";
import { commonSdl, enumAliases, recordModules } from "./simple-types.ts";

const modules: TypeModule[] = [
  ...changesetModules,
  dockerBuildModule,
  ...engineModules,
  ...envFileModules,
  ...jsonModules,
  ...remoteModules,
  queryModule,
  containerModule,
  directoryModule,
  fileModule,
  hostModule,
  secretModule,
  cacheVolumeModule,
  searchResultModule,
  searchSubmatchModule,
  serviceModule,
  socketModule,
  ...recordModules,
  ...typedErrorModules,
  ...currentModuleModules,
  healthcheckModule,
];

/** Returns the `loadTYPEFromID` queries, which clients older than 0.21 use instead of `node`. */
function loadersFor(types: readonly string[]): TypeModule {
  const fields = types.map((type) => `load${type}FromID(id: ID!): ${type}!`);
  const load =
    (type: string): Resolver<unknown> =>
    (_root, { id }: { id: string }, call) =>
      call.session.ids.load(id, type);
  return typeModule<unknown>(
    "Query",
    `extend type Query { ${fields.join("\n")} }`,
    Object.fromEntries(types.map((type) => [`load${type}FromID`, load(type)])),
  );
}

/** Fields whose numbers can exceed 2^31: sizes, offsets and times. Dagger's Int has 64 bits, GraphQL's has 32. */
const longFields: Record<string, string[]> = {
  File: ["size"],
  Stat: ["size"],
  SearchResult: ["absoluteOffset"],
  EngineCacheEntry: ["diskSpaceBytes", "createdTimeUnixNano", "mostRecentUseTimeUnixNano"],
  EngineCacheEntrySet: ["diskSpaceBytes"],
  JSONValue: ["asInteger"],
};

const longInt = new GraphQLNonNull(
  new GraphQLScalarType({ name: "Int", serialize: (value) => Math.trunc(Number(value)) }),
);

/**
 * Builds the schema of the embedded engine. Names, arguments and defaults are those of Dagger 0.21; unserved parts are
 * missing.
 */
export function buildApiSchema(): GraphQLSchema {
  const types = new Set(modules.map(({ name }) => name));
  types.delete("Query");
  const served = [...modules, loadersFor([...types])];
  const schema = buildSchema([commonSdl, ...served.map(({ sdl }) => sdl)].join("\n"));
  for (const { name, resolvers } of served) {
    const type = schema.getType(name);
    if (!isObjectType(type)) throw new Error(`no type ${name} in the schema`);
    const fields = type.getFields();
    for (const [field, resolver] of Object.entries(resolvers)) {
      if (fields[field] === undefined) throw new Error(`no field ${name}.${field} in the schema`);
      fields[field].resolve = adapt(resolver);
    }
    for (const field of longFields[name] ?? []) fields[field]!.type = longInt;
  }
  for (const type of Object.values(schema.getTypeMap())) {
    if (isInterfaceType(type)) type.resolveType = (value: { type: string }) => value.type;
    if (type instanceof GraphQLEnumType) applyAliases(type);
  }
  return schema;
}

/** Makes a resolver asynchronous, so that a chain of a thousand fields does not become a thousand nested calls. */
function adapt(resolver: Resolver<never>): GraphQLFieldResolver<unknown, Call> {
  return async (parent, args, call) => {
    call.signal.throwIfAborted();
    await breathe();
    const value = await resolver(parent as never, args as never, call);
    return Array.isArray(value) ? inTurns(value, call) : call.answered(value);
  };
}

/** Number of list items that are resolved in one turn of the event loop. */
const atATime = 100;

/** Resolves a list in batches, so that a long one does not block the event loop. */
function inTurns(values: readonly unknown[], call: Call): unknown[] {
  if (values.length <= atATime) return values.map(call.answered);
  let turn = Promise.resolve();
  return values.map((value, index) => {
    if (index % atATime === 0)
      turn = turn.then(async () => {
        call.signal.throwIfAborted();
        await breathe();
      });
    return turn.then(() => call.answered(value));
  });
}

function applyAliases(type: GraphQLEnumType): void {
  const aliases = enumAliases[type.name];
  if (aliases === undefined) return;
  const parse = type.parseLiteral.bind(type);
  type.parseLiteral = (node, variables) => {
    const value: unknown = parse(node, variables);
    return typeof value === "string" ? (aliases[value] ?? value) : value;
  };
}
