import process from "node:process";
import type { LoopNotice, LoopState } from "../../run/index.ts";
import { plainReporter } from "../plain.ts";
import { painter } from "../text.ts";
import { Board } from "./board.ts";
import { layoutRun } from "./layout.ts";
import { LiveScreen, type TerminalStream } from "./live-screen.ts";

export interface RunViewOptions {
  output: TerminalStream;
  colors: boolean;
  verbose: boolean;
  cwd: string;
}

export interface RunView {
  note(notice: LoopNotice): void;
  setState(state: LoopState): void;
  /** Gives the terminal to a question while it is asked. */
  during<T>(question: () => Promise<T>): Promise<T>;
  /** Removes the live lines; lines printed above them stay. */
  close(): void;
}

const frameMs = 50;
const tickMs = 1000;

/** Opens the view of a single run: running functions with their step and time; what has ended is printed above. */
export function openRunView({ output, ...options }: RunViewOptions): RunView {
  const board = new Board(options.cwd);
  const screen = new LiveScreen(output, painter(options.colors));
  const history = plainReporter({ ...options, write: (line) => screen.print(line) });
  let frame: NodeJS.Timeout | undefined;
  let isHeld = false;

  const draw = (): void => {
    clearTimeout(frame);
    frame = undefined;
    if (!isHeld)
      screen.draw(layoutRun(board, { columns: output.columns, rows: output.rows, nowMs: performance.now() }));
  };
  const drawSoon = (): void => void (frame ??= setTimeout(draw, frameMs));
  const ticker = setInterval(() => void (board.isBusy && draw()), tickMs);
  const clear = (): void => {
    clearTimeout(frame);
    frame = undefined;
    screen.draw([]);
    screen.close();
  };
  // A crash must not leave the terminal with a hidden cursor.
  process.on("exit", clear);

  return {
    note(notice) {
      board.note(notice, performance.now(), new Date());
      // The live line shows the waiting time.
      if (notice.kind !== "waiting" && notice.kind !== "still-running") history(notice);
      drawSoon();
    },
    setState(state) {
      board.setState(state);
      drawSoon();
    },
    async during(question) {
      clear();
      isHeld = true;
      try {
        return await question();
      } finally {
        isHeld = false;
        drawSoon();
      }
    },
    close() {
      process.off("exit", clear);
      clearInterval(ticker);
      clear();
    },
  };
}
