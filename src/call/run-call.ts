/** Runs a parsed call in an open session: the module's steps in the function runtime, the rest as one query. */
import { isRecipeId, type QueryOptions } from "../engine/index.ts";
import { refuseGitsFiles } from "./changed-paths.ts";
import {
  coreSchema,
  type ExportTo,
  type FunctionRuntime,
  type ModuleInfo,
  type WorkspaceReader,
  type ReturnedValue,
} from "../module/index.ts";
import { chainOn, literal } from "./query.ts";
import { resolveArguments, resolveLiteral, type ResolveContext } from "./resolve-value.ts";
import type { FieldStep, OwnStep, ParsedCall } from "./types.ts";

export interface RunCallOptions extends Omit<ResolveContext, "query" | "engineFillsDefaults"> {
  runtime: FunctionRuntime;
  callId: string;
  signal: AbortSignal;
  /** Reads the workspace for functions that take one. */
  workspace: WorkspaceReader;
  /** Module of the function, if it is not the runtime's. */
  of?: ModuleInfo;
  /** The call comes from the repository, so its exports exclude git's own files, from which git would run programs. */
  isOfRepository?: boolean;
}

/** Patterns for `.git` in any case, for case-insensitive file systems. */
const gitsFiles = [".[gG][iI][tT]", "**/.[gG][iI][tT]"];

/**
 * Runs a call and returns the chain's value. A core object at the end is evaluated. If `-o` exports, the value is the
 * path that was written.
 */
export async function runCall(call: ParsedCall, context: RunCallOptions): Promise<ReturnedValue> {
  const query: QueryOptions = { signal: context.signal, callId: context.callId };
  const module = call.toolchain?.module ?? context.module;
  if (call.toolchain !== undefined) context = { ...context, module, of: module };
  const resolving: ResolveContext = {
    ...context,
    query,
    engineFillsDefaults: call.via === "module" && context.module.borrowed !== true,
  };
  let value: ReturnedValue | undefined;
  for (const step of call.own) value = await runOwnStep(step, value, resolving, context);
  // Only without any step: a function that returns nothing has already answered.
  if (value === undefined) value = await context.runtime.call({ ...everyCall(context), function: "", args: {} });
  return mapItems(value, (item) => runCore(call, item, resolving, context.isOfRepository === true));
}

async function runOwnStep(
  step: OwnStep | FieldStep,
  parent: ReturnedValue | undefined,
  resolving: ResolveContext,
  context: RunCallOptions,
): Promise<ReturnedValue> {
  const { runtime } = context;
  if (step.kind === "field") {
    const object = parent ?? (await runtime.call({ ...everyCall(context), function: "", args: {} }));
    return mapItems(object, (item) => fieldOf(item, step.name));
  }
  const args = await resolveArguments(step.fn.arguments, step.given, resolving);
  const call = { ...everyCall(context), object: step.object, function: step.fn.name, args };
  if (parent === undefined) return runtime.call(call);
  return mapItems(parent, (item) => runtime.call({ ...call, parent: item }));
}

function everyCall({
  callId,
  signal,
  workspace,
  of,
  session,
}: RunCallOptions): Pick<RunCallOptions, "callId" | "signal" | "workspace" | "of"> & { exportTo: ExportTo } {
  const exportTo = exportsOf(session, callId);
  return { callId, signal, workspace, exportTo, ...(of === undefined ? {} : { of }) };
}

/**
 * Exports objects for a body, which sends their ids: ids from the session are accepted, the body's own recipes are not.
 */
function exportsOf(session: RunCallOptions["session"], callId: string): ExportTo {
  return async (type, id, folder, signal) => {
    if (isRecipeId(id)) throw new Error("an id that describes calls is not exported");
    const into = type === "File" ? ", allowParentDirPath: true" : "";
    await session.query(chainOn(id, type, [`export(path: ${literal(folder)}${into})`]), {}, { signal, callId });
  };
}

/** Applies a step to each item of a list. */
async function mapItems(
  value: ReturnedValue,
  convert: (item: ReturnedValue) => ReturnedValue | Promise<ReturnedValue>,
): Promise<ReturnedValue> {
  if (value === null) return null;
  return Array.isArray(value) ? Promise.all(value.map((item) => mapItems(item, convert))) : convert(value);
}

function fieldOf(item: ReturnedValue, name: string): ReturnedValue {
  if (item === null || typeof item !== "object" || !("fields" in item)) return null;
  return item.fields[name] ?? null;
}

async function runCore(
  call: ParsedCall,
  value: ReturnedValue,
  context: ResolveContext,
  isOfRepository: boolean,
): Promise<ReturnedValue> {
  if (value === null || typeof value !== "object" || !("$id" in value)) return value;
  // A `sync` in the middle has no effect, as the rest of the chain evaluates everything before it.
  const steps = call.core.filter((step, index) => step.fn.name !== "sync" || index === call.core.length - 1);
  const chains = await Promise.all(
    steps.map(async ({ type, fn, given }) => {
      const args = await Promise.all(
        given.map(async (entry) => `${entry.argument.name}: ${await resolveLiteral(entry, context)}`),
      );
      const selection = args.length === 0 ? fn.name : `${fn.name}(${args.join(", ")})`;
      const isFiltered = isOfRepository && type === "Directory" && fn.name === "export";
      return isFiltered ? [`filter(exclude: ${literal(gitsFiles)})`, selection] : [selection];
    }),
  );
  const selections = chains.flat();
  const endsInSync = steps.at(-1)?.fn.name === "sync";
  const type = steps.at(-1)?.fn.returns ?? { kind: "object" as const, name: value.$type };
  const leafType = itemTypeName(type);
  if (leafType !== undefined && !endsInSync) selections.push(leafSelection(leafType, call.output));
  if (selections.length === 0) return value;
  const exported = steps.at(-1)?.fn.name === "export" ? steps.at(-1)?.type : leafType;
  // Nobody who agreed to changed files has agreed to files from which git runs programs.
  if (exported === "Changeset" && /^export\b/.test(selections.at(-1) ?? ""))
    await refuseGitsFiles(value, selections.slice(0, -1), context);
  const document = chainOn(value.$id, value.$type, selections);
  const answer = await context.session.query<unknown>(document, {}, context.query);
  const result = unwrap(answer, selections.length + 1);
  if (leafType === undefined || (call.output !== undefined && canExport(leafType))) return result;
  return asObjects(result, leafType);
}

/** Returns the name of the object type, also through lists; undefined for scalars. */
function itemTypeName(type: ParsedCall["returns"]): string | undefined {
  if (type.kind === "list") return itemTypeName(type.of);
  return type.kind === "object" ? type.name : undefined;
}

/** Reports whether `-o` can write such an object to the host. */
export function canExport(type: string): boolean {
  return (
    coreSchema()
      .type(type)
      ?.fields.export?.arguments.some((argument) => argument.name === "path") ?? false
  );
}

/** Returns the selection that ends a chain in an object: its export, its evaluation, or else its id. */
function leafSelection(type: string, output: string | undefined): string {
  const fields = coreSchema().type(type)?.fields;
  if (output !== undefined && canExport(type)) {
    const intoFolder = fields?.export?.arguments.some((argument) => argument.name === "allowParentDirPath") === true;
    return `export(path: ${literal(output)}${intoFolder ? ", allowParentDirPath: true" : ""})`;
  }
  return fields?.sync === undefined ? "id" : "sync";
}

/** Extracts the value from the nested answer, for each item of a list. */
function unwrap(answer: unknown, depth: number): ReturnedValue {
  if (depth === 0 || typeof answer !== "object" || answer === null) return answer as ReturnedValue;
  if (Array.isArray(answer)) return answer.map((item) => unwrap(item, depth));
  return unwrap(Object.values(answer)[0], depth - 1);
}

function asObjects(value: ReturnedValue, $type: string): ReturnedValue {
  if (Array.isArray(value)) return value.map((item) => asObjects(item, $type));
  return typeof value === "string" ? { $id: value, $type } : value;
}
