import * as z from "zod";
import { configSchema } from "./schema.ts";

/** The schema of `fastloop.yaml` for editors: completion, hover texts, red lines. */
export function jsonSchema(): object {
  return z.toJSONSchema(configSchema, { io: "input" });
}
