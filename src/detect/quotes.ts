/** Reads how the repository's own formatter wants YAML, so that its check passes with what is written. */
import type { ProjectFiles } from "./types.ts";

const settings = /^(?:package\.json|\.prettierrc(?:\.[a-z0-9]+)?|prettier\.config\.[cm]?[jt]s)$/;

/** Reports whether Prettier's settings at the root ask for single quotes. */
export const wantsSingleQuotes = (files: ProjectFiles): boolean =>
  files.list
    .filter((file) => settings.test(file))
    .some((file) => /(?<![\w$])["']?singleQuote["']?\s{0,9}[:=]\s{0,9}true\b/.test(files.read(file)));
