/** From a described service to the engine's: the function that makes it is run, and says what it is. */
import { randomUUID } from "node:crypto";
import path from "node:path";
import { CallWorkspace, parseCall, requirePath, runCall, workspaceAt } from "../../call/index.ts";
import { UserError } from "../../errors/index.ts";
import { TreeSync, type EngineSession } from "../../engine/index.ts";
import type { ArgumentInfo, FunctionInfo, FunctionRuntime, ModuleInfo, ReturnedValue } from "../../module/index.ts";
import { inputsOfCall } from "../../plan/index.ts";
import type { ContentHasher } from "../../tree/index.ts";
import type { DeclaredService } from "../types.ts";

/** A module with the process of its bodies. */
export interface RunningModule {
  module: ModuleInfo;
  runtime: FunctionRuntime;
}

export interface SourceOptions {
  session: EngineSession;
  /** The project's folder. */
  root: string;
  /** What the functions read as fastloop.yaml, in place of the project's own. */
  configText?: string | undefined;
  /** Makes what `services` describes. */
  own: RunningModule;
  /** The project's module, where it has one. */
  project: RunningModule | undefined;
  hasher: ContentHasher;
  env: NodeJS.ProcessEnv;
  secretKey: Uint8Array;
  onSecret(plaintext: string, name: string): void;
}

/** What an edit of the project's description may replace. */
export type Described = Pick<SourceOptions, "project" | "configText">;

/** A service of the session. */
export interface MadeService {
  id: string;
  /** What others are bound to in its place. */
  boundId?: string;
  /** The name that its steps have. */
  hostname: string;
  /** What it exposes by TCP. */
  ports: readonly number[];
  /** The directory of the project that it was made of, where `services` describes it. */
  tree?: string;
}

/** The function of fastloop's own module that makes what `services` describes, and the one that makes its image alone. */
const ownFunction = "service";
const imageFunction = "serviceImage";

export class ServiceSource {
  /** What no configured service is made of. */
  readonly exclude: readonly string[];
  private options: SourceOptions;
  private readonly trees: TreeSync;

  constructor(options: SourceOptions) {
    this.options = options;
    const fn = options.own.module.objects[options.own.module.mainObject]?.functions[ownFunction];
    this.exclude = excludedOf(fn);
    this.trees = new TreeSync(options.session, { hasher: options.hasher });
  }

  /** Services are made of these from now on; gives what they were made of before. */
  use(next: Described): Described {
    const { project, configText } = this.options;
    this.options = { ...this.options, ...next };
    return { project, configText };
  }

  /** `needs` are those that were made before. Nothing is built. */
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

  /** Builds the image of a configured service, whatever it needs; what a function makes shows itself when it starts. */
  async build({ name }: DeclaredService, { tree }: MadeService, signal: AbortSignal): Promise<void> {
    if (tree === undefined) return;
    const { own, session } = this.options;
    const args = { source: { $id: tree }, name };
    const value = await own.runtime.call({ function: imageFunction, args, callId: randomUUID(), signal });
    const id = (value as { $id: string }).$id;
    await session.query("query Build($id: ID!) { node(id: $id) { ... on Container { sync } } }", { id }, { signal });
  }

  /** Sends the host's folders whole at the next `make`: what the engine had of them is lost. */
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

  /** The files and folders that a call is given, relative to the project; those elsewhere are not watched. */
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

/** What the function is not given of the project. */
export function excludedOf(fn: FunctionInfo | undefined): string[] {
  return [...(fn?.arguments.find(({ name }) => name === "source")?.ignore ?? []), "**/.fastloop"];
}
