import { duration, wholeSeconds, plural } from "../text.ts";
import type { Board, BoardRow, RowStatus } from "./board.ts";
import { columnsOf, cut, padded, printableText, type Piece, type StyledLine } from "./styled-line.ts";

export interface LayoutOptions {
  columns: number;
  rows: number;
  nowMs: number;
  filter: string;
  /** Whether the filter is being typed. */
  isTyping: boolean;
  isStopping: boolean;
  /** Whether keys are read. */
  hasKeys: boolean;
}

const looks: Record<RowStatus, { mark: string; style: Piece["style"] }> = {
  failed: { mark: "✗", style: "red" },
  running: { mark: "▶", style: "cyan" },
  cancelled: { mark: "■", style: "yellow" },
  stale: { mark: "○", style: "yellow" },
  blocked: { mark: "○", style: "yellow" },
  unknown: { mark: "?", style: "dim" },
  current: { mark: "✓", style: "green" },
};
/** Order in which functions get a line when there are more functions than lines. */
const urgency = Object.keys(looks) as RowStatus[];

/** Lays out the whole view in lines that fit the terminal: functions, failures, and help for the keys. */
export function layoutBoard(board: Board, options: LayoutOptions): StyledLine[] {
  const { columns, filter } = options;
  // The last line and column stay free, because a full terminal would scroll or wrap.
  const room = Math.max(3, options.rows - 1);
  const all = board.rows(filter);
  const foot = footer(board, all, options);
  const broken = brokenLines(board, Math.floor(room / 2));
  const shown = mostUrgent(all, room - foot.length - broken.length - (board.waiting === undefined ? 0 : 1));
  const lines = [...waitingLines(board, options.nowMs), ...table(shown, options)];
  if (shown.length < all.length)
    lines.push([{ text: `  … and ${plural(all.length - shown.length, "more function")}`, style: "dim" }]);
  const left = room - lines.length - foot.length - broken.length;
  return [...broken, ...lines, ...failures(shown, left), ...foot].map((line) => cut(line, columns - 1));
}

/** Returns as many rows as fit, in their order; one less if some are left out, for the line that says so. */
function mostUrgent(rows: BoardRow[], room: number): BoardRow[] {
  if (rows.length <= room) return rows;
  const ranked = rows.toSorted((a, b) => urgency.indexOf(a.standing) - urgency.indexOf(b.standing));
  const kept = new Set(ranked.slice(0, Math.max(0, room - 1)));
  return rows.filter((row) => kept.has(row));
}

function table(rows: readonly BoardRow[], { nowMs, columns }: LayoutOptions): StyledLine[] {
  const width = Math.min(Math.max(0, ...rows.map((row) => columnsOf(row.name))), Math.floor(columns / 3));
  const times = rows.map((row) => timeOf(row, nowMs));
  const timeWidth = Math.max(0, ...times.map(columnsOf));
  return rows.map((row, index) => {
    const { mark, style } = looks[row.standing];
    const name = cut([{ text: row.name }], width)[0]?.text ?? "";
    return [
      { text: `${mark} ${padded(row.standing, 9)} `, style },
      { text: `${padded(name, width)}  `, style: row.standing === "current" ? undefined : "bold" },
      { text: `${row.digest}  `, style: "dim" },
      { text: `${padded(times[index]!, timeWidth)}  ` },
      ...(row.tests === undefined ? [] : [{ text: `${row.tests}  ` }]),
      { text: row.startedMs === undefined || row.step === undefined ? row.cause : row.step, style: "dim" },
    ];
  });
}

/** Returns the running time of a running function, else its duration and the time at which it ended. */
function timeOf({ startedMs, durationMs, endedAt }: BoardRow, nowMs: number): string {
  if (startedMs !== undefined) return clock(startedMs, nowMs);
  if (durationMs === undefined || endedAt === undefined) return "";
  return `${duration(durationMs)}  ${endedAt.toTimeString().slice(0, 8)}`;
}

/** Formats the time since `sinceMs` in whole seconds. */
const clock = (sinceMs: number, nowMs: number): string => wholeSeconds(Math.floor(Math.max(0, nowMs - sinceMs) / 1000));

/** Returns a line with what functions wait for before any can run. */
function waitingLines({ waiting }: Board, nowMs: number): StyledLine[] {
  if (waiting === undefined) return [];
  return [
    [
      { text: "… ", style: "cyan" },
      { text: `${clock(waiting.sinceMs, nowMs)}  waiting ${waiting.what}`, style: "dim" },
    ],
  ];
}

/** Lays out running and waiting functions. Functions that have ended are in the lines above. */
export function layoutRun(
  board: Board,
  { columns, rows, nowMs }: Pick<LayoutOptions, "columns" | "rows" | "nowMs">,
): StyledLine[] {
  const active = board
    .rows()
    .filter(({ standing, startedMs }) => startedMs !== undefined || standing === "cancelled" || standing === "stale");
  const shown = mostUrgent(active, Math.max(1, rows - 2));
  const width = Math.min(Math.max(0, ...shown.map((row) => columnsOf(row.name))), Math.floor(columns / 3));
  const lines = shown.map((row): StyledLine => {
    const { mark, style } = looks[row.standing];
    const isRunning = row.startedMs !== undefined;
    return [
      { text: `${mark} `, style },
      {
        text: `${padded(cut([{ text: row.name }], width)[0]?.text ?? "", width)}  `,
        style: isRunning ? "bold" : undefined,
      },
      { text: isRunning ? `${clock(row.startedMs!, nowMs)}  ` : "" },
      { text: (isRunning ? row.step : undefined) ?? row.cause, style: "dim" },
    ];
  });
  const more = active.length - shown.length;
  return [
    ...waitingLines(board, nowMs),
    ...lines,
    ...(more > 0 ? [[{ text: `  … and ${more} more`, style: "dim" as const }]] : []),
  ].map((line) => cut(line, columns - 1));
}

/** Shares the remaining lines among failures: message, last lines of output, path of the log. */
function failures(rows: readonly BoardRow[], room: number): StyledLine[] {
  const failed = rows.flatMap(({ name, failure }) => (failure === undefined ? [] : [{ name, ...failure }]));
  const lines: StyledLine[] = [];
  for (const [index, { name, message, tests, tail, log }] of failed.entries()) {
    const share = Math.floor((room - lines.length) / (failed.length - index));
    // With less room than this, the line in the table has to do.
    if (share < 3) continue;
    lines.push([{ text: `✗ ${name}: `, style: "red" }, { text: message }]);
    const named = tests.slice(0, share - 2);
    for (const text of named) lines.push([{ text: `  ${text}`, style: "red" }]);
    if (share - 2 - named.length > 0)
      for (const text of tail.slice(-Math.min(share - 2 - named.length, 20))) lines.push([{ text: `  │ ${text}` }]);
    if (log !== undefined) lines.push([{ text: `  log: ${log}`, style: "dim" }]);
  }
  return lines;
}

function brokenLines({ broken }: Board, room: number): StyledLine[] {
  if (broken === undefined) return [];
  const [first = "", ...rest] = broken.format().split("\n").map(printableText);
  return [
    [{ text: "✗ broken: ", style: "red" }, { text: first }],
    ...rest.slice(0, Math.max(0, room - 2)).map((text): StyledLine => [{ text: `  ${text}` }]),
    [{ text: "  the last results are shown; it continues when this is fixed", style: "dim" }],
  ];
}

/** Returns the number of functions in each state, in one line: `ended: 1 failed, 2 current`. */
export function statusText(board: Board): string {
  const rows = board.rows();
  const counts = urgency.flatMap((standing) => {
    const count = rows.filter((row) => row.standing === standing).length;
    return count === 0 ? [] : [`${count} ${standing}`];
  });
  return counts.length === 0 ? "" : `ended: ${counts.join(", ")}`;
}

function footer(
  board: Board,
  rows: readonly BoardRow[],
  { filter, isTyping, isStopping, hasKeys }: LayoutOptions,
): StyledLine[] {
  const counts = urgency.flatMap((standing) => {
    const count = rows.filter((row) => row.standing === standing).length;
    return count === 0 ? [] : [{ text: ` ${count} ${standing} `, style: looks[standing].style }];
  });
  const modes: Piece[] = [
    ...(board.isManual ? [{ text: " manual mode ", style: "yellow" as const }] : []),
    ...(filter !== "" && !isTyping ? [{ text: ` only ${filter} `, style: "yellow" as const }] : []),
  ];
  const status: StyledLine = isStopping
    ? [{ text: " stopping: waiting until what runs is gone ", style: "yellow" }]
    : [...counts, ...modes];
  if (!hasKeys) return [status];
  const keys = [
    `a run ${filter === "" ? "all" : "these"}`,
    "f rerun failed",
    ...(board.isManual ? ["r run stale"] : []),
    "/ filter",
    board.isManual ? "m automatic" : "m manual",
    "u page",
    "q quit",
  ];
  const help: StyledLine = isTyping
    ? [
        { text: ` filter: ${filter}▏`, style: "bold" },
        { text: "  enter keeps it, esc shows all", style: "dim" },
      ]
    : [{ text: ` ${keys.join("   ")}`, style: "dim" }];
  return [status, help];
}
