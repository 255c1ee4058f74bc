import process from "node:process";
import type { LoopNotice, LoopState } from "../../run/index.ts";
import { plainReporter } from "../plain.ts";
import { painter } from "../text.ts";
import { Board } from "./board.ts";
import { keyActions, type KeyAction } from "./keys.ts";
import { layoutBoard, standingsText } from "./layout.ts";
import { LiveScreen, type TerminalStream } from "./live-screen.ts";

export interface WatchViewOptions {
  output: TerminalStream & Pick<NodeJS.WriteStream, "on" | "off">;
  /** Undefined: no keys. */
  input: NodeJS.ReadStream | undefined;
  colors: boolean;
  verbose: boolean;
  cwd: string;
  /** The loop, as keys steer it. */
  control: {
    rerun(which: "all" | "failed" | readonly string[]): unknown;
    runParked(): void;
    setManual(on: boolean): void;
  };
  onQuit(): void;
  /** The web page is asked for. */
  onPage(): void;
}

export interface WatchView {
  note(notice: LoopNotice): void;
  setState(state: LoopState): void;
  /** One line above the view. */
  print(line: string): void;
  /** Leaves the terminal to a question while it is asked. */
  during<T>(question: () => Promise<T>): Promise<T>;
  /** Says that the end has been asked for and is waited for. */
  showStopping(): void;
  /** Gives the terminal back as it was. */
  close(): void;
}

/** Many things happen at a time; so often is enough to look at. */
const frameMs = 50;
/** The times of what runs go on. */
const tickMs = 1000;

/** The view of a watch on a terminal: functions and failures at its end, what happened scrolls by above. */
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
  // What happened stays above; the lines that only a watch can keep true go.
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
  // Whatever ends the process, a crash as well: a terminal without cursor and echo is of no use to anyone.
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
      const standings = standingsText(board);
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
        // As without a view: a second one ends it at once.
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

/** What the view does not show by itself, or only for as long as it lasts. */
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
    // The failure's text stands below, for as long as it is one.
    report(notice.kind === "finished" ? { ...notice, error: undefined } : notice);
  };
}
