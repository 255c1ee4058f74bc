/** A command of long life in this process, whose events are awaited as those of a process are. */
import { CommandEvents } from "../../e2e/loop-project.ts";
import { startFastloop, type RunningFastloop } from "./fastloop.ts";

export class RunningCommand extends CommandEvents {
  private exitCode: number | undefined;
  private readonly running: RunningFastloop;
  private rest = "";

  constructor(cwd: string, words: readonly string[], command: string) {
    super();
    this.running = startFastloop([command, "--json", ...words], {
      cwd,
      onOutput: (stream, text) => {
        if (stream === "stderr") this.stderr += text;
        else this.take(text);
      },
    });
    void this.running.ended.then(({ exitCode }) => {
      this.exitCode = exitCode;
      this.wake();
    });
  }

  get hasEnded(): boolean {
    return this.exitCode !== undefined;
  }

  async end(): Promise<number> {
    return (await this.running.ended).exitCode;
  }

  /** As the first signal of that name would end it. */
  async kill(signal: NodeJS.Signals): Promise<number> {
    if (!this.hasEnded) this.running.interrupt(`interrupted by ${signal}`);
    return this.end();
  }

  private take(text: string): void {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.say(line);
  }
}
