import { CallMask } from "../../call/index.ts";
import type { EngineSession, RemoteTerminal } from "../../engine/index.ts";
import type { CliContext } from "../context.ts";
import { Progress, type ProgressOptions } from "./progress.ts";
import { userTerminal, type UserTerminal } from "./user-terminal.ts";

export interface CallViewOptions extends Pick<ProgressOptions, "verbose" | "speaks" | "isPlain"> {
  silent: boolean;
}

/** Progress of a call on stderr, with secrets masked; nothing with `--silent`. */
export class CallView {
  /** Masks every secret that the call was given. */
  readonly mask = new CallMask();
  readonly terminal: UserTerminal | undefined;
  private readonly context: CliContext;
  private readonly options: CallViewOptions;
  private progress: Progress | undefined;
  private isShown = false;

  constructor(context: CliContext, options: CallViewOptions) {
    this.context = context;
    this.options = options;
    this.terminal = userTerminal(context);
  }

  /** Shows progress until the returned function is called. */
  show(): () => void {
    const { stderr } = this.context;
    this.isShown = true;
    const { silent, verbose, speaks, isPlain } = this.options;
    const colors = this.context.colors("stderr");
    if (!silent) this.progress = new Progress({ stream: stderr, colors, verbose, speaks, isPlain });
    return () => {
      this.mask.end();
      this.progress?.stop();
    };
  }

  /** Prints a line of its own. */
  readonly notice = (text: string): void => {
    if (this.isShown) this.progress?.print(text);
    else this.context.notice(text);
  };

  /** Shows `what` as a running step while `work` is pending. */
  during<T>(what: string, work: Promise<T>): Promise<T> {
    return this.progress?.during(what, work) ?? work;
  }

  /** Shows the session's events from now on. */
  follow(session: EngineSession): void {
    if (this.options.verbose) this.notice(`engine: ${session.engine.version} (${session.engine.reason})`);
    session.onEvent((event) => this.mask.event(event, (shown) => this.progress?.event(shown)));
  }

  lend(remote: RemoteTerminal): void {
    void this.terminal?.lend(remote, this.progress);
  }
}
