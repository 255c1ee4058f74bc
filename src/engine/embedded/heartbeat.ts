/**
 * Watches the daemon of an open session. While function bodies and programs send requests of their own, the command
 * waits in silence; the daemon sends signs of life, and the command reports when they stop.
 */
import { Silence, silenceNotice } from "./silence.ts";

export interface Heartbeat {
  /** Call on each sign of life of the daemon. */
  received(): void;
  end(): void;
}

/** Starts watching at the first sign of life, as a daemon of another build may send none. */
export function watchDaemon(state: string, onNotice: (text: string) => void): Heartbeat {
  let silence: Silence | undefined;
  let isOver = false;
  return {
    received() {
      if (isOver) return;
      silence ??= new Silence({
        // A daemon that was paused on purpose may continue later: the user decides when to give the session up.
        giveUpMs: Infinity,
        // Does not keep a finished command alive.
        unref: true,
        onSilence: () => onNotice(silenceNotice(state)),
        onAnswer: () => onNotice("the engine daemon answers again"),
        onGone: () => undefined,
      });
      silence.reset();
    },
    end() {
      isOver = true;
      silence?.end();
    },
  };
}
