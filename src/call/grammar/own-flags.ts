/** Options of `fastloop call` itself among the words of a call. */
import { UserError } from "../../errors/index.ts";
import type { ParsedCall } from "../types.ts";

/** Options of `call`; a function's argument of the same name takes precedence. */
export const ownFlags: Record<string, { takesValue: boolean; apply(call: ParsedCall, value: string): void }> = {
  output: { takesValue: true, apply: (call, value) => void (call.output = value) },
  json: { takesValue: false, apply: (call) => void (call.json = true) },
  help: { takesValue: false, apply: (call) => void (call.help = true) },
  "no-cache": { takesValue: false, apply: (call) => void (call.noCache = true) },
  verbose: { takesValue: false, apply: (call) => void (call.verbose = true) },
  silent: { takesValue: false, apply: (call) => void (call.silent = true) },
  trust: { takesValue: false, apply: (call) => void (call.trust = true) },
  "no-trust": { takesValue: false, apply: (call) => void (call.trust = false) },
  via: { takesValue: true, apply: (call, value) => void (call.via = viaOf(value)) },
  config: { takesValue: true, apply: (call, value) => void (call.config = value) },
  offline: { takesValue: false, apply: (call) => void (call.offline = true) },
  engine: { takesValue: true, apply: (call, value) => void (call.engine = value) },
  "buildkit-host": { takesValue: true, apply: (call, value) => void (call.buildkitHost = value) },
  // Read before parsing (`moduleOption`), or without effect but accepted for scripts written for `dagger call`.
  module: { takesValue: true, apply: () => {} },
  progress: { takesValue: true, apply: () => {} },
  quiet: { takesValue: false, apply: () => {} },
  "no-color": { takesValue: false, apply: () => {} },
};

/** Options that `dagger call` does not have, or that fastloop passes to it in another way. */
export const notDaggers = new Set([
  "via",
  "engine",
  "config",
  "offline",
  "buildkit-host",
  "no-cache",
  "no-color",
  "module",
  "trust",
  "no-trust",
]);

/** Short forms. */
export const shortFlags: Record<string, string> = {
  o: "output",
  j: "json",
  h: "help",
  v: "verbose",
  s: "silent",
  m: "module",
  q: "quiet",
};

function viaOf(text: string): ParsedCall["via"] {
  if (text === "host" || text === "module" || text === "call") return text;
  throw new UserError("usage", `host, module or call was expected, not "${text}"`, { place: "--via" });
}

/**
 * Returns the module that the words name. The module decides how all other words are parsed, so it is found first. `-m`
 * may be anywhere; `--module` after a function is an argument of that function.
 */
export function moduleOption(words: readonly string[]): string | undefined {
  for (const [index, word] of words.entries()) {
    if (word === "-m") return words[index + 1];
    if (/^-m./.test(word)) return word.slice(2).replace(/^=/, "");
  }
  return beforeFunctions(words, "--module");
}

/** Returns the configuration that the words name; it may in turn name the module. */
export function configOption(words: readonly string[]): string | undefined {
  return beforeFunctions(words, "--config");
}

function beforeFunctions(words: readonly string[], flag: string): string | undefined {
  for (const [index, word] of words.entries()) {
    if (word === flag) return words[index + 1];
    if (word.startsWith(`${flag}=`)) return word.slice(flag.length + 1);
    const previous = words[index - 1] ?? "";
    const isValue = previous.startsWith("-") && !previous.includes("=");
    if (!word.startsWith("-") && !isValue) return undefined;
  }
  return undefined;
}
