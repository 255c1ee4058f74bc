/** Formats findings for a terminal and for GitHub. */
import { printableLines } from "../text/index.ts";
import type { Finding } from "./validate.ts";

/** Returns `file:line:col: code: message`, with the hint below. */
export function findingText({ place, code, severity, message, hint }: Finding): string {
  const head = `${place}: ${severity === "warning" ? "warning: " : ""}${code}: ${message}`;
  return printableLines(hint === undefined ? head : `${head}\n  hint: ${hint}`);
}

/** Returns a GitHub workflow command, which GitHub shows at the line in the pull request. */
export function annotation({ severity, file, line, column, place, code, message, hint }: Finding): string {
  const [, inModule, moduleLine, moduleColumn] = /^(.+?):(\d+)(?::(\d+))?$/.exec(place) ?? [];
  const at = {
    file: file ?? inModule ?? place,
    line: line ?? moduleLine,
    col: column ?? moduleColumn,
    title: code,
  };
  const properties = Object.entries(at)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${property(String(value))}`);
  return `::${severity} ${properties.join(",")}::${data(hint === undefined ? message : `${message} (${hint})`)}`;
}

const data = (text: string): string => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
const property = (text: string): string => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
