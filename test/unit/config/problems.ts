import { parseConfig } from "../../../src/config/parse.ts";

/** Returns the problems of a text, one on each line: `LINE:COLUMN PATH (LEVEL CODE) MESSAGE | HINT`. */
export const problemsOf = (text: string): string[] =>
  parseConfig(`version: 1\n${text}\n`).problems.map(
    ({ line, column, path, level, code, message, hint }) =>
      `${line}:${column} ${path} (${level} ${code}) ${message}${hint === undefined ? "" : ` | ${hint}`}`,
  );
