import type { Definition } from "./types.ts";
import { codec, encodeCanonical } from "./proto/pb.ts";
import { encodeSecretMount, resolverMount } from "./exec.ts";
import { withMadeFolders, type FolderMakingCopy } from "./made-folders.ts";
import { formatPlatform } from "./platform.ts";
import { opDigest, scratch, type State, type Vertex } from "./state.ts";
import { volumeKey } from "./volume-key.ts";
import type { WirePlatform } from "./wire.ts";

interface DecodedMount {
  dest: string;
  cache?: { id: string; sharing: number } | null;
  secret?: { id: string } | null;
}

interface DecodedExec {
  meta?: { args: string[] } | null;
  mounts: DecodedMount[];
  secretEnv: { id: string }[];
}

/** A source as BuildKit identifies it. */
export interface ImportedSource {
  identifier: string;
  attrs: Record<string, string>;
}

interface DecodedOp {
  inputs: { digest: string; index: string }[];
  exec?: DecodedExec | null;
  source?: Partial<ImportedSource> | null;
  platform?: WirePlatform | null;
}

const opCodec = codec<DecodedOp>("pb.Op");

/**
 * Id of a secret that every command of an imported definition asks for when its container is about to be created. It is
 * never provided, but the answer can be delayed.
 */
export const startSecretId = "fastloop-start";

/** Changes that an import makes to a definition. */
export interface ImportChanges {
  /** Ids of secrets by the name that the frontend uses. An id stands for the secret's value. */
  secretIds?: ReadonlyMap<string, string>;
  /** States that replace operations, by the operation's digest in the definition. */
  inPlaceOf?: ReadonlyMap<string, State>;
  /** Reports whether a copy into a folder copies a file. */
  isFile?: (copy: FolderMakingCopy) => boolean;
}

/**
 * Returns the final state of a definition made elsewhere, such as by a frontend. Its operations are kept byte for byte,
 * except those that are replaced, those whose copies create folders, the execs (which get what BuildKit leaves out of
 * their keys), and everything that depends on these.
 */
export function fromDefinition(
  definition: Definition | undefined,
  { secretIds = new Map(), inPlaceOf = new Map(), isFile = () => false }: ImportChanges = {},
): State {
  if (definition === undefined || definition.def.length === 0) return scratch;
  const ops = new Map(
    definition.def.map((bytes) => [opDigest(bytes), { bytes, inputs: opCodec.decode(bytes).inputs }]),
  );
  /** Vertices by their digest in the definition. */
  const vertices = new Map<string, Vertex>();
  const [last] = opCodec.decode(definition.def.at(-1)!).inputs;
  if (last === undefined) return scratch;
  const stack = [last.digest];
  for (let digest = stack.at(-1); digest !== undefined; digest = stack.at(-1)) {
    const op = ops.get(digest);
    if (op === undefined) throw new Error(`the definition has no operation ${digest}`);
    const missing = op.inputs.filter((input) => !vertices.has(input.digest));
    if (missing.length > 0) {
      stack.push(...missing.map((input) => input.digest));
      continue;
    }
    const inputs = new Map(op.inputs.map((input) => [input.digest, vertices.get(input.digest)!]));
    const bytes = withFullKey(onInputs(withMadeFolders(op.bytes, isFile), inputs), secretIds);
    vertices.set(
      digest,
      inPlaceOf.get(digest)?.vertex ?? {
        digest: opDigest(bytes),
        bytes,
        inputs: [...new Set(inputs.values())],
        metadata: definition.metadata[digest] ?? {},
      },
    );
    stack.pop();
  }
  return { vertex: vertices.get(last.digest)!, output: Number(last.index) };
}

/** Replaces the digests of an op's inputs. They occur in it as text, and the new ones have the same length. */
function onInputs(bytes: Uint8Array, inputs: ReadonlyMap<string, Vertex>): Uint8Array {
  const renamed = [...inputs].filter(([digest, vertex]) => digest !== vertex.digest);
  if (renamed.length === 0) return bytes;
  const result = Buffer.from(bytes);
  for (const [digest, vertex] of renamed) {
    for (let at = result.indexOf(digest); at >= 0; at = result.indexOf(digest, at + digest.length))
      result.write(vertex.digest, at);
  }
  return result;
}

function withFullKey(bytes: Uint8Array, secretIds: ReadonlyMap<string, string>): Uint8Array {
  const op = opCodec.decode(bytes);
  if (op.exec === undefined || op.exec === null) return bytes;
  const { mounts, secretEnv } = op.exec;
  const volumes = volumeKey(
    mounts.flatMap(({ dest, cache }) =>
      cache === undefined || cache === null ? [] : [{ destination: dest, ...cache }],
    ),
  );
  const secrets = [...mounts.flatMap(({ secret }) => secret ?? []), ...secretEnv];
  // A name without a secret stays without one, whatever another build of the session provided under it.
  for (const secret of secrets) secret.id = secretIds.get(secret.id) ?? `not-given:${secret.id}`;
  const start = { id: startSecretId, name: "FASTLOOP_START", optional: true };
  const exec = {
    ...op.exec,
    mounts: [...mounts, encodeSecretMount(resolverMount), ...volumes],
    secretEnv: [...secretEnv, start],
  };
  return encodeCanonical("pb.Op", { ...op, exec });
}

/** Returns the commands below a state, by the digest of their operation. */
export function commandsOf({ vertex }: State): Map<string, readonly string[]> {
  const commands = new Map<string, readonly string[]>();
  const seen = new Set<Vertex>();
  const stack = vertex === undefined ? [] : [vertex];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    if (seen.has(top)) continue;
    seen.add(top);
    stack.push(...top.inputs);
    const args = opCodec.decode(top.bytes).exec?.meta?.args;
    if (args !== undefined) commands.set(top.digest, args);
  }
  return commands;
}

/** Returns the sources of a definition, by the digest of their operation. */
export function sourcesOf({ def }: Definition): Map<string, ImportedSource> {
  return new Map(
    def.flatMap((bytes): [string, ImportedSource][] => {
      const { source } = opCodec.decode(bytes);
      return source ? [[opDigest(bytes), { identifier: source.identifier ?? "", attrs: source.attrs ?? {} }]] : [];
    }),
  );
}

/** Returns the ids of the cache volumes that a definition's commands mount. */
export function cacheIdsOf({ def }: Definition): string[] {
  return def.flatMap((bytes) =>
    (opCodec.decode(bytes).exec?.mounts ?? []).flatMap(({ cache }) => (cache ? [cache.id] : [])),
  );
}

/**
 * Reports whether any operation runs a command, including those of a frontend. Such work is worth more than copying
 * files.
 */
export function runsCommands({ def }: Definition): boolean {
  return def.some((bytes) => Boolean(opCodec.decode(bytes).exec));
}

/** An image that a definition reads. */
export interface ReadImage {
  /** Exactly what is read, with its digest. */
  reference: string;
  /** The same without the digest, if it has a tag. */
  address: string;
  platform: string;
}

/** Returns the images that a definition reads. */
export function imagesIn(definition: Definition | undefined): ReadImage[] {
  return (definition?.def ?? []).flatMap((bytes) => {
    const { source, platform } = opCodec.decode(bytes);
    const reference = /^docker-image:\/\/(.+)/.exec(source?.identifier ?? "")?.[1];
    return reference === undefined || platform === undefined || platform === null
      ? []
      : [{ reference, address: reference.replace(/(?<=:[^/@]*)@.*/, ""), platform: formatPlatform(platform) }];
  });
}
