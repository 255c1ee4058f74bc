import process from "node:process";
import type { LoopNotice, LoopState } from "../../run/index.ts";
import { plainReporter } from "../plain.ts";
import { painter } from "../text.ts";
import { Board } from "./board.ts";
import { keyActions, type KeyAction } from "./keys.ts";
import { layoutBoard, statusText } from "./layout.ts";
import { LiveScreen, type TerminalStream } from "./live-screen.ts";

export interface WatchViewOptions {
  output: TerminalStream & Pick<NodeJS.WriteStream, "on" | "off">;
  /** Undefined: no keys are read. */
  input: NodeJS.ReadStream | undefined;
  colors: boolean;
  verbose: boolean;
  cwd: string;
  /** Parts of the loop that keys control. */
  control: {
    rerun(which: "all" | "failed" | readonly string[]): unknown;
    runParked(): void;
    setManual(on: boolean): void;
  };
  onQuit(): void;
  /** Called when the user asks for the web page. */
  onPage(): void;
}

export interface WatchView {
  note(notice: LoopNotice): void;
  setState(state: LoopState): void;
  /** Prints a line above the view. */
  print(line: string): void;
  /** Gives the terminal to a question while it is asked. */
  during<T>(question: () => Promise<T>): Promise<T>;
  /** Shows that the command is stopping. */
  showStopping(): void;
  /** Restores the terminal. */
  close(): void;
}

/** Events come in bursts; drawing at this interval is enough. */
const frameMs = 50;
/** Interval at which the times of running functions are updated. */
const tickMs = 1000;

/** Opens the view of a watch: functions and failures at the bottom of the terminal, events above. */
export function openWatchView(options: WatchViewOptions): WatchView {
  const { output, input, control } = options;
  const board = new Board(options.cwd);
  const screen = new LiveScreen(output, painter(options.colors));
  const history = historyReporter(options, screen);
  let filter = "";
  let isTyping = false;
  let isStopping = false;
  let isOpen = false;
  let isOver = false;
  let frame: NodeJS.Timeout | undefined;

  const draw = (): void => {
    clearTimeout(frame);
    frame = undefined;
    if (!isOpen) return;
    const { columns, rows } = output;
    screen.draw(
      layoutBoard(board, {
        columns,
        rows,
        nowMs: performance.now(),
        filter,
        isTyping,
        isStopping,
        hasKeys: input !== undefined,
      }),
    );
  };
  const drawSoon = (): void => void (frame ??= setTimeout(draw, frameMs));
  const ticker = setInterval(() => void (board.isBusy && draw()), tickMs);
  const onResize = (): void => {
    screen.forgetText();
    draw();
  };
  const onInput = (text: string): void => {
    for (const action of keyActions(text, isTyping)) perform(action);
    draw();
  };
  const open = (): void => {
    if (isOpen) return;
    isOpen = true;
    input?.setRawMode(true);
    input?.setEncoding("utf8").on("data", onInput).resume();
    output.on("resize", onResize);
    draw();
  };
  // Keeps the printed lines and removes the live ones, which would go stale without the watch.
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    clearTimeout(frame);
    frame = undefined;
    screen.draw([]);
    output.off("resize", onResize);
    input?.off("data", onInput).pause();
    screen.close();
    try {
      input?.setRawMode(false);
    } catch {
      // The terminal itself is gone.
    }
  };
  // Restores the terminal however the process ends, crashes included: without cursor and echo it would be unusable.
  process.on("exit", close);
  // The terminal was closed.
  input?.on("end", options.onQuit).on("error", options.onQuit);
  process.on("SIGCONT", open);
  open();

  return {
    note: (notice) => {
      board.note(notice, performance.now(), new Date());
      history(notice);
      drawSoon();
    },
    setState: (state) => {
      board.setState(state);
      drawSoon();
    },
    print: (line) => {
      screen.print(line);
      drawSoon();
    },
    during: async (question) => {
      close();
      process.off("SIGCONT", open);
      try {
        return await question();
      } finally {
        if (!isOver) {
          process.on("SIGCONT", open);
          open();
        }
      }
    },
    showStopping: () => {
      isStopping = true;
      draw();
    },
    close: () => {
      isOver = true;
      clearInterval(ticker);
      process.off("exit", close);
      process.off("SIGCONT", open);
      const standings = statusText(board);
      if (isOpen && standings !== "") screen.print(standings);
      close();
    },
  };

  function perform(action: KeyAction): void {
    switch (action.kind) {
      case "run-all":
        return void control.rerun(filter === "" ? "all" : board.rows(filter).map((row) => row.name));
      case "rerun-failed":
        return void control.rerun("failed");
      case "run-stale":
        return control.runParked();
      case "toggle-manual":
        return control.setManual(!board.isManual);
      case "quit":
        return options.onQuit();
      case "open-page":
        return options.onPage();
      case "interrupt":
        // As without a view, a second SIGINT ends the process at once.
        return void process.kill(process.pid, "SIGINT");
      case "suspend":
        close();
        return void process.kill(process.pid, "SIGTSTP");
      case "start-filter":
        isTyping = true;
        return;
      case "accept":
        isTyping = false;
        return;
      case "clear":
        isTyping = false;
        filter = "";
        return;
      case "erase":
        filter = filter.slice(0, -1);
        return;
      case "text":
        filter += action.text;
    }
  }
}

/** Returns a reporter for events that the view does not show, or shows only while they last. */
function historyReporter({ colors, verbose, cwd }: WatchViewOptions, screen: LiveScreen): (notice: LoopNotice) => void {
  const report = plainReporter({ write: (line) => screen.print(line), colors, verbose, cwd, clock: () => new Date() });
  const kinds: ReadonlySet<LoopNotice["kind"]> = new Set([
    "finished",
    "restored",
    "notice",
    "retrying",
    "recovered",
    ...(verbose ? (["engine", "step", "output"] as const) : []),
  ]);
  return (notice) => {
    if (!kinds.has(notice.kind)) return;
    // The view shows the failure's text for as long as the function is failed.
    report(notice.kind === "finished" ? { ...notice, error: undefined } : notice);
  };
}
