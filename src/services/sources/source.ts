/** Creates the engine's service for a declared one, by running the function that returns it. */
import { randomUUID } from "node:crypto";
import path from "node:path";
import { CallWorkspace, parseCall, requirePath, runCall, workspaceAt } from "../../call/index.ts";
import { UserError } from "../../errors/index.ts";
import { TreeSync, type EngineSession } from "../../engine/index.ts";
import type { ArgumentInfo, FunctionInfo, FunctionRuntime, ModuleInfo, ReturnedValue } from "../../module/index.ts";
import { inputsOfCall } from "../../plan/index.ts";
import type { ContentHasher } from "../../tree/index.ts";
import type { DeclaredService } from "../types.ts";

/** A module and the runtime that runs its function bodies. */
export interface RunningModule {
  module: ModuleInfo;
  runtime: FunctionRuntime;
}

export interface SourceOptions {
  session: EngineSession;
  /** The project's folder. */
  root: string;
  /** Text that functions read as fastloop.yaml, instead of the project's file. */
  configText?: string | undefined;
  /** fastloop's own module, which creates services of the `services` section. */
  own: RunningModule;
  /** The project's module, if it has one. */
  project: RunningModule | undefined;
  hasher: ContentHasher;
  env: NodeJS.ProcessEnv;
  secretKey: Uint8Array;
  onSecret(plaintext: string, name: string): void;
}

/** The options that an edit of the project's description may replace. */
export type Described = Pick<SourceOptions, "project" | "configText">;

/** A service of the session; it need not have started. */
export interface MadeService {
  id: string;
  /** Id of the service that dependents are bound to instead of this one. */
  boundId?: string;
  /** Host name in the names of the service's steps. */
  hostname: string;
  /** Exposed TCP ports. */
  ports: readonly number[];
  /** Id of the project's directory that it was built from; only for entries of `services`. */
  tree?: string;
}

/** Functions of fastloop's own module: the first returns an entry of `services`, the second only its image. */
const ownFunction = "service";
const imageFunction = "serviceImage";

/** Creates services from declarations, with the module and the project's tree of the moment. */
export class ServiceSource {
  /** Patterns of files that configured services are not given. */
  readonly exclude: readonly string[];
  private options: SourceOptions;
  private readonly trees: TreeSync;

  constructor(options: SourceOptions) {
    this.options = options;
    const fn = options.own.module.objects[options.own.module.mainObject]?.functions[ownFunction];
    this.exclude = excludedOf(fn);
    this.trees = new TreeSync(options.session, { hasher: options.hasher });
  }

  /** Uses `next` for services created from now on. Returns the previous values, to undo it. */
  use(next: Described): Described {
    const { project, configText } = this.options;
    this.options = { ...this.options, ...next };
    return { project, configText };
  }

  /**
   * Creates a service without building anything. `needs` holds the services that were created before. Throws when the
   * function fails or does not return a Service or Container.
   */
  async make(
    service: DeclaredService,
    needs: ReadonlyMap<string, MadeService>,
    signal: AbortSignal,
  ): Promise<MadeService> {
    if (service.source.kind === "local") return { id: service.description, hostname: "", ports: [] };
    if (service.source.kind === "call")
      return this.asService(await this.called(service.source.words, signal), service, signal);
    const tree = await this.projectTree(signal);
    const made = await this.asService(await this.configured(service, tree, needs, signal), service, signal);
    return { ...made, tree };
  }

  /**
   * Builds the image of a configured service, which does not wait for its needs. What a function returns is built at
   * its start.
   */
  async build({ name }: DeclaredService, { tree }: MadeService, signal: AbortSignal): Promise<void> {
    if (tree === undefined) return;
    const { own, session } = this.options;
    const args = { source: { $id: tree }, name };
    const value = await own.runtime.call({ function: imageFunction, args, callId: randomUUID(), signal });
    const id = (value as { $id: string }).$id;
    await session.query("query Build($id: ID!) { node(id: $id) { ... on Container { sync } } }", { id }, { signal });
  }

  /** Sends the host's folders whole at the next `make`, because the engine has lost what it had of them. */
  forgetTrees(): void {
    this.trees.forget();
  }

  private async configured(
    { name, needs }: DeclaredService,
    tree: string,
    made: ReadonlyMap<string, MadeService>,
    signal: AbortSignal,
  ): Promise<ReturnedValue> {
    const { own } = this.options;
    const given = needs.flatMap((need) => made.get(need) ?? []);
    const args = {
      source: { $id: tree },
      name,
      needs: given.map(({ id, boundId = id }) => ({ $id: boundId })),
      needNames: needs.filter((need) => made.has(need)),
    };
    return own.runtime.call({ function: ownFunction, args, callId: randomUUID(), signal });
  }

  private async projectTree(signal: AbortSignal): Promise<string> {
    const tree = await this.trees.directory(this.options.root, { exclude: this.exclude }, { signal });
    return this.withConfig(tree.id, signal);
  }

  private async withConfig(id: string, signal: AbortSignal): Promise<string> {
    const { configText, session } = this.options;
    if (configText === undefined) return id;
    const document = `query WithConfig($id: ID!, $text: String!) {
      node(id: $id) { ... on Directory { withNewFile(path: "fastloop.yaml", contents: $text) { id } } }
    }`;
    type Answer = { node: { withNewFile: { id: string } } };
    return (await session.query<Answer>(document, { id, text: configText }, { signal })).node.withNewFile.id;
  }

  /**
   * Returns the files and folders that a call is given, relative to the project. Those outside of the project are not
   * watched, and left out.
   */
  static inputsOf({ source }: DeclaredService, module: ModuleInfo | undefined, root: string): string[] | undefined {
    if (source.kind !== "call" || module === undefined) return undefined;
    const call = parseCall(source.words, { module, cwd: root }, { ownOptions: false });
    const paths = inputsOfCall(call, module).map((input) => path.relative(root, input.path));
    return paths.filter((relative) => !relative.startsWith(".."));
  }

  private async called(words: readonly string[], signal: AbortSignal): Promise<ReturnedValue> {
    const { project, session, root, env, secretKey, onSecret } = this.options;
    if (project === undefined)
      throw new UserError("module", "there is no module that has this function", { place: words.join(" ") });
    const { module, runtime } = project;
    const call = parseCall(words, { module, cwd: root }, { ownOptions: false });
    const sent = inputsOfCall(call, module);
    const callId = randomUUID();
    const hostInput = async (input: { kind: "directory" | "file"; path: string }, argument: ArgumentInfo) => {
      requirePath(input.path, input.kind, argument);
      if (input.kind === "file") return (await this.trees.file(input.path, { signal, callId })).id;
      const { filter = {} } = sent.find(({ of, path }) => of === argument && path === input.path) ?? {};
      return (await this.trees.directory(input.path, filter, { signal, callId })).id;
    };
    const workspace = new CallWorkspace(workspaceAt(root), { trees: this.trees, query: { signal, callId } });
    const place = { env, cwd: root, secretKey };
    return runCall(call, { module, session, runtime, callId, signal, workspace, ...place, hostInput, onSecret });
  }

  private async asService(value: ReturnedValue, service: DeclaredService, signal: AbortSignal): Promise<MadeService> {
    const isObject = typeof value === "object" && value !== null && "$id" in value;
    if (!isObject || (value.$type !== "Service" && value.$type !== "Container"))
      throw new UserError("module", `\`${service.name}\` gives no Service`, {
        place: service.place,
        hint: "return a Service, or a Container with a command",
      });
    const { session } = this.options;
    let id = value.$id;
    if (value.$type === "Container") {
      const document =
        "query AsService($id: ID!) { node(id: $id) { ... on Container { asService(useEntrypoint: true) { id } } } }";
      id = (await session.query<{ node: { asService: { id: string } } }>(document, { id }, { signal })).node.asService
        .id;
    }
    const document =
      "query LookAtService($id: ID!) { node(id: $id) { ... on Service { hostname ports { port protocol } } } }";
    type Answer = { node: { hostname: string; ports: { port: number; protocol: string }[] } };
    const { node } = await session.query<Answer>(document, { id }, { signal });
    const ports = node.ports.filter(({ protocol }) => protocol === "TCP").map(({ port }) => port);
    return { id, hostname: node.hostname, ports };
  }
}

/** Returns the patterns of project files that a function is not given. */
export function excludedOf(fn: FunctionInfo | undefined): string[] {
  return [...(fn?.arguments.find(({ name }) => name === "source")?.ignore ?? []), "**/.fastloop"];
}
