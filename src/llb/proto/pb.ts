import { codecsOf } from "./codec.ts";
import { opsProto } from "./ops.ts";

/** The codecs of LLB alone, BuildKit's package `pb`. */
export const { codec, encodeCanonical } = codecsOf([opsProto]);
