/**
 * Program of the function runtime (dist/function-runtime.js): loads one module and runs its function bodies until the
 * parent process ends.
 */
import { connectParent } from "./parent.ts";
import "./guard.ts";
import { createGQLClient, globalConnection } from "sdk:runtime";
import { Asks } from "./asks.ts";
import { calls } from "./call-context.ts";
import { captureOutput } from "./console.ts";
import { offerDependencies } from "./dependencies.ts";
import { offerExports } from "../exports/body-exports.ts";
import { describeError } from "./describe-error.ts";
import { Invoker, type ModuleNamespaces } from "./invoke.ts";
import type { FromRuntime, ToRuntime } from "./protocol.ts";
import { takesWorkspace } from "../workspace.ts";

const parent = connectParent();
const send = (message: FromRuntime): void => parent.send(message);

captureOutput(send);
process.setSourceMapsEnabled(true);
// The SDK's own frames come first; a lower limit would cut off the module's.
Error.stackTraceLimit = 60;
// Ctrl-C signals every process of the terminal, but the parent decides how a call ends.
process.on("SIGINT", () => {});

let invoker: Invoker | undefined;
let sourceDir = "";
const running = new Map<number, AbortController>();
const asks = new Asks(send);

parent.onMessage((message: ToRuntime) => {
  if (message.kind === "start") void start(message);
  else if (message.kind === "call") void call(message);
  else if (message.kind === "answer" || message.kind === "refusal") asks.settle(message);
  else running.get(message.id)?.abort(new Error("the call was cancelled"));
});

// A rejected promise that a body forgot must not end the other calls.
process.on("unhandledRejection", (reason) => {
  const { message, frames } = describeError(reason, sourceDir);
  send({ kind: "log", stream: "stderr", text: `unhandled rejection: ${[message, ...frames].join("\n    ")}\n` });
});

async function start(message: Extract<ToRuntime, { kind: "start" }>): Promise<void> {
  sourceDir = message.sourceDir;
  process.env.DAGGER_SESSION_PORT = String(message.port);
  process.env.DAGGER_SESSION_TOKEN = message.token;
  globalConnection.setGQLClient(createGQLClient(message.port, message.token));
  // A `connection()` inside a body would disconnect `dag` for all other calls when it ends.
  globalConnection.resetClient = () => {};
  offerExports(asks.ask);
  offerDependencies(message.dependencies, takesWorkspace(message.module), asks.ask);
  try {
    const { namespaces } = (await import(message.bundleUrl)) as { namespaces: ModuleNamespaces };
    invoker = new Invoker(message.module, namespaces);
    send({ kind: "ready" });
  } catch (error) {
    send({ kind: "broken", error: describeError(error, sourceDir) });
  }
}

async function call({ id, request }: Extract<ToRuntime, { kind: "call" }>): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const target = invoker;
    if (target === undefined) throw new Error("the module is not loaded");
    const context = { callId: request.callId, id, signal: controller.signal };
    send({ kind: "result", id, value: await calls.run(context, () => target.invoke(request)) });
  } catch (error) {
    send({ kind: "error", id, error: describeError(error, sourceDir) });
  } finally {
    running.delete(id);
  }
}
