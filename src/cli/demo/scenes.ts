import type { FinishedNotice, Loop, LoopNotice } from "../../run/index.ts";
import type { Reason } from "../../plan/index.ts";
import type { Chapter } from "./story.ts";

/** What a loop did between an edit and the moment when everything settled. */
export interface Scene {
  ran: { finished: FinishedNotice; reasons: readonly Reason[] }[];
  blocked: { name: string; need: string }[];
  current: string[];
  /** Time from the edit until every function is current, failed or blocked. */
  tookMs: number;
}

/**
 * Collects a loop's notices during `act` and until everything has settled. Throws when nothing happens for
 * `patienceMs`.
 */
export async function observe(loop: Loop, act: () => Promise<unknown>, patienceMs: number): Promise<Scene> {
  const startedMs = performance.now();
  const scene: Scene = { ran: [], blocked: [], current: [], tookMs: 0 };
  const reasons = new Map<string, readonly Reason[]>();
  let rest: () => void;
  let give: (error: Error) => void;
  const rested = new Promise<void>((resolve, reject) => {
    rest = resolve;
    give = reject;
  });
  const timer = setTimeout(() => give(new Error(`nothing happened within ${patienceMs / 1000} s`)), patienceMs);
  // A rescan that finds nothing also settles; the scene ends only after a function has started.
  let moved = false;
  const stop = loop.on((notice: LoopNotice) => {
    // A running function reports from time to time, so a slow machine does not look like a silent one.
    timer.refresh();
    if (notice.kind === "started") [moved] = [true, reasons.set(notice.name, notice.reasons)];
    else if (notice.kind === "blocked") scene.blocked.push({ name: notice.name, need: notice.need });
    else if (notice.kind === "finished") scene.ran.push({ finished: notice, reasons: reasons.get(notice.name) ?? [] });
    else if (notice.kind === "broken") give(notice.error);
    else if (notice.kind === "settled" && moved) {
      scene.current = notice.current;
      scene.tookMs = performance.now() - startedMs;
      rest();
    }
  });
  try {
    await Promise.all([act(), rested]);
  } finally {
    clearTimeout(timer);
    stop();
  }
  return scene;
}

/** Returns the differences between a scene and its chapter; empty when there are none. */
export function differences(chapter: Pick<Chapter, "runs" | "blocked">, scene: Scene): string[] {
  const told = chapter.runs;
  const ran = Object.fromEntries(scene.ran.map(({ finished }) => [finished.name, finished.outcome]));
  const missing = Object.keys(told)
    .filter((name) => ran[name] === undefined)
    .map((name) => `${name} did not run`);
  const unasked = Object.keys(ran)
    .filter((name) => told[name] === undefined)
    .map((name) => `${name} ran, though nothing of it was edited`);
  const wrong = Object.keys(told).flatMap((name) =>
    ran[name] !== undefined && ran[name] !== told[name] ? [`${name} ${ran[name]}, expected: ${told[name]}`] : [],
  );
  const blocked = scene.blocked.map((entry) => entry.name);
  const unblocked = (chapter.blocked ?? [])
    .filter((name) => !blocked.includes(name))
    .map((name) => `${name} did not wait`);
  return [...missing, ...unasked, ...wrong, ...unblocked];
}
