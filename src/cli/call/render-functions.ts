/** A module's functions as text, for `functions` and for the help of `call`. */
import { commandName, isRequired } from "../../call/index.ts";
import { kebabCase, type ArgumentInfo, type FunctionInfo, type ModuleInfo, type TypeRef } from "../../module/index.ts";

/** One line per function, in the order of the source; with `verbose` one more per argument. */
export function renderFunctions(module: ModuleInfo, verbose: boolean): string {
  const main = module.objects[module.mainObject];
  const functions = Object.values(main?.functions ?? {});
  const rows = functions.map((fn) => ({ fn, name: commandName(fn), text: [firstLine(fn.description), ...marks(fn)].filter((part) => part !== "").join(" ") }));
  const fields = Object.values(main?.fields ?? {}).filter((field) => field.exposed);
  const width = Math.max(0, ...rows.map((row) => row.name.length), ...fields.map((field) => kebabCase(field.alias ?? field.name).length));
  const lines: string[] = [];
  for (const { fn, name, text } of rows) {
    lines.push(`${name.padEnd(width)}  ${text}`.trimEnd());
    if (!verbose) continue;
    for (const argument of fn.arguments) lines.push(`  --${argumentLine(argument)}`);
    lines.push(`  returns ${typeName(fn.returns)}`);
  }
  for (const field of fields) lines.push(`${kebabCase(field.alias ?? field.name).padEnd(width)}  ${firstLine(field.description)}`.trimEnd());
  return lines.map((line) => `${line}\n`).join("");
}

/** `tier Tier = "fast"`, and where the value comes from when it is not given. */
export function argumentLine(argument: ArgumentInfo): string {
  const parts = [`${kebabCase(argument.name)} ${typeName(argument.type)}`];
  if (argument.defaultValue !== undefined) parts.push(`= ${JSON.stringify(argument.defaultValue)}`);
  if (argument.defaultPath !== undefined) parts.push(`from ${argument.defaultPath}`);
  if (argument.defaultAddress !== undefined) parts.push(`from ${argument.defaultAddress}`);
  if (argument.ignore !== undefined && argument.ignore.length > 0) parts.push(`without ${argument.ignore.join(", ")}`);
  if (isRequired(argument)) parts.push("(required)");
  const description = firstLine(argument.description);
  return description === "" ? parts.join(" ") : `${parts.join(" ")}: ${description}`;
}

/** `Directory`, `[string]`, as the documentation of the core API writes types. */
export function typeName(type: TypeRef): string {
  if (type.kind === "list") return `[${typeName(type.of)}]`;
  return "name" in type ? type.name : type.kind;
}

export function firstLine(text: string): string {
  return text.split("\n", 1)[0]?.trim() ?? "";
}

function marks(fn: FunctionInfo): string[] {
  const result: string[] = [];
  if (fn.isCheck) result.push("[check]");
  if (fn.isGenerate) result.push("[generate]");
  if (fn.isUp) result.push("[up]");
  if (fn.cache !== undefined) result.push(`[cache: ${fn.cache}]`);
  return result;
}
