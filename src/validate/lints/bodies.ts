import path from "node:path";
import { listModuleSources, type ModuleInfo } from "../../module/index.ts";
import { readRegular } from "../../paths/index.ts";
import type { Found } from "../finding.ts";

/** Node modules that access the host; `process` is matched below. */
const hostModules = new Set([
  "fs",
  "fs/promises",
  "child_process",
  "os",
  "net",
  "http",
  "https",
  "dgram",
  "dns",
  "cluster",
]);
const imported = /\b(?:from|import|require)\s*\(?\s*(["'])(?:node:)?([\w/]+)\1/g;
const used = /\bprocess\s*\.\s*(env|cwd|argv|exit|kill|platform|pid)\b/g;

/** Returns places in the module's sources that read the host, once for each file and API. */
export function bodiesReadHost(module: ModuleInfo): Found[] {
  // The user cannot change the module that fastloop brings.
  if (module.borrowed === true) return [];
  return listModuleSources(module).flatMap((file) => {
    const name = path.relative(module.root, file);
    return hostReads(readRegular(file).toString("utf8")).map(({ what, line, column }): Found => ({
      code: "body-reads-host",
      place: `${name}:${line}:${column}`,
      message: `\`${what}\` is nothing in an engine's container`,
      hint: "take it as an argument: a string, a Secret, a Directory",
    }));
  });
}

/** Returns what one source reads, each API once; exported for tests. */
export function hostReads(source: string): { what: string; line: number; column: number }[] {
  const code = withoutComments(source);
  const bare = withoutTexts(code);
  const found = [
    ...[...code.matchAll(imported)].flatMap((match) =>
      // An import inside a string does not count.
      hostModules.has(match[2] ?? "") &&
      bare.slice(match.index, match.index + 4) === code.slice(match.index, match.index + 4)
        ? [{ what: `node:${match[2]}`, at: match.index }]
        : [],
    ),
    ...[...bare.matchAll(used)].map((match) => ({ what: `process.${match[1]}`, at: match.index })),
  ];
  return found
    .filter(({ what }, index) => found.findIndex((other) => other.what === what) === index)
    .map(({ what, at }) => {
      const before = source.slice(0, at).split("\n");
      return { what, line: before.length, column: (before.at(-1) ?? "").length + 1 };
    });
}

/** Matches a comment, string or template of TypeScript, which is blanked to the same length. */
const tokens = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
const blank = (text: string): string => text.replaceAll(/[^\n]/g, " ");

const withoutComments = (source: string): string =>
  source.replaceAll(tokens, (token) => (token.startsWith("//") || token.startsWith("/*") ? blank(token) : token));

/** Templates stay, as they may contain code. */
const withoutTexts = (code: string): string =>
  code.replaceAll(tokens, (token) => (token.startsWith('"') || token.startsWith("'") ? blank(token) : token));
