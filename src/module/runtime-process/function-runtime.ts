/** Starts, feeds and restarts the function runtime; the only part of the CLI that knows how bodies run. */
import type { BoundaryOptions } from "../boundary/boundary.ts";
import { AskedModules } from "./asked-modules.ts";
import { bundlePlace } from "./bundle.ts";
import { DependencyCalls, type FillDefaults } from "./dependency-calls.ts";
import type { ExportTo } from "../exports/exported-files.ts";
import type { CallRequest } from "../runtime/protocol.ts";
import { startRuntime, type Running } from "./runtime-start.ts";
import { orAborted } from "../../async/index.ts";
import type { ModuleInfo, ReturnedValue } from "../types.ts";
import { isGivenWorkspace, type WorkspaceReader } from "../workspace.ts";

/** Longest wait for a body that ignores its cancellation. */
const cancelGraceMs = 2000;

export interface RuntimeCall extends CallRequest {
  signal?: AbortSignal;
  /** Toolchain of the runtime's module to call instead; it has a process of its own. */
  of?: ModuleInfo;
  /** Reads the workspace, for functions that declare one. */
  workspace?: WorkspaceReader;
  /** Writes what a body exports, so that it can be sent to the body; if absent, a body cannot export. */
  exportTo?: ExportTo;
}

/** Output of a body. */
export interface RuntimeLog {
  /** Undefined for output outside any call, such as a module's top level. */
  callId?: string;
  stream: "stdout" | "stderr";
  text: string;
}

export type ExpectedCall = Pick<RuntimeCall, "of" | "object" | "function">;

interface SessionAccess {
  port: number;
  token: string;
}

export interface FunctionRuntimeOptions extends BoundaryOptions {
  module: ModuleInfo;
  /** Access to `EngineSession.body`, which bodies use. The session may still be opening while the process starts. */
  session: SessionAccess | Promise<SessionAccess>;
  onLog?: (log: RuntimeLog) => void;
  /** Called once if loading the module takes longer than `slowLoadMs` (default 5000). */
  onNotice?: (text: string) => void;
  slowLoadMs?: number;
  env?: NodeJS.ProcessEnv;
  /** The first expected call: the dependency processes that it needs start together with the module's own. */
  expects?: ExpectedCall;
  /** Provides `defaultPath` values for functions of dependencies; if absent, they get none. */
  defaults?: FillDefaults;
}

/** A warm process that runs the bodies of one module. Calls may run in parallel. */
export interface FunctionRuntime {
  /**
   * Throws `FunctionError` when the body fails, `UserError` when the module does not load, and the signal's reason when
   * aborted.
   */
  call(call: RuntimeCall): Promise<ReturnedValue>;
  close(): Promise<void>;
}

export function startFunctionRuntime(options: FunctionRuntimeOptions): FunctionRuntime {
  const runtime = new Runtime(options, new DependencyRuntimes());
  if (options.expects !== undefined) runtime.expect(options.expects);
  return runtime;
}

/** Processes of the direct and indirect dependencies of a module: one for each, started when first needed. */
class DependencyRuntimes {
  private readonly runtimes = new Map<string, Runtime>();
  private isClosed = false;

  of(module: ModuleInfo, options: FunctionRuntimeOptions): FunctionRuntime {
    // A running body may still ask for one, but nobody would end its process.
    if (this.isClosed) throw closedError();
    const known = this.runtimes.get(module.root);
    if (known !== undefined) return known;
    const runtime = new Runtime({ ...options, module }, this);
    this.runtimes.set(module.root, runtime);
    // A called dependency calls its own dependencies, so all these processes start in parallel.
    for (const below of module.dependencies) if ("module" in below) this.of(below.module, options);
    return runtime;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    const runtimes = [...this.runtimes.values()];
    this.runtimes.clear();
    await Promise.all(runtimes.map((runtime) => runtime.close()));
  }
}

class Runtime implements FunctionRuntime {
  private readonly options: FunctionRuntimeOptions;
  private running: Promise<Running> | undefined;
  private readonly closing = new AbortController();
  private readonly others: DependencyRuntimes;
  private readonly dependencies: DependencyCalls;
  /** Undefined without dependencies. */
  private readonly asked: AskedModules | undefined;
  private nextId = 1;

  constructor(options: FunctionRuntimeOptions, others: DependencyRuntimes) {
    this.options = options;
    this.others = others;
    this.dependencies = new DependencyCalls(options.module, {
      runtimeOf: (module) => others.of(module, options),
      defaults: options.defaults,
    });
    if (options.module.dependencies.length > 0)
      this.asked = new AskedModules(bundlePlace(options.module, options.env ?? process.env));
    // Whoever opens the session handles its failure; the process may fail before it uses the session.
    Promise.resolve(options.session).catch(() => undefined);
    // Starts the process right away; the first caller sees the error.
    this.start().catch(() => {});
  }

  async call({ of, ...call }: RuntimeCall): Promise<ReturnedValue> {
    if (of !== undefined && of.root !== this.options.module.root) return this.others.of(of, this.options).call(call);
    const { signal, workspace, exportTo, ...request } = call;
    signal?.throwIfAborted();
    this.closing.signal.throwIfAborted();
    const { objects, interfaces, mainObject } = this.options.module;
    const object = request.object ?? mainObject;
    this.expect(request);
    const running = await orAborted(this.start(), signal);
    const id = this.nextId++;
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    // Also cancels the body's requests to dependencies: an ended call waits for nothing.
    const over = new AbortController();
    const asked = new Set<string>();
    const caller = {
      callId: request.callId,
      signal: signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]),
      ...(workspace === undefined ? {} : { workspace }),
      ...(exportTo === undefined ? {} : { exportTo }),
    };
    try {
      return await new Promise<ReturnedValue>((resolve, reject) => {
        onAbort = () => {
          running.send({ kind: "cancel", id });
          timer = setTimeout(() => reject(abortReason(signal)), cancelGraceMs);
        };
        signal?.addEventListener("abort", onAbort, { once: true });
        const fn = (objects[object] ?? interfaces[object])?.functions[request.function];
        running.pending.set(id, {
          resolve,
          reject,
          place: fn?.place,
          returns: fn?.returns ?? { kind: "object", name: object },
          caller,
          asked,
          mayReadWorkspace: isGivenWorkspace(this.options.module, object, request.function),
        });
        running.send({ kind: "call", id, request });
      });
    } catch (error) {
      throw signal?.aborted === true ? abortReason(signal) : error;
    } finally {
      clearTimeout(timer);
      running.pending.delete(id);
      over.abort(new Error("the call that asked for it is over"));
      this.dependencies.forget(caller);
      // A cancelled call may not have reached all of its dependencies.
      if (signal?.aborted !== true) this.asked?.learn(this.keyOf(request), asked);
      if (onAbort !== undefined) signal?.removeEventListener("abort", onAbort);
    }
  }

  expect({ of, ...call }: ExpectedCall): void {
    if (of !== undefined && of.root !== this.options.module.root) return void this.others.of(of, this.options);
    const names = this.asked?.of(this.keyOf(call)) ?? [];
    for (const dependency of this.options.module.dependencies)
      if ("module" in dependency && names.includes(dependency.name)) this.others.of(dependency.module, this.options);
  }

  async close(): Promise<void> {
    this.closing.abort(closedError());
    const own = this.running?.then((running) => running.stop()).catch(() => undefined);
    await Promise.all([own, this.others.close()]);
  }

  private keyOf({ object = this.options.module.mainObject, function: name }: ExpectedCall): string {
    return `${object}.${name}`;
  }

  private start(): Promise<Running> {
    if (this.closing.signal.aborted) return Promise.reject(closedError());
    if (this.running === undefined) {
      const onExit = (): void => {
        if (this.running === starting) this.running = undefined;
      };
      const starting = startRuntime(this.options, this.dependencies, this.closing.signal, onExit);
      this.running = starting;
      starting.catch(() => {
        if (this.running === starting) this.running = undefined;
      });
    }
    return this.running;
  }
}

const closedError = (): Error => new Error("the function runtime is closed");

function abortReason(signal: AbortSignal | undefined): unknown {
  return signal?.reason ?? new Error("the call was cancelled");
}
