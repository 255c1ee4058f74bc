import path from "node:path/posix";
import { entitlementsOf } from "../../buildkit/index.ts";
import type { FrontendResult } from "../../buildkit/types.ts";
import type { Definition } from "../../llb/types.ts";
import {
  cacheIdsOf,
  commandsOf,
  copiesIntoFolders,
  definition,
  file,
  fromDefinition,
  onlyFrom,
  sourcesOf,
  type FolderMakingCopy,
  type State,
} from "../../llb/index.ts";
import { cacheNamespace } from "../container/cache-volume.ts";
import { emptyContainer } from "../container/from.ts";
import { ApiError, notServed, refusedOffline } from "../values/errors.ts";
import { requireReachableGit } from "../git/reach.ts";
import { httpTree, type HttpFile } from "../file/http-file.ts";
import { withoutIgnored } from "./dockerignore.ts";
import { onPlatforms } from "./build-platforms.ts";
import { emptyConfig, imagePorts, mergeImageConfig } from "../image/config.ts";
import { pathBelow } from "../values/paths.ts";
import { normalizePlatform } from "../values/platform.ts";
import { kindOf, notFound, withTree } from "../tree/read.ts";
import { loadAll, typeModule } from "../values/resolver.ts";
import { rootedTree, scratch } from "../values/rooted.ts";
import type { Call } from "../request/call.ts";
import { type Container, type Directory, type Secret, type Tree } from "../values/values.ts";

const sdl = /* GraphQL */ `
  "Key value object that represents a build argument."
  input BuildArg {
    name: String!
    value: String!
  }

  extend type Directory {
    dockerBuild(
      dockerfile: String = "Dockerfile"
      platform: Platform
      buildArgs: [BuildArg!] = []
      target: String = ""
      secrets: [ID!] = [] @expectedType(name: "Secret")
      noInit: Boolean = false
      ssh: ID @expectedType(name: "Socket")
    ): Container!
  }
`;

interface Arguments {
  dockerfile: string;
  platform?: string | null;
  buildArgs: { name: string; value: string }[];
  target: string;
  secrets: string[];
  noInit: boolean;
  ssh?: string | null;
}

/**
 * `Directory.dockerBuild`: BuildKit's built-in Dockerfile frontend creates the LLB, so the daemon needs no frontend
 * image.
 */
export const dockerBuildModule = typeModule<Directory>("Directory", sdl, {
  dockerBuild: async (directory, args: Arguments, call) => {
    if (args.ssh) throw notServed("Directory.dockerBuild(ssh)");
    const { session } = call;
    const platform = args.platform ? normalizePlatform(args.platform) : session.defaultPlatform;
    const secretIds = new Map<string, string>();
    for (const secret of loadAll<Secret>(call, args.secrets, "Secret")) {
      const { id } = await session.secrets.resolve(secret);
      secretIds.set(secretName(secret), id);
      session.secrets.alias(secretName(secret), id);
    }
    const dockerfile = pathBelow(directory.path, args.dockerfile);
    await withTree(call, directory.tree, async (reader) => {
      if ((await reader.stat(dockerfile)) === undefined) throw notFound("Dockerfile", args.dockerfile);
      session.passwords.nameIn([await reader.read(dockerfile), ...args.buildArgs.map(({ value }) => value)].join("\n"));
    });
    const context = rootedTree(await withoutIgnored(call, directory, dockerfile));
    const build = (): Promise<FrontendResult> =>
      session.runFrontend(call, {
        frontend: "dockerfile.v0",
        options: {
          filename: dockerfile.slice(directory.path === "/" ? 1 : directory.path.length + 1),
          platform,
          ...(args.target === "" ? {} : { target: args.target }),
          ...Object.fromEntries(args.buildArgs.map(({ name, value }) => [`build-arg:${name}`, value])),
          "build-arg:BUILDKIT_CACHE_MOUNT_NS": cacheNamespace(session.options),
          // The frontend believes that it already is the one that `# syntax=` names. Otherwise it would run the named
          // image as a program with BuildKit's rights.
          cmdline: "dockerfile.v0",
        },
        inputs: { context: input(call, context), dockerfile: input(call, rootedTree(directory)) },
      });
    const result = await onPlatforms(call, platform, build);
    // A Dockerfile often comes from somebody else, so it gets no entitlements that only a function may ask for.
    const [right] = entitlementsOf(result.definition === undefined ? [] : [result.definition]);
    if (right !== undefined)
      throw new ApiError(`the Dockerfile asks for the right ${right}, which is not given to Dockerfiles`);
    const made = await importDefinition(call, result.definition, secretIds, context);
    for (const [digest, args] of commandsOf(made)) session.dockerCommands.set(digest, args);
    const rootfs = treeOf(call, made);
    const empty = emptyContainer(platform);
    if (result.config === undefined) return { ...empty, rootfs };
    return {
      ...empty,
      rootfs,
      config: mergeImageConfig(emptyConfig, result.config),
      ports: imagePorts([], result.config),
    } satisfies Container;
  },
});

/**
 * Imports a Dockerfile's definition and keeps it within the limits of a function: `ADD URL` is fetched as by
 * `dag.http`, and only the project's caches may be mounted.
 */
async function importDefinition(
  call: Call,
  made: Definition | undefined,
  secretIds: ReadonlyMap<string, string>,
  context: Tree,
): Promise<State> {
  if (made === undefined) return fromDefinition(made);
  const namespace = cacheNamespace(call.session.options);
  const foreign = cacheIdsOf(made).find((id) => !id.startsWith(`${namespace}/`));
  if (foreign !== undefined)
    throw new ApiError(`the Dockerfile names the cache ${JSON.stringify(foreign)}, which is not the project's`);
  const fetched = new Map<string, State>();
  for (const [digest, { identifier, attrs }] of sourcesOf(made)) {
    if (call.session.options.offline === true && identifier.startsWith("git:"))
      throw refusedOffline(attrs["git.fullurl"] ?? identifier);
    if (/^https?:/.test(identifier))
      fetched.set(digest, call.session.compile(await httpTree(call, httpFileOf(identifier, attrs))));
    if (call.isBody && identifier.startsWith("git:")) await requireReachableGit(attrs["git.fullurl"] ?? identifier);
  }
  return fromDefinition(made, { secretIds, inPlaceOf: fetched, isFile: await filesCopied(call, made, context) });
}

/**
 * Returns a test for copies into a folder that copy files rather than folders, as far as their source is the context.
 * Copies by pattern count as copies of files.
 */
async function filesCopied(call: Call, made: Definition, context: Tree): Promise<(copy: FolderMakingCopy) => boolean> {
  const source = call.session.compile(context).vertex?.digest ?? "";
  const ofContext = onlyFrom(made, source);
  const names = new Set(
    copiesIntoFolders(made).flatMap((copy) => (ofContext.has(copy.from ?? "") && !copy.wildcard ? [copy.source] : [])),
  );
  const files = new Set<string>();
  if (names.size > 0)
    await withTree(call, context, async (reader) => {
      for (const name of names) {
        const stat = await reader.stat(path.join("/", name));
        if (stat !== undefined && kindOf(stat) === "REGULAR") files.add(name);
      }
    });
  return (copy) => copy.wildcard || (ofContext.has(copy.from ?? "") && files.has(copy.source));
}

function httpFileOf(url: string, attrs: Record<string, string>): HttpFile {
  const filename = path.basename(attrs["http.filename"] ?? new URL(url).pathname) || "index";
  const mode = Number.parseInt(attrs["http.perm"] ?? "0600", 8);
  const checksum = attrs["http.checksum"];
  return { url, filename, mode, ...(checksum === undefined ? {} : { checksum }) };
}

function input(call: Call, tree: Tree): ReturnType<typeof definition> & object {
  const llb =
    definition(call.session.compile(tree)) ??
    definition(file({ vertex: undefined, output: 0 }, [{ kind: "mkdir", path: "/empty" }]));
  if (llb === undefined) throw new Error("an input of a frontend needs a definition");
  return llb;
}

function treeOf(call: Call, state: State): Tree {
  return state.vertex === undefined ? scratch : { kind: "definition", key: call.session.remember(state) };
}

/** Returns the id that `RUN --mount=type=secret,id=…` uses for a secret. */
function secretName(secret: Secret): string {
  if (secret.uri === "") return secret.name;
  const name = secret.uri.slice(secret.uri.indexOf("://") + 3).split("?")[0];
  if (name === undefined || name === "") throw new ApiError("a secret of dockerBuild needs a name");
  return name;
}
