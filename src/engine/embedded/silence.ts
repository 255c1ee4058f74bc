/** When a daemon counts as one that does not answer, and what is said of it then. */
import { UserError } from "../../errors/index.ts";
import { processState } from "../../state/index.ts";
import { controlSocket, notedProcess } from "../../engine-daemon/index.ts";

/** A daemon that says nothing for this long is told of. */
export const tellAfterMs = 2000;
/** A machine that is busy takes its time; after this the command ends. */
export const giveUpAfterMs = 10_000;

export interface SilenceOptions {
  giveUpMs: number;
  /** The process may end meanwhile. */
  unref?: true;
  /** Nothing was heard for `tellAfterMs`. */
  onSilence(): void;
  /** Something was heard after all. */
  onAnswer(): void;
  /** Nothing was heard for `giveUpMs`. */
  onGone(): void;
}

/** Watches a request or a session for signs of life of the daemon, until `end`. */
export class Silence {
  private readonly options: SilenceOptions;
  private timer: NodeJS.Timeout | undefined;
  private heardAtMs = performance.now();
  private isTold = false;

  constructor(options: SilenceOptions) {
    this.options = options;
    this.wait(tellAfterMs);
  }

  /** The daemon was heard of. */
  heard(): void {
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
      // What came while this process was busy itself is read first.
      setImmediate(() => this.timer === timer && this.look());
    }, ms);
    if (this.options.unref === true) this.timer.unref();
  }

  private look(): void {
    const { giveUpMs, onSilence, onGone } = this.options;
    const silentMs = performance.now() - this.heardAtMs;
    if (silentMs >= giveUpMs) return onGone();
    if (silentMs >= tellAfterMs && !this.isTold) {
      this.isTold = true;
      onSilence();
    }
    const next = silentMs < tellAfterMs ? tellAfterMs - silentMs : Math.min(giveUpMs - silentMs, tellAfterMs);
    this.wait(Math.ceil(next));
  }
}

const unknown = "what listens on the engine's socket";

/** The daemon of a state folder with its pid, as far as that is known, and what keeps it from answering. */
function describe(state: string): { who: string; why: string; hint: string } {
  const pid = notedProcess(state, "daemon");
  const end = "`fastloop engine stop --force` ends it, and what it runs";
  if (pid === undefined) return { who: unknown, why: "", hint: `${end}; it is ${controlSocket(state)}` };
  const who = `the engine daemon (pid ${pid})`;
  return processState(pid) === "T"
    ? { who, why: ": it is stopped", hint: `\`kill -CONT ${pid}\` lets it go on; ${end}` }
    : { who, why: "", hint: end };
}

/** One line while it is waited for. */
export function silenceNotice(state: string): string {
  const { who, why, hint } = describe(state);
  return `${who} does not answer${why}; waiting for it (${hint})`;
}

/** A daemon that does not listen yet: it sweeps what another one left, or waits for its buildkitd. */
export function startNotice(state: string): string {
  const { who, why, hint } = describe(state);
  const log = "`fastloop engine logs` says what it does";
  return who === unknown ? `the engine daemon is starting (${log})` : `${who} is starting${why} (${log}; ${hint})`;
}

/** The end of the wait. */
export function notAnswering(state: string, waitedMs = giveUpAfterMs): UserError {
  const { who, why, hint } = describe(state);
  return new UserError("engine-unavailable", `${who} did not answer within ${Math.round(waitedMs / 1000)} s${why}`, {
    hint,
  });
}
