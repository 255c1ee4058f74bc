import { parse } from "yaml";
import * as z from "zod";

const userConfigSchema = z.strictObject({
  rootCapabilities: z.boolean().optional().describe("Containers may have root capabilities on the embedded engine."),
});

/** Throws what is wrong with the text of the user's configuration. */
export function parseUserConfig(text: string): z.infer<typeof userConfigSchema> {
  return userConfigSchema.parse(parse(text) ?? {});
}
