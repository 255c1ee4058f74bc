/** Sends what a body prints as events, so that it belongs to its call's log and never mixes with results. */
import { format } from "node:util";
import { calls } from "./call-context.ts";
import type { FromRuntime } from "./protocol.ts";

export function captureOutput(send: (message: FromRuntime) => void): void {
  const emit = (stream: "stdout" | "stderr", text: string): void => {
    send({ kind: "log", callId: calls.getStore()?.callId, stream, text });
  };
  for (const method of ["log", "info", "debug"] as const) {
    console[method] = (...parts: unknown[]) => emit("stdout", `${format(...parts)}\n`);
  }
  for (const method of ["error", "warn", "trace"] as const) {
    console[method] = (...parts: unknown[]) => emit("stderr", `${format(...parts)}\n`);
  }
  for (const stream of ["stdout", "stderr"] as const) {
    process[stream].write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
      emit(stream, typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8"));
      const done = rest.find((argument) => typeof argument === "function") as (() => void) | undefined;
      if (done !== undefined) setImmediate(done);
      return true;
    };
  }
}
