import * as z from "zod";
import { configSchema } from "./schema.ts";

/** Returns the JSON schema of `fastloop.yaml` for editors: completion, hover texts, error markers. */
export function jsonSchema(): object {
  return z.toJSONSchema(configSchema, { io: "input" });
}
