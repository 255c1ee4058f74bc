import type { Definition } from "../buildkit/types.ts";
import { codec } from "../buildkit/proto/codec.ts";
import { opDigest, scratch, type State, type Vertex } from "./state.ts";

const opCodec = codec<{ inputs: { digest: string; index: string }[]; exec?: object | null }>("pb.Op");

/** The state that a definition made elsewhere (by a frontend) ends in; its operations stay byte for byte what they are. */
export function fromDefinition(definition: Definition | undefined): State {
  if (definition === undefined || definition.def.length === 0) return scratch;
  const ops = new Map(definition.def.map((bytes) => [opDigest(bytes), { bytes, inputs: opCodec.decode(bytes).inputs }]));
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
    const inputs = [...new Set(op.inputs.map((input) => vertices.get(input.digest)!))];
    vertices.set(digest, { digest, bytes: op.bytes, inputs, metadata: definition.metadata[digest] ?? {} });
    stack.pop();
  }
  return { vertex: vertices.get(last.digest)!, output: Number(last.index) };
}

/** Whether any operation runs a command, a frontend's included: the work that is worth more than copying files. */
export function runsCommands({ def }: Definition): boolean {
  return def.some((bytes) => Boolean(opCodec.decode(bytes).exec));
}
