import { codecsOf, opsProto } from "../../llb/index.ts";
import { controlProto } from "./control.ts";
import { gatewayProto } from "./gateway.ts";
import { sessionProto } from "./session.ts";

/** Codecs for all messages of BuildKit's protocols. */
export const { codec } = codecsOf([opsProto, controlProto, gatewayProto, sessionProto]);
