/** Completes the next word of a call: functions, flags, or values of a flag. */
import { choicesOf, flagName, isSupported, parseCall, servedMember, type ParsedCall } from "../../call/index.ts";
import type { ArgumentInfo, ModuleInfo } from "../../module/index.ts";
import { summaryOf, toolchainSummary } from "./render-functions.ts";

export interface Candidate {
  word: string;
  text: string;
}

/**
 * Returns candidates. `before` are the complete words after `call`, `partial` the one being typed. An empty result lets
 * the shell offer files.
 */
export function completeCall(before: readonly string[], partial: string, module: ModuleInfo, cwd: string): Candidate[] {
  const last = before.at(-1) ?? "";
  if (/^--[^=]+$/.test(last)) {
    const argument = argumentsAt(tryParse(before.slice(0, -1), module, cwd)).find(
      (candidate) => `--${flagName(candidate)}` === last,
    );
    if (argument !== undefined && argument.type.kind !== "boolean") return valuesOf(argument, module);
  }
  const call = tryParse(before, module, cwd);
  if (call === undefined) return [];
  if (partial.startsWith("-")) {
    return argumentsAt(call)
      .filter((argument) => isSupported(argument.type, module))
      .map((argument) => ({ word: `--${flagName(argument)}`, text: summaryOf(argument.description) }));
  }
  const choices = choicesOf(call.returns, call.toolchain?.module ?? module);
  const toolchains = before.length === 0 ? module.toolchains : [];
  return [
    ...toolchains.map((each) => ({ word: each.name, text: toolchainSummary(each) })),
    ...[...(choices?.functions ?? []), ...(choices?.fields ?? [])].map(([word, { description }]) => ({
      word,
      text: summaryOf(description),
    })),
  ];
}

/** Parses words whose required arguments may still be missing, which `--help` allows. */
function tryParse(words: readonly string[], module: ModuleInfo, cwd: string): ParsedCall | undefined {
  try {
    return parseCall([...words, "--help"], { module, cwd });
  } catch {
    return undefined;
  }
}

function argumentsAt(call: ParsedCall | undefined): ArgumentInfo[] {
  const step = call?.core.at(-1) ?? call?.own.at(-1);
  return step === undefined || step.kind === "field" ? [] : step.fn.arguments;
}

function valuesOf({ type }: ArgumentInfo, module: ModuleInfo): Candidate[] {
  const item = type.kind === "list" ? type.of : type;
  if (item.kind === "enum") {
    const members = Object.values(module.enums[item.name]?.members ?? {});
    return members.map(({ name, description }) => ({ word: servedMember(name), text: summaryOf(description) }));
  }
  if (item.kind === "scalar" && item.name === "Platform") {
    return ["linux/amd64", "linux/arm64", "current"].map((word) => ({ word, text: "" }));
  }
  return [];
}
