import vm from "node:vm";

/** Longest time that one call of an extension's function may compute. */
const computeMs = 10_000;

const slot = Symbol.for("fastloop.extension-call");
let script: vm.Script | undefined;

/**
 * Calls a function, and throws when it computes for longer, or when the user interrupts it: no signal handler runs while
 * it does. Only its synchronous part is limited.
 */
export function withinComputeTime<T>(call: () => T, limitMs: number = computeMs): T {
  script ??= new vm.Script(`globalThis[Symbol.for(${JSON.stringify(slot.description)})]()`);
  const place = globalThis as unknown as Record<symbol, unknown>;
  const before = place[slot];
  place[slot] = call;
  try {
    return script.runInThisContext({ timeout: limitMs, breakOnSigint: true }) as T;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ERR_SCRIPT_EXECUTION_TIMEOUT")
      throw new Error(`it computed for ${limitMs / 1000} s`, { cause: error });
    if (code === "ERR_SCRIPT_EXECUTION_INTERRUPTED") throw new Error("it was interrupted", { cause: error });
    throw error;
  } finally {
    place[slot] = before;
  }
}
