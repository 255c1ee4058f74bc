import { setMaxListeners } from "node:events";

export interface Joined {
  /** Aborted as soon as any of the joined signals is. */
  signal: AbortSignal;
  /** Removes the listeners from the joined signals; call it when nobody uses `signal` any more. */
  end(): void;
}

/**
 * Works like `AbortSignal.any` without its leak: Node keeps every such signal with listeners until it is aborted, with
 * everything that the listeners hold, so finished requests and their data would never be freed.
 */
export function joined(signals: readonly AbortSignal[]): Joined {
  const controller = new AbortController();
  // There are as many listeners as concurrent requests, and steps within one.
  setMaxListeners(0, controller.signal, ...signals);
  const onAbort = ({ target }: Event): void => controller.abort((target as AbortSignal).reason);
  for (const signal of signals) {
    if (signal.aborted) controller.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
  }
  return {
    signal: controller.signal,
    end: () => signals.forEach((signal) => signal.removeEventListener("abort", onAbort)),
  };
}
