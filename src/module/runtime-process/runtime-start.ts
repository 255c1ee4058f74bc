/** Starts one function runtime, handles its messages, and ends it. */
import { pathToFileURL } from "node:url";
import { bundleModule } from "./bundle.ts";
import type { CallerCall, DependencyCalls } from "./dependency-calls.ts";
import { FunctionError, runtimeErrorOf, moduleBroken } from "./function-error.ts";
import type { RuntimeModule, ToRuntime } from "../runtime/protocol.ts";
import { launchRuntime } from "./runtime-launch.ts";
import { parseFromRuntime, type Received } from "./runtime-messages.ts";
import type { FunctionRuntimeOptions } from "./function-runtime.ts";
import { readLines, writeLine } from "./line-channel.ts";
import { orAborted } from "../../async/index.ts";
import { checkReturned, UnexpectedValue } from "./returned-value.ts";
import type { ModuleInfo, ReturnedValue, TypeRef } from "../types.ts";

/** A module's top level that runs longer than this may never end. */
const defaultSlowLoadMs = 5000;

/** A call that waits for its result. */
export interface Pending {
  /** `file:line` of the function, for errors whose stack no longer shows it. */
  place: string | undefined;
  /** Declared type that the result is checked against. */
  returns: TypeRef;
  caller: CallerCall;
  /** Names of the dependencies that the body has called. */
  asked: Set<string>;
  /** Whether the function's signature has a workspace. */
  mayReadWorkspace: boolean;
  resolve: (value: ReturnedValue) => void;
  reject: (error: unknown) => void;
}

export interface Running {
  pending: Map<number, Pending>;
  send(message: ToRuntime): void;
  stop(): Promise<void>;
}

/** Starts Node while the module is bundled and the session opens; resolves when the module is loaded. */
export async function startRuntime(
  options: FunctionRuntimeOptions,
  dependencies: DependencyCalls,
  closing: AbortSignal,
  onExit: () => void,
): Promise<Running> {
  const { module, session, onLog, onNotice, slowLoadMs = defaultSlowLoadMs } = options;
  const env = options.env ?? process.env;
  const bundling = bundleModule(module, env);
  // The await below reports the error.
  bundling.catch(() => undefined);
  const { child, exited: over, channel, helper } = await launchRuntime(module, options, env);
  const pending = new Map<number, Pending>();
  let crashOutput = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    crashOutput = (crashOutput + text).slice(-4000);
  });
  child.stdout?.resume();
  const send = (message: ToRuntime): void => writeLine(channel, message);
  /** Set when fastloop ended the process itself: the reason. */
  let ended: string | undefined;
  const exited = over.then((how) => ended ?? how);
  const giveUp = (why: string): void => {
    ended ??= why;
    child.kill("SIGKILL");
  };
  void exited.then((how) => {
    onExit();
    const error = { name: "Error", message: `the process that ran the function ended (${how})`, frames: [] };
    for (const { reject, place } of pending.values())
      reject(new FunctionError(error, module, { place, output: crashOutput }));
  });

  const ready = new Promise<void>((resolve, reject) => {
    const receive = (message: Received): void => {
      if (message.kind === "ready") resolve();
      else if (message.kind === "broken") reject(moduleBroken(message.error, module));
      else if (message.kind === "log") onLog?.({ callId: message.callId, stream: message.stream, text: message.text });
      else if (message.kind === "ask") void ask(message);
      else answer(pending.get(message.id), message, module);
    };
    const ask = async (message: Extract<Received, { kind: "ask" }>): Promise<void> => {
      const call = pending.get(message.call);
      // Nobody waits for the requests of an ended call.
      if (call === undefined) return;
      if (dependencies.has(message.request.dependency)) call.asked.add(message.request.dependency);
      await dependencies.call(message.request, call.caller, call.mayReadWorkspace).then(
        (value) => send({ kind: "answer", ask: message.ask, value }),
        (error: unknown) => send({ kind: "refusal", ask: message.ask, error: runtimeErrorOf(error) }),
      );
    };
    readLines(
      channel,
      (line) => {
        const message = parseFromRuntime(line);
        if (message === undefined) giveUp("it sent a message that is none of fastloop's");
        else receive(message);
      },
      (why) => giveUp(`it sent ${why}`),
    );
    void exited.then((how) => {
      const error = {
        name: "Error",
        message: `the module could not be loaded: its process ended (${how})`,
        frames: [],
      };
      reject(moduleBroken(error, module, crashOutput));
    });
  });
  // The process may end while the module is still being bundled, when nothing awaits `ready` yet.
  ready.catch(() => {});
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  let slowLoad: NodeJS.Timeout | undefined;
  try {
    const [bundle, access] = await orAborted(Promise.all([bundling, session]), closing);
    await helper?.allow(access.port);
    send({
      kind: "start",
      bundleUrl: pathToFileURL(bundle.file).href,
      module: runtimeModule(module),
      dependencies: dependencies.clients,
      sourceDir: module.sourceDir,
      ...access,
    });
    slowLoad = setTimeout(
      () =>
        onNotice?.(
          `the module ${module.name} is still loading after ${slowLoadMs / 1000} s: its top level has not ended; Ctrl-C ends it`,
        ),
      slowLoadMs,
    );
    await orAborted(ready, closing);
  } catch (error) {
    await stop();
    throw error;
  } finally {
    clearTimeout(slowLoad);
  }
  return { pending, send, stop };
}

/** Returns the part of a module that the runtime needs. */
function runtimeModule({ name, mainObject, objects, enums, interfaces }: ModuleInfo): RuntimeModule {
  return { name, mainObject, objects, enums, interfaces };
}

/** Settles a call; an answer without a pending call belongs to one that was given up. */
function answer(
  call: Pending | undefined,
  message: Extract<Received, { id: number }>,
  module: FunctionRuntimeOptions["module"],
): void {
  if (call === undefined) return;
  const fail = (error: ConstructorParameters<typeof FunctionError>[0]): void =>
    call.reject(new FunctionError(error, module, { place: call.place }));
  if (message.kind === "error") return fail(message.error);
  try {
    call.resolve(checkReturned(message.value, call.returns, module));
  } catch (error) {
    if (!(error instanceof UnexpectedValue)) throw error;
    fail({ name: "Error", message: `the function returned ${error.message}`, frames: [] });
  }
}
