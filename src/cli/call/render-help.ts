/** Renders the help for a point in a chain: what can be called there, and the arguments of the function before it. */
import { choicesOf, commandName, isRequired, isSupported, servedMember, type ParsedCall } from "../../call/index.ts";
import type { FunctionInfo, ModuleInfo } from "../../module/index.ts";
import { argumentLine, summaryOf, toolchainSummary } from "./render-functions.ts";

/** Returns the help text for the point that a parsed call has reached. */
export function renderCallHelp(call: ParsedCall, module: ModuleInfo): string {
  const last = call.core.at(-1) ?? call.own.filter((step) => step.kind === "function").at(-1);
  const isStart = call.core.length === 0 && call.own.every((step) => step.kind === "function" && step.fn.name === "");
  const fn = last?.fn;
  const path = [
    ...(call.toolchain === undefined ? [] : [call.toolchain.name]),
    ...[...call.own, ...call.core]
      .map((step) => commandName(step.kind === "field" ? step : step.fn))
      .filter((name) => name !== ""),
  ];
  const choices = choicesOf(call.returns, module);
  const sections = [
    isStart ? module.description || module.objects[module.mainObject]?.description || "" : (fn?.description ?? ""),
    `Usage: ${["fastloop call", ...path].join(" ")}${fn !== undefined && fn.arguments.length > 0 ? " [ARGUMENTS]" : ""}${
      choices === undefined ? "" : " FUNCTION"
    }`,
    fn === undefined ? "" : argumentSection(fn, module),
    choices === undefined
      ? ""
      : section("Functions", [
          ...[...choices.functions].map(([name, entry]): [string, string] => [name, summaryOf(entry.description)]),
          ...[...choices.fields].map(([name, entry]): [string, string] => [name, summaryOf(entry.description)]),
          ...(isStart && call.toolchain === undefined ? module.toolchains : []).map((each): [string, string] => [
            each.name,
            toolchainSummary(each),
          ]),
        ]),
    ownOptions(),
    isStart ? examples() : "",
  ];
  return `${sections.filter((text) => text !== "").join("\n\n")}\n`;
}

/** Returns the options of `fastloop call` itself; all others belong to the module. */
export const ownOptions = (): string =>
  section("Options", [
    ["-o, --output PATH", "save the result to a file or folder"],
    ["-j, --json", "print the result as JSON"],
    ["    --no-cache", "run even if nothing changed since the last call"],
    [
      "    --via WAY",
      "run bodies in a process of fastloop (host), in a Dagger engine (module), or with dagger call (call)",
    ],
    ["-v, --verbose", "show the output of commands"],
    ["    --config FILE", "configuration (default: the nearest fastloop.yaml in this folder or above)"],
    ["    --offline", "use no network; what needs it fails at once"],
    ["-s, --silent", "show no progress"],
  ]);

export const examples = (): string =>
  section("Examples", [
    ["fastloop call build-base --platform linux/arm64", ""],
    ["fastloop call test --source . --tier fast", ""],
    ["fastloop call build-dev file --path /etc/os-release contents", ""],
    ["fastloop call build-dev -o image.tar", ""],
  ]);

function argumentSection(fn: FunctionInfo, module: ModuleInfo): string {
  const supported = fn.arguments.filter((argument) => isRequired(argument) || isSupported(argument.type, module));
  return section(
    "Arguments",
    supported.map((argument): [string, string] => [
      `--${argumentLine(argument)}${enumHint(argument.type, module)}`,
      "",
    ]),
  );
}

function enumHint(type: FunctionInfo["returns"], module: ModuleInfo): string {
  if (type.kind !== "enum") return "";
  const members = Object.keys(module.enums[type.name]?.members ?? {});
  return members.length === 0 ? "" : ` (${members.map(servedMember).join(", ")})`;
}

function section(title: string, rows: [string, string][]): string {
  if (rows.length === 0) return "";
  const width = Math.max(...rows.map(([left, right]) => (right === "" ? 0 : left.length)));
  return [`${title}:`, ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd())].join("\n");
}
