import { createHash } from "node:crypto";
import type { Definition } from "./types.ts";
import { encodeCanonical } from "./proto/pb.ts";
import { parsePlatform } from "./platform.ts";
import type { WireOp } from "./wire.ts";

/**
 * Name of a step, and whether its cached result may be used. Neither is in a digest, because neither changes the
 * result.
 */
export interface StepOptions {
  /** Shown in status updates instead of BuildKit's own name. */
  name?: string;
  /** Run the step even when a cached result exists. */
  ignoreCache?: boolean;
  /** For example `linux/arm64`; the daemon's own platform when absent. */
  platform?: string;
}

/** One marshalled operation. Immutable: equal operations on equal inputs have equal digests. */
export interface Vertex {
  /** Digest of `bytes` (`sha256:…`), which identifies the vertex in BuildKit's status updates and errors. */
  readonly digest: string;
  readonly bytes: Uint8Array;
  readonly inputs: readonly Vertex[];
  readonly metadata: Definition["metadata"][string];
}

/** A file system: one output of a vertex, or the empty file system. */
export interface State {
  readonly vertex: Vertex | undefined;
  readonly output: number;
}

/** The empty file system. */
export const scratch: State = { vertex: undefined, output: 0 };

/** Returns the digest by which BuildKit identifies an encoded op. */
export function opDigest(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Collects the inputs of an op. An output is listed once, however often the op uses it. */
export class Inputs {
  readonly #states: { vertex: Vertex; output: number }[] = [];

  /** Returns the index of the input, or -1 for the empty file system. */
  add(state: State): number {
    const { vertex, output } = state;
    if (vertex === undefined) return -1;
    const known = this.#states.findIndex((input) => input.vertex.digest === vertex.digest && input.output === output);
    return known === -1 ? this.#states.push({ vertex, output }) - 1 : known;
  }

  get length(): number {
    return this.#states.length;
  }

  /** Marshals the op with the inputs collected so far. */
  vertex(op: Omit<WireOp, "inputs" | "platform">, options: StepOptions): Vertex {
    const bytes = encodeCanonical("pb.Op", {
      inputs: this.#states.map(({ vertex, output }) => ({ digest: vertex.digest, index: output })),
      ...op,
      ...(options.platform === undefined ? {} : { platform: parsePlatform(options.platform) }),
    });
    return {
      digest: opDigest(bytes),
      bytes,
      inputs: [...new Set(this.#states.map((input) => input.vertex))],
      metadata: {
        ...(options.name === undefined ? {} : { description: { "llb.customname": options.name } }),
        ...(options.ignoreCache === true ? { ignoreCache: true } : {}),
      },
    };
  }
}

/**
 * Marshals the graph below a state: inputs before their users, and last the op that names the result. The empty file
 * system becomes the empty definition.
 */
export function definition(state: State): Definition {
  if (state.vertex === undefined) return { def: [], metadata: {} };
  const def: Uint8Array[] = [];
  const metadata: Definition["metadata"] = {};
  const seen = new Set<string>();
  for (const vertex of topological(state.vertex, seen)) {
    def.push(vertex.bytes);
    if (Object.keys(vertex.metadata).length > 0) metadata[vertex.digest] = vertex.metadata;
  }
  def.push(encodeCanonical("pb.Op", { inputs: [{ digest: state.vertex.digest, index: state.output }] }));
  return { def, metadata };
}

/** Returns a state's digest, which is equal for equal graphs. */
export function stateDigest(state: State): string {
  return state.vertex === undefined ? "scratch" : `${state.vertex.digest}#${state.output}`;
}

/**
 * Yields vertices depth first, without recursion, because a chain of a few thousand edits must not exhaust the stack.
 */
function* topological(root: Vertex, seen: Set<string>): Generator<Vertex> {
  const stack: { vertex: Vertex; next: number }[] = [{ vertex: root, next: 0 }];
  seen.add(root.digest);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const input = top.vertex.inputs[top.next++];
    if (input === undefined) {
      stack.pop();
      yield top.vertex;
    } else if (!seen.has(input.digest)) {
      seen.add(input.digest);
      stack.push({ vertex: input, next: 0 });
    }
  }
}
