import { codecsOf, opsProto } from "../../llb/index.ts";
import { controlProto } from "./control.ts";
import { gatewayProto } from "./gateway.ts";
import { sessionProto } from "./session.ts";

/** The codecs of all that is said to a BuildKit daemon. */
export const { codec } = codecsOf([opsProto, controlProto, gatewayProto, sessionProto]);
