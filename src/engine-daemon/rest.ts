/**
 * Gives memory back when there is nothing to do. V8 collects garbage when it needs room, which an idle daemon never does: what
 * one large answer took would stay for the rest of its life. (What the collection frees outside of V8's heap goes back to the
 * system by the settings of malloc that the daemon is started with: `src/engine/embedded/start.ts`.)
 */
import { Session } from "node:inspector";

/** So long nothing must have been done. */
const quietMs = 3000;
/** Buffers are let go of in a first collection, and what held them in a second. */
const collections = 2;
const betweenMs = 500;

export interface Rest {
  /** Something is done from now on; what it returns says that it is over. */
  working(): () => void;
  stop(): void;
}

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
 * The inspector's own collection, by a session within this process (no port is opened): it collects what the other kinds leave to
 * later, and gives back the room for new objects that V8 made larger while it worked and never makes smaller again (32 MB).
 */
function collectGarbage(): void {
  // V8 keeps the text that an expression was last held against, such as a query of megabytes.
  /^/.exec("");
  const session = new Session();
  session.connect();
  // A session can't end within its own answer.
  session.post("HeapProfiler.collectGarbage", () => setImmediate(() => session.disconnect()));
}
