/** Generates the documentation of the commands, for the build and `tools/generate.mjs`. */
import { manuals } from "./manual.ts";
import { markdown } from "./markdown.ts";
import { readReference } from "./read.ts";

/** Returns the text of docs/reference.md. */
export async function referencePage(): Promise<string> {
  return markdown(await readReference(""));
}

/** Returns the man pages: file name -> text. */
export async function manualPages(version: string): Promise<Map<string, string>> {
  return manuals(await readReference(version));
}
