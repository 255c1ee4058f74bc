import { parse } from "yaml";
import * as z from "zod";

const userConfigSchema = z.strictObject({
  rootCapabilities: z.boolean().optional().describe("Containers may have root capabilities on the embedded engine."),
});

/** Parses the user's configuration. Throws what is wrong with it. */
export function parseUserConfig(text: string): z.infer<typeof userConfigSchema> {
  return userConfigSchema.parse(parse(text) ?? {});
}
