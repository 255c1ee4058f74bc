/** Renders a module's functions as text, for `functions` and for the help of `call`. */
import { commandName, flagName, isRequired } from "../../call/index.ts";
import {
  fieldName,
  type ArgumentInfo,
  type FunctionInfo,
  type ModuleInfo,
  type Toolchain,
  type TypeRef,
} from "../../module/index.ts";

/** Returns the module's functions, exposed fields and toolchains, in the engine's order: sorted by GraphQL name. */
export function functionNames({
  objects,
  mainObject,
  toolchains,
}: ModuleInfo): { name: string; description: string }[] {
  const { functions = {}, fields = {} } = objects[mainObject] ?? {};
  const own = [...Object.values(functions), ...Object.values(fields).filter(({ exposed }) => exposed)];
  const rows = own.map((each) => ({ ...each, name: commandName(each), key: fieldName(each.alias ?? each.name) }));
  const others = toolchains.map((each) => ({
    ...each,
    key: fieldName(each.name),
    description: toolchainSummary(each),
  }));
  return [...rows, ...others].toSorted((one, other) => (one.key < other.key ? -1 : 1));
}

/** Renders each function with its arguments, in source order. */
export function renderFunctions(module: ModuleInfo): string {
  const main = module.objects[module.mainObject];
  const functions = Object.values(main?.functions ?? {});
  const rows = functions.map((fn) => ({
    fn,
    name: commandName(fn),
    text: [summaryOf(fn.description), ...marks(fn)].filter((part) => part !== "").join(" "),
  }));
  const fields = Object.values(main?.fields ?? {}).filter((field) => field.exposed);
  const names = [...rows, ...module.toolchains].map(({ name }) => name.length);
  const width = Math.max(0, ...names, ...fields.map((field) => commandName(field).length));
  const lines: string[] = [];
  for (const { fn, name, text } of rows) {
    lines.push(`${name.padEnd(width)}  ${text}`.trimEnd());
    for (const argument of fn.arguments) lines.push(`  --${argumentLine(argument)}`);
    lines.push(`  returns ${typeName(fn.returns)}`);
  }
  for (const field of fields) {
    const mark = field.deprecated === undefined ? "" : ` ${deprecation(field.deprecated)}`;
    lines.push(`${commandName(field).padEnd(width)}  ${summaryOf(field.description)}${mark}`.trimEnd());
  }
  for (const toolchain of module.toolchains)
    lines.push(`${toolchain.name.padEnd(width)}  ${toolchainSummary(toolchain)} [toolchain]`);
  return lines.map((line) => `${line}\n`).join("");
}

export function toolchainSummary({ module }: Toolchain): string {
  return summaryOf(module.description || module.objects[module.mainObject]?.description || `the module ${module.name}`);
}

/** Returns a line such as `tier Tier = "fast"`, with the source of the value when it is not given. */
export function argumentLine(argument: ArgumentInfo): string {
  const parts = [`${flagName(argument)} ${typeName(argument.type)}`];
  if (argument.defaultValue !== undefined) parts.push(`= ${JSON.stringify(argument.defaultValue)}`);
  if (argument.defaultPath !== undefined) parts.push(`from ${argument.defaultPath}`);
  if (argument.defaultAddress !== undefined) parts.push(`from ${argument.defaultAddress}`);
  if (argument.ignore !== undefined && argument.ignore.length > 0) parts.push(`without ${argument.ignore.join(", ")}`);
  if (isRequired(argument)) parts.push("(required)");
  if (argument.engineFills === true) parts.push("filled in: what it reads of the repository");
  if (argument.deprecated !== undefined) parts.push(deprecation(argument.deprecated));
  const description = summaryOf(argument.description);
  return description === "" ? parts.join(" ") : `${parts.join(" ")}: ${description}`;
}

/** Returns a type as the documentation of the core API writes it: `Directory`, `[string]`. */
export function typeName(type: TypeRef): string {
  if (type.kind === "list") return `[${typeName(type.of)}]`;
  return "name" in type ? type.name : type.kind;
}

/**
 * Returns the first line of a description. If that line ends within a sentence, returns the whole sentences that fit in
 * it, but at least the first.
 */
export function summaryOf(text: string): string {
  const [paragraph = ""] = text.split(/\n\s*\n/, 1);
  const [line = "", ...more] = paragraph.split("\n").map((each) => each.trim());
  if (more.length === 0 || /[.!?:]$/.test(line)) return line;
  const joined = [line, ...more].join(" ");
  // A lower-case letter after the period continues the sentence, as in `e.g. this`.
  const [first = joined.length, ...others] = [...joined.matchAll(/(?<!^)[.!?](?=\s+[^a-z\s]|$)/g)].map(
    ({ index }) => index + 1,
  );
  return joined.slice(0, others.findLast((end) => end <= line.length) ?? first);
}

const deprecation = (reason: string): string => (reason === "" ? "[deprecated]" : `[deprecated: ${summaryOf(reason)}]`);

function marks(fn: FunctionInfo): string[] {
  const result: string[] = [];
  if (fn.deprecated !== undefined) result.push(deprecation(fn.deprecated));
  if (fn.isCheck) result.push("[check]");
  if (fn.isGenerate) result.push("[generate]");
  if (fn.isUp) result.push("[up]");
  if (fn.cache !== undefined) result.push(`[cache: ${fn.cache}]`);
  return result;
}
