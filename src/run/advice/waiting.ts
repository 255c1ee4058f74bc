import type { LoopNotice } from "../events.ts";

/** What takes less needs no word. */
const silentMs = 1000;
const againMs = 10_000;

/** Waits for something that is no function's run, and tells of it while it takes long. */
export async function tellingWait<T>(
  what: string,
  work: () => Promise<T>,
  tell: (notice: LoopNotice) => void,
): Promise<T> {
  const startedMs = performance.now();
  let isTold = false;
  const say = (): void => {
    isTold = true;
    tell({ kind: "waiting", what, waitedMs: Math.round(performance.now() - startedMs), done: false });
  };
  const first = setTimeout(say, silentMs);
  const again = setInterval(say, againMs);
  try {
    return await work();
  } finally {
    clearTimeout(first);
    clearInterval(again);
    if (isTold) tell({ kind: "waiting", what, waitedMs: Math.round(performance.now() - startedMs), done: true });
  }
}
