/**
 * Whether the daemon of an open session is still there. Function bodies and programs ask it by themselves, so that the
 * command waits in silence for as long as they do: it asks now and then, and tells when there is no answer.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { daemonStatus } from "./control.ts";

const askEveryMs = 2000;

/** Asks until aborted, or until there is no daemon any more, which the session finds out by itself. */
export function watchDaemon(state: string, onNotice: (text: string) => void): AbortController {
  const watching = new AbortController();
  const { signal } = watching;
  const watch = async (): Promise<void> => {
    for (;;) {
      // Nothing waits for it: a command that is done ends.
      await sleep(askEveryMs, undefined, { signal, ref: false });
      // Stopped on purpose, it may go on after a while: the session is its user's to give up.
      const status = await daemonStatus(state, { signal, onNotice, giveUpMs: Infinity });
      if (status === undefined) return;
    }
  };
  watch().catch(() => undefined);
  return watching;
}
