import process from "node:process";
import type { ServiceStatus, UpEvent } from "../../services/index.ts";
import { duration, painter } from "../text.ts";
import { lastEditText, memoryText, phaseStyle, placesText, upReporter } from "../up-plain.ts";
import { LiveScreen, type TerminalStream } from "./live-screen.ts";
import { cut, padded, printableText, type Piece, type StyledLine } from "./styled-line.ts";

export interface UpViewOptions {
  output: TerminalStream & Pick<NodeJS.WriteStream, "on" | "off">;
  /** Undefined: no keys are read. */
  input: NodeJS.ReadStream | undefined;
  colors: boolean;
  verbose: boolean;
  statuses(): readonly ServiceStatus[];
  restart(): void;
  /** Moves each service that can be in a container or on the host to its other place. */
  switchAll(): void;
  quit(): void;
  /** Called when the user asks for the web page. */
  openPage(): void;
}

export interface UpView {
  note(event: UpEvent): void;
  print(line: string): void;
  /** Restores the terminal. */
  close(): void;
}

const frameMs = 50;
const tickMs = 1_000;
const interrupt = "\u0003";

/** Opens the view of services at the bottom of the terminal; events scroll by above it. */
export function openUpView(options: UpViewOptions): UpView {
  const { output, input } = options;
  const paint = painter(options.colors);
  const screen = new LiveScreen(output, paint);
  const print = (line: string): void => screen.print(line);
  const report = upReporter({ write: print, paint, logs: true, verbose: options.verbose });
  let frame: NodeJS.Timeout | undefined;
  const draw = (): void => {
    clearTimeout(frame);
    frame = undefined;
    screen.draw(layout(options.statuses(), output.columns, input !== undefined));
  };
  const drawSoon = (): void => void (frame ??= setTimeout(draw, frameMs));
  // Running times and memory change without any event.
  const ticker = setInterval(draw, tickMs);
  const onResize = (): void => {
    screen.forgetText();
    draw();
  };
  const onKeys = (keys: string): void => {
    for (const key of keys) {
      if (key === interrupt) process.kill(process.pid, "SIGINT");
      if (key === "q") options.quit();
      if (key === "r") options.restart();
      if (key === "l") options.switchAll();
      if (key === "u") options.openPage();
    }
  };
  output.on("resize", onResize);
  // A closed terminal answers each change of its mode with an error, which is ignored.
  const deaf = (): void => undefined;
  input?.on("error", deaf);
  input?.setRawMode(true);
  input?.setEncoding("utf8").on("data", onKeys).resume();
  const restore = (): void => void input?.setRawMode(false);
  process.once("exit", restore);
  draw();
  return {
    note(event) {
      report(event);
      drawSoon();
    },
    print(line) {
      print(line);
      drawSoon();
    },
    close() {
      clearInterval(ticker);
      draw();
      screen.close();
      output.off("resize", onResize);
      input?.off("data", onKeys).pause();
      restore();
      process.off("exit", restore);
    },
  };
}

const moving = new Set<ServiceStatus["phase"]>(["building", "starting", "stopping"]);

function layout(services: readonly ServiceStatus[], columns: number, hasKeys: boolean): StyledLine[] {
  const width = Math.max(0, ...services.map(({ name }) => name.length));
  const memory = Math.max(0, ...services.map((service) => memoryText(service).length));
  const rows = services.map((service) => cut(row(service, width, memory), columns));
  const places = services.flatMap(({ place }) => place ?? []);
  const other = places.includes("local") ? "  l back to the container" : places.length > 0 ? "  l local" : "";
  const text = hasKeys ? `r restart all${other}  u page  q quit` : "Ctrl-C ends";
  const keys: StyledLine = [{ text, style: "dim" }];
  return [[{ text: "─".repeat(Math.min(columns, 60)), style: "dim" }], ...rows, cut(keys, columns)];
}

function row(service: ServiceStatus, width: number, memoryWidth: number): Piece[] {
  const { name, phase, since, reason, startedInMs } = service;
  const runs = moving.has(phase) ? duration(Date.now() - Date.parse(since)) : "";
  const took = phase === "healthy" && startedInMs !== undefined ? duration(startedInMs) : "";
  const text = reason === undefined ? placesText(service) : printableText(reason.split("\n")[0] ?? "");
  return [
    { text: `${padded(name, width)}  ` },
    { text: padded(phase, 9), style: phaseStyle(phase) },
    { text: `  ${padded(runs || took, 8)}`, style: "dim" },
    ...(memoryWidth === 0 ? [] : [{ text: `  ${padded(memoryText(service), memoryWidth)}`, style: "dim" as const }]),
    { text: `  ${text}` },
    { text: lastEditText(service, text === "" ? "" : "  "), style: "dim" },
  ];
}
