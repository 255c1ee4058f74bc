import { setMaxListeners } from "node:events";

export interface Joined {
  /** Aborted with the first of the others. */
  signal: AbortSignal;
  /** Lets go of them: to be called when nobody listens any more. */
  end(): void;
}

/**
 * As `AbortSignal.any`, of which Node keeps every signal that somebody listens to until it is aborted, with all that the
 * listener holds: requests, and what they carried, would stay for ever.
 */
export function joined(signals: readonly AbortSignal[]): Joined {
  const controller = new AbortController();
  // As many listen as there are requests at once, and steps in one.
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
