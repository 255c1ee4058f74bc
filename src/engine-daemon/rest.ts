/**
 * Gives memory back when there is nothing to do. V8 collects garbage when it needs room, which an idle daemon never does: what
 * one large answer took would stay for the rest of its life. (What the collection frees outside of V8's heap goes back to the
 * system by the settings of malloc that the daemon is started with: client-start.ts.)
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

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

export function restWhenIdle(collect: () => void = garbageCollector(), afterMs = quietMs): Rest {
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

/** V8's own, which it shows to none but who asks for it with a flag. */
function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  setFlagsFromString("--no-expose-gc");
  return () => {
    // V8 keeps the text that an expression was last held against, such as a query of megabytes.
    /^/.exec("");
    collect();
  };
}
