import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { duration } from "./format.ts";

const listeners = new Set<() => void>();
let timer: number | undefined;

/** Shares one timer among all clocks of the page. */
function onSecond(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => listeners.forEach((each) => each()), 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** Shows how long something has lasted. */
export function Clock({ sinceMs }: { sinceMs: number }): JSX.Element {
  const [, draw] = useState(0);
  useEffect(() => onSecond(() => draw((count) => count + 1)), []);
  return <>{duration(Math.max(0, Math.round((Date.now() - sinceMs) / 1000) * 1000))}</>;
}
