/** Decides when a daemon counts as not answering, and words the notices about it. */
import { UserError } from "../../errors/index.ts";
import { processState } from "../../state/index.ts";
import { controlSocket, notedProcess } from "../../engine-daemon/index.ts";

/** Silence after which the user is told. */
export const noticeAfterMs = 2000;
/** Silence after which the command gives up; a busy host takes its time. */
export const giveUpAfterMs = 10_000;

export interface SilenceOptions {
  giveUpMs: number;
  /** Do not keep the process alive. */
  unref?: true;
  /** The daemon was silent for `noticeAfterMs`. */
  onSilence(): void;
  /** The daemon answered after all. */
  onAnswer(): void;
  /** The daemon was silent for `giveUpMs`. */
  onGone(): void;
}

/** Watches a request or a session for the daemon's signs of life until `end` is called. */
export class Silence {
  private readonly options: SilenceOptions;
  private timer: NodeJS.Timeout | undefined;
  private heardAtMs = performance.now();
  private isTold = false;

  constructor(options: SilenceOptions) {
    this.options = options;
    this.wait(noticeAfterMs);
  }

  /** Records a sign of life. */
  reset(): void {
    this.heardAtMs = performance.now();
    if (!this.isTold) return;
    this.isTold = false;
    this.options.onAnswer();
  }

  end(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private wait(ms: number): void {
    this.timer = setTimeout(() => {
      const { timer } = this;
      // Reads first what arrived while this process was busy itself.
      setImmediate(() => this.timer === timer && this.look());
    }, ms);
    if (this.options.unref === true) this.timer.unref();
  }

  private look(): void {
    const { giveUpMs, onSilence, onGone } = this.options;
    const silentMs = performance.now() - this.heardAtMs;
    if (silentMs >= giveUpMs) return onGone();
    if (silentMs >= noticeAfterMs && !this.isTold) {
      this.isTold = true;
      onSilence();
    }
    const next = silentMs < noticeAfterMs ? noticeAfterMs - silentMs : Math.min(giveUpMs - silentMs, noticeAfterMs);
    this.wait(Math.ceil(next));
  }
}

const unknown = "what listens on the engine's socket";

/** Describes the daemon of a state folder: its pid if known, and what keeps it from answering. */
function describe(state: string): { who: string; why: string; hint: string } {
  const pid = notedProcess(state, "daemon");
  const end = "`fastloop engine stop --force` ends it, and what it runs";
  if (pid === undefined) return { who: unknown, why: "", hint: `${end}; it is ${controlSocket(state)}` };
  const who = `the engine daemon (pid ${pid})`;
  return processState(pid) === "T"
    ? { who, why: ": it is stopped", hint: `\`kill -CONT ${pid}\` lets it go on; ${end}` }
    : { who, why: "", hint: end };
}

/** Returns the notice while a command waits for the daemon. */
export function silenceNotice(state: string): string {
  const { who, why, hint } = describe(state);
  return `${who} does not answer${why}; waiting for it (${hint})`;
}

/**
 * Returns the notice for a daemon that does not listen yet: it cleans up after another one, or waits for its buildkitd.
 */
export function startNotice(state: string): string {
  const { who, why, hint } = describe(state);
  const log = "`fastloop engine logs` says what it does";
  return who === unknown ? `the engine daemon is starting (${log})` : `${who} is starting${why} (${log}; ${hint})`;
}

/** Returns the error with which the wait ends. */
export function notAnswering(state: string, waitedMs = giveUpAfterMs): UserError {
  const { who, why, hint } = describe(state);
  return new UserError("engine-unavailable", `${who} did not answer within ${Math.round(waitedMs / 1000)} s${why}`, {
    hint,
  });
}

const everyConnection = "has as many connections as it takes";
const whoHolds = "a program of yours holds them open";

/** Returns the notice while a command waits for a daemon that closes new connections. */
export function busyNotice(state: string): string {
  const { who, hint } = describe(state);
  return `${who} is busy: it ${everyConnection}; waiting for it (${whoHolds}; ${hint})`;
}

/** Returns the error with which that wait ends. */
export function tooBusy(state: string, waitedMs: number): UserError {
  const { who, hint } = describe(state);
  const message = `${who} is busy: it ${everyConnection}, for ${Math.round(waitedMs / 1000)} s now`;
  return new UserError("engine-unavailable", message, { hint: `${whoHolds}: end it, or ${hint}` });
}
