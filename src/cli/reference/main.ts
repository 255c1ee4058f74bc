/** What the build and `tools/generate.mjs` write of the commands. */
import { manuals } from "./manual.ts";
import { markdown } from "./markdown.ts";
import { readReference } from "./read.ts";

/** The text of docs/reference.md. */
export async function referencePage(): Promise<string> {
  return markdown(await readReference(""));
}

/** Name of the file -> text, of each page for `man`. */
export async function manualPages(version: string): Promise<Map<string, string>> {
  return manuals(await readReference(version));
}
