import { codecsOf } from "./codec.ts";
import { opsProto } from "./ops.ts";

/** Codecs for LLB only, BuildKit's package `pb`. */
export const { codec, encodeCanonical } = codecsOf([opsProto]);
