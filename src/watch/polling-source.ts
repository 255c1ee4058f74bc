import type { Clock } from "./clock.ts";
import type { HintListener, HintSource } from "./hints.ts";

export const defaultPollIntervalMs = 1000;

/** Looks at the whole tree again and again: for file systems that send no events, and when the kernel has no watches left. */
export function pollingSource(
  listener: HintListener,
  options: {
    /** Changes whenever anything in the watched trees does: the digest of a stat scan. */
    fingerprint: () => string;
    root: string;
    intervalMs: number;
    clock: Clock;
  },
): HintSource {
  let last = options.fingerprint();
  let cancel: () => void;
  const look = (): void => {
    const now = options.fingerprint();
    if (now !== last) listener.onHint(options.root);
    last = now;
    cancel = options.clock.after(options.intervalMs, look);
  };
  cancel = options.clock.after(options.intervalMs, look);
  return { kind: "polling", watch: () => 0, close: () => cancel() };
}
