/**
 * A module served by a Dagger engine and called over raw GraphQL, as `dagger call` does: its functions run in the
 * engine's own containers. It implements the interface of the function runtime, so callers need not know the
 * difference.
 */
import { UserError } from "../../errors/index.ts";
import {
  FunctionError,
  isGivenWorkspace,
  takesWorkspace,
  withDependencies,
  type ArgumentInfo,
  type FieldInfo,
  type RuntimeCall,
  type FunctionRuntime,
  type ModuleInfo,
  type ReturnedValue,
  type TypeRef,
} from "../../module/index.ts";
import { orAborted } from "../../async/index.ts";
import { ExecFailure, QueryError } from "../../graphql/index.ts";
import type { EngineSession, QueryOptions } from "../types.ts";
import { argumentText } from "./served-arguments.ts";
import { sameName, ServedSchema, type ServedField } from "./served-schema.ts";

/**
 * Serves the module as it is on disk now. An engine reads a module's sources once per session, so an edit needs a new
 * session.
 */
export function serveModule(session: EngineSession, module: ModuleInfo): FunctionRuntime {
  return new ServedModule(session, module);
}

class ServedModule implements FunctionRuntime {
  private readonly session: EngineSession;
  private readonly module: ModuleInfo;
  private readonly schema: ServedSchema;
  private served: Promise<unknown> | undefined;
  /**
   * Ids of objects from this session, keyed by value: an object of the module comes back as the parent of the next
   * call.
   */
  private readonly ids = new WeakMap<object, string>();

  constructor(session: EngineSession, module: ModuleInfo) {
    if (session.engine.kind !== "dagger") throw needsDagger();
    this.session = session;
    this.module = module;
    this.schema = new ServedSchema(session);
  }

  async call({ signal, callId, workspace, of, ...request }: RuntimeCall): Promise<ReturnedValue> {
    const options: QueryOptions = { callId, ...(signal === undefined ? {} : { signal }) };
    if (of !== undefined && of.root !== this.module.root)
      throw new UserError(
        "engine-unsupported",
        "functions of toolchains run beside the command line, or by `dagger call`",
        {
          place: of.name,
          hint: "leave out --via module, or use --via call",
        },
      );
    await this.serve(options);
    const { mainObject, objects, interfaces } = this.module;
    const object = request.object ?? mainObject;
    const isConstructor = request.function === "";
    const fn = isConstructor ? undefined : (objects[object] ?? interfaces[object])?.functions[request.function];
    if (!isConstructor && fn === undefined) throw new Error(`could not find method ${request.function}`);
    if (this.mayReadWorkspace(object, request.function)) workspace?.readByEngine();
    const returns: TypeRef = fn?.returns ?? { kind: "object", name: object };
    try {
      const root = await this.schema.field("Query", this.module.name, options);
      if (isConstructor) {
        const entry = await this.fieldText(root, objects[object]?.constructorArguments ?? [], request.args, options);
        return await this.ask("", [entry], root, returns, options);
      }
      const parentId = request.parent === undefined ? undefined : this.idOf(request.parent);
      const owner = parentId === undefined ? root.type.name : await this.typeOf(parentId, options);
      const field = await this.schema.field(owner, fn?.alias ?? request.function, options);
      const call = await this.fieldText(field, fn?.arguments ?? [], request.args, options);
      if (parentId !== undefined)
        return await this.ask(
          `node(id: ${JSON.stringify(parentId)})`,
          [`... on ${owner}`, call],
          field,
          returns,
          options,
        );
      const entry = await this.fieldText(
        root,
        objects[object]?.constructorArguments ?? [],
        request.constructorArgs ?? {},
        options,
      );
      return await this.ask("", [entry, call], field, returns, options);
    } catch (error) {
      throw error instanceof QueryError ? functionError(error, this.module, fn?.place) : error;
    }
  }

  /** Considers the function, the constructor before it, and functions of other modules that it may call. */
  private mayReadWorkspace(object: string, fn: string): boolean {
    const [own, ...others] = withDependencies(this.module);
    return [fn, ""].some((name) => isGivenWorkspace(own!, object, name)) || others.some(takesWorkspace);
  }

  /** Nothing to close: served modules end with the session. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  private serve(options: QueryOptions): Promise<unknown> {
    const document = `query ServeModule($root: String!) { moduleSource(refString: $root, disableFindUp: true) { asModule { serve } } }`;
    // Shared by all calls, so it must not depend on the cancellation of one of them.
    this.served ??= this.session
      .query(document, { root: this.module.root }, { callId: options.callId })
      .catch((error: unknown) => {
        this.served = undefined;
        throw error instanceof QueryError
          ? new UserError("module", error.message, { place: "dagger.json", cause: error })
          : error;
      });
    return orAborted(this.served, options.signal);
  }

  private async fieldText(
    field: ServedField,
    signature: readonly Pick<ArgumentInfo, "name" | "type" | "engineFills">[],
    given: Record<string, unknown>,
    options: QueryOptions,
  ): Promise<string> {
    const parts: string[] = [];
    for (const { name, type, engineFills } of signature) {
      if (engineFills === true || given[name] === undefined || given[name] === null) continue;
      const served = field.args.find((candidate) => sameName(candidate.name, name));
      if (served === undefined) throw new Error(`the engine's ${field.name} has no argument for ${name}`);
      parts.push(`${served.name}: ${await argumentText(given[name], type, served.type, this.schema, options)}`);
    }
    return parts.length === 0 ? field.name : `${field.name}(${parts.join(", ")})`;
  }

  /** Queries `path` and converts the value of its last field. */
  private async ask(
    start: string,
    path: readonly string[],
    field: ServedField,
    returns: TypeRef,
    options: QueryOptions,
  ): Promise<ReturnedValue> {
    const selection = await this.selection(field, returns, options);
    const document = [start, ...path, selection]
      .filter((part) => part !== "")
      .reduceRight((inner, part) => `${part} { ${inner} }`);
    const answer = await this.session.query<unknown>(`{ ${document} }`, {}, options);
    let value = answer;
    const fields = (start === "" ? 0 : 1) + path.filter((part) => !part.startsWith("... on ")).length;
    for (let depth = 0; depth < fields; depth++) value = Object.values(value as Record<string, unknown>)[0];
    return this.returned(value, returns, field.type.name);
  }

  /** Returns the selection of a result that is needed to show it and to call functions on it. */
  private async selection(field: ServedField, returns: TypeRef, options: QueryOptions): Promise<string> {
    if (!field.type.isObject) return "";
    const parts = await Promise.all(
      this.exposedFields(returns).map(async (info) => {
        const served = await this.schema.field(field.type.name, info.alias ?? info.name, options);
        const inner = await this.selection(served, info.type, options);
        return inner === "" ? served.name : `${served.name} { ${inner} }`;
      }),
    );
    return ["id", "__typename", ...parts].join(" ");
  }

  private exposedFields(type: TypeRef): FieldInfo[] {
    if (type.kind === "list") return this.exposedFields(type.of);
    const own = type.kind === "object" ? this.module.objects[type.name] : undefined;
    return Object.values(own?.fields ?? {}).filter((field) => field.exposed);
  }

  private returned(value: unknown, type: TypeRef, servedType: string): ReturnedValue {
    if (value === null || value === undefined) return null;
    if (Array.isArray(value))
      return value.map((item) => this.returned(item, type.kind === "list" ? type.of : type, servedType));
    if (typeof value !== "object") return this.scalar(value as string | number | boolean, type);
    const answer = value as Record<string, unknown> & { id: string; __typename: string };
    const info = type.kind === "object" ? this.module.objects[type.name] : undefined;
    if (info === undefined) return { $id: answer.id, $type: answer.__typename };
    const fields: Record<string, ReturnedValue> = {};
    for (const field of this.exposedFields(type)) {
      const name = field.alias ?? field.name;
      const served = Object.keys(answer).find((key) => sameName(key, name));
      fields[name] = this.returned(served === undefined ? null : answer[served], field.type, "");
    }
    const result = { $object: info.name, fields };
    this.ids.set(result, answer.id);
    return result;
  }

  private scalar(value: string | number | boolean, type: TypeRef): ReturnedValue {
    const item = type.kind === "list" ? type.of : type;
    if (item.kind !== "enum" || typeof value !== "string") return value;
    const members = Object.keys(this.module.enums[item.name]?.members ?? {});
    return members.find((member) => sameName(member, value)) ?? value;
  }

  private idOf(parent: ReturnedValue): string {
    if (typeof parent === "object" && parent !== null) {
      if ("$id" in parent) return parent.$id;
      const id = this.ids.get(parent);
      if (id !== undefined) return id;
    }
    throw new Error("this object was not given by the session that it is called in");
  }

  private async typeOf(id: string, options: QueryOptions): Promise<string> {
    const answer = await this.session.query<{ node: { __typename: string } }>(
      "query TypeOf($id: ID!) { node(id: $id) { __typename } }",
      { id },
      options,
    );
    return answer.node.__typename;
  }
}

export function needsDagger(): UserError {
  return new UserError(
    "engine-unsupported",
    "--via module needs a Dagger engine: the embedded engine does not serve modules",
    {
      hint: "leave it out: function bodies then run in a process of fastloop's, with the same results; only functions of other modules are missing there",
    },
  );
}

/** Converts a body's error. The engine reports no stack, but the function's location is known here. */
function functionError(error: QueryError, module: ModuleInfo, place: string | undefined): FunctionError {
  const exec =
    error instanceof ExecFailure
      ? { command: [...error.command], exitCode: error.exitCode, stdout: error.stdout, stderr: error.stderr }
      : undefined;
  return new FunctionError({ name: "Error", message: error.message, frames: [], exec }, module, { place });
}
