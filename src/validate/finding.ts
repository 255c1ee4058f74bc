import type { CheckCode } from "./catalogue.ts";

/** A finding of a check, before its position in the file is known. */
export interface Found {
  code: CheckCode;
  message: string;
  hint?: string;
  /** Path in the configuration; undefined if the finding is about the module. */
  path?: readonly string[];
  /** Word in the value at `path`. */
  word?: string;
  /** `file:line` or `file:line:column`, if it is not in the configuration. */
  place?: string;
}
