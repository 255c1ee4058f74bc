import type { Clock } from "./clock.ts";
import type { HintListener, HintSource } from "./hints.ts";

export const defaultPollIntervalMs = 1000;
/** A scan of a large tree takes long, so it may take at most a tenth of the time. */
const restTimes = 9;

/** Polls the whole tree: for file systems that send no events, and when the kernel has no watches left. */
export function pollingSource(
  listener: HintListener,
  options: {
    /** Changes whenever anything in the watched trees does: the digest of a `stat` scan. */
    fingerprint: () => string;
    root: string;
    intervalMs: number;
    clock: Clock;
  },
): HintSource {
  const { clock, intervalMs } = options;
  let last = options.fingerprint();
  let cancel: () => void;
  const look = (): void => {
    const startedMs = clock.nowMs();
    const now = options.fingerprint();
    if (now !== last) listener.onHint(options.root);
    last = now;
    cancel = clock.after(Math.max(intervalMs, restTimes * (clock.nowMs() - startedMs)), look);
  };
  cancel = clock.after(intervalMs, look);
  return { kind: "polling", watch: () => 0, close: () => cancel() };
}
