import type { CheckCode } from "./catalogue.ts";

/** What a check finds, before its place in the file is looked up. */
export interface Found {
  code: CheckCode;
  message: string;
  hint?: string;
  /** In the configuration; undefined where the module is meant. */
  path?: readonly string[];
  /** The word of the value at `path`. */
  word?: string;
  /** `file:line` or `file:line:column`, where it is not in the configuration. */
  place?: string;
}
