/**
 * Releases memory when the daemon is idle. V8 collects garbage when it needs room, which an idle daemon never does, so
 * the memory of one large answer would stay allocated for the rest of its life. (What a collection frees outside of
 * V8's heap is returned to the system by the malloc settings that the daemon is started with:
 * `src/engine/embedded/start.ts`.)
 */
import { Session } from "node:inspector";

/** Idle time before a collection. */
const quietMs = 3000;
/** The first collection releases buffers, and the second one what held them. */
const collections = 2;
const betweenMs = 500;

export interface Rest {
  /** Marks the start of some work. Call the returned function when it is over. */
  working(): () => void;
  stop(): void;
}

/** Runs `collect` when no work has been marked for `afterMs` milliseconds. */
export function restWhenIdle(collect: () => void = collectGarbage, afterMs = quietMs): Rest {
  let working = 0;
  let timer: NodeJS.Timeout | undefined;
  const schedule = (left: number, ms: number): void => {
    timer = setTimeout(() => {
      collect();
      if (left > 1) schedule(left - 1, betweenMs);
    }, ms).unref();
  };
  return {
    working() {
      working++;
      clearTimeout(timer);
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        if (--working > 0) return;
        clearTimeout(timer);
        schedule(collections, afterMs);
      };
    },
    stop: () => clearTimeout(timer),
  };
}

/**
 * Collects garbage through an inspector session within this process (no port is opened). This kind of collection frees
 * what other kinds defer, and shrinks the space for new objects, which V8 otherwise enlarges under load and never
 * shrinks again (32 MB).
 */
function collectGarbage(): void {
  // V8 keeps the last text that a regular expression was matched against, such as a query of megabytes.
  /^/.exec("");
  const session = new Session();
  session.connect();
  // A session cannot disconnect within its own callback.
  session.post("HeapProfiler.collectGarbage", () => setImmediate(() => session.disconnect()));
}
