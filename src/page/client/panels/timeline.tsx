import type { JSX } from "preact";
import type { NodeDetails, PageNode, PageRun, PageSpan, Tone } from "../../types.ts";
import { duration, marks, moment } from "../format.ts";

/** Number of rows of a timeline; a run may have thousands of operations. */
const mostRows = 300;
/** Runs that are further apart than this belong to different rounds. */
const pauseMs = 10_000;

interface Bar {
  name: string;
  startMs: number;
  durationMs: number;
  tone: Tone;
  text: string;
  goesOn: boolean;
  isCached?: boolean;
  onSelect?: () => void;
}

export interface RoundProps {
  nodes: readonly PageNode[];
  onSelect(id: string): void;
  nowMs: number;
}

/** Shows the last round: one bar for each function or service that ran. */
export function Round({ nodes, onSelect, nowMs }: RoundProps): JSX.Element {
  const runs = nodes
    .flatMap((node) => {
      const endMs = node.sinceMs === undefined ? node.endedMs : nowMs;
      const startMs = node.sinceMs ?? (node.endedMs ?? 0) - (node.tookMs ?? 0);
      return endMs === undefined || (node.sinceMs === undefined && node.tookMs === undefined)
        ? []
        : [{ node, startMs, endMs }];
    })
    .sort((a, b) => b.endMs - a.endMs);
  let fromMs = runs[0]?.startMs ?? nowMs;
  const round = runs.filter(({ startMs, endMs }) => {
    if (fromMs - endMs > pauseMs) return false;
    fromMs = Math.min(fromMs, startMs);
    return true;
  });
  if (round.length === 0) return <p class="empty">Nothing has run yet.</p>;
  const bars = round
    .sort((a, b) => a.startMs - b.startMs)
    .map(({ node, startMs, endMs }): Bar => {
      const durationMs = endMs - startMs;
      return {
        name: node.name,
        startMs: startMs - fromMs,
        durationMs,
        tone: node.tone,
        text: `${duration(durationMs)}  ${node.state}`,
        goesOn: node.sinceMs !== undefined,
        onSelect: () => onSelect(node.id),
      };
    });
  return (
    <div class="panel timeline">
      <p class="lead">The last round began at {moment(fromMs, nowMs)}.</p>
      <Bars bars={bars} />
    </div>
  );
}

export interface SpansProps {
  node: PageNode;
  details: NodeDetails | undefined;
  onRun(id: string): void;
  nowMs: number;
}

/** Shows the operations of one run. */
export function Spans({ node, details, onRun, nowMs }: SpansProps): JSX.Element {
  if (details === undefined) return <p class="empty">One moment…</p>;
  const { run, runs, spans } = details;
  if (run === undefined) return <p class="empty">It has not run yet.</p>;
  const untilMs = run.durationMs ?? Math.max(0, nowMs - run.startedMs);
  return (
    <div class="panel timeline">
      <div class="bar">
        {runs.length > 1 ? (
          <label>
            Run{" "}
            <select value={run.id} onChange={(event) => onRun(event.currentTarget.value)}>
              {runs.map((each) => (
                <option key={each.id} value={each.id}>
                  {runText(each, nowMs)}
                </option>
              ))}
            </select>
          </label>
        ) : (
          <span>{runText(run, nowMs)}</span>
        )}
        {node.steps !== undefined && run === runs[0] && (
          <span class="count">
            {node.steps.total} steps, {node.steps.cached} out of the cache
          </span>
        )}
      </div>
      {spans.length === 0 ? (
        <p class="empty">The engine told of no operation.</p>
      ) : (
        <Bars bars={spans.map((span) => barOf(span, untilMs))} />
      )}
    </div>
  );
}

function barOf({ name, startMs, durationMs, tone, cached }: PageSpan, untilMs: number): Bar {
  const lasts = durationMs ?? Math.max(0, untilMs - startMs);
  return {
    name,
    startMs,
    durationMs: lasts,
    tone,
    text: cached === true ? "cached" : duration(lasts),
    goesOn: durationMs === undefined,
    isCached: cached === true,
  };
}

const runText = ({ startedMs, durationMs, outcome }: PageRun, nowMs: number): string =>
  `${moment(startedMs, nowMs)}  ${outcome}${durationMs === undefined ? "" : ` in ${duration(durationMs)}`}`;

function Bars({ bars }: { bars: readonly Bar[] }): JSX.Element {
  const endMs = Math.max(1, ...bars.map(({ startMs, durationMs }) => startMs + durationMs));
  const percent = (ms: number): string => `${(100 * ms) / endMs}%`;
  return (
    <>
      <ol class="bars">
        {bars.slice(0, mostRows).map(({ name, startMs, durationMs, tone, text, goesOn, isCached, onSelect }, index) => (
          <li key={index} class={`${tone}${isCached === true ? " cached" : ""}`}>
            {onSelect === undefined ? (
              <span class="name" title={name}>
                {name}
              </span>
            ) : (
              <button class="name link" onClick={onSelect}>
                {name}
              </button>
            )}
            <span class="track" aria-hidden="true">
              <span
                class={`span${goesOn ? " on" : ""}`}
                style={{ left: percent(startMs), width: `max(2px, ${percent(durationMs)})` }}
              />
            </span>
            <span class="took">
              <i aria-hidden="true">{marks[tone]}</i> {text}
            </span>
          </li>
        ))}
      </ol>
      {bars.length > mostRows && <p class="empty">and {bars.length - mostRows} more</p>}
      <p class="scale">
        <span>0</span>
        <span>{duration(endMs / 2)}</span>
        <span>{duration(endMs)}</span>
      </p>
    </>
  );
}
