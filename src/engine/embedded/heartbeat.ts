/**
 * Whether the daemon of an open session is still there. Function bodies and programs ask it by themselves, so that the
 * command waits in silence for as long as they do: the daemon gives signs of life, and the command tells when they stop.
 */
import { Silence, silenceNotice } from "./silence.ts";

export interface Heartbeat {
  /** The daemon gave a sign of life. */
  heard(): void;
  end(): void;
}

/** Begins with the first sign of life: a daemon of another build may give none. */
export function watchDaemon(state: string, onNotice: (text: string) => void): Heartbeat {
  let silence: Silence | undefined;
  let isOver = false;
  return {
    heard() {
      if (isOver) return;
      silence ??= new Silence({
        // Stopped on purpose, it may go on after a while: the session is its user's to give up.
        giveUpMs: Infinity,
        // Nothing waits for it: a command that is done ends.
        unref: true,
        onSilence: () => onNotice(silenceNotice(state)),
        onAnswer: () => onNotice("the engine daemon answers again"),
        onGone: () => undefined,
      });
      silence.heard();
    },
    end() {
      isOver = true;
      silence?.end();
    },
  };
}
