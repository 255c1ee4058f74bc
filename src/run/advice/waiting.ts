import type { LoopNotice } from "../events.ts";

/** Shorter waits are not reported. */
const silentMs = 1000;
const againMs = 10_000;

/** Waits for work that is not a function's run, and sends `waiting` notices while it takes long. */
export async function withWaitingNotices<T>(
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
