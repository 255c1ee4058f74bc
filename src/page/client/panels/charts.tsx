import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import UPlot from "uplot";
import type { HistoryPoint, PageHistory, PageNode } from "../../types.ts";
import { duration, percent } from "../format.ts";
import type { Store } from "../store.ts";

export interface ChartsProps {
  store: Store;
  node: PageNode | undefined;
  /** Changes with the page's colors, which a chart has to read again. */
  theme: string;
}

export function Charts({ store, node, theme }: ChartsProps): JSX.Element {
  const [history, setHistory] = useState<PageHistory>();
  const endedMs = Math.max(0, ...[...store.nodes.values()].map((each) => each.endedMs ?? 0));
  useEffect(() => {
    store.backend
      .history()
      .then(setHistory)
      .catch(() => undefined);
  }, [store, store.connection, endedMs]);
  if (history === undefined) return <p class="empty">One moment…</p>;
  const points = node === undefined ? history.points : history.points.filter((point) => point.node === node.id);
  const figures = node === undefined ? history.figures : history.figures.filter(({ name }) => name === node.name);
  if (points.length === 0) return <p class="empty">No run is on record yet.</p>;
  return (
    <div class="panel charts">
      <section>
        <h3>{node?.kind === "service" ? "Starts and edits" : "Durations"}</h3>
        <Durations points={points} theme={theme} />
      </section>
      {node === undefined && history.days.length > 1 && (
        <section>
          <h3>Hit rates by day</h3>
          <p class="keys">
            <span class="key one" /> needed no run <span class="key two" /> steps out of the cache
          </p>
          <Chart
            label="Hit rates by day; the table below has them by function"
            theme={theme}
            data={[
              history.days.map(({ atMs }) => atMs / 1000),
              history.days.map(({ hitRate }) => (hitRate === undefined ? null : hitRate * 100)),
              history.days.map(({ stepHitRate }) => (stepHitRate === undefined ? null : stepHitRate * 100)),
            ]}
            series={["--chart-one", "--chart-two"]}
            value={(value) => `${Math.round(value)} %`}
            range={[0, 100]}
          />
        </section>
      )}
      <section>
        <h3>Figures</h3>
        <div class="scroll" tabIndex={0} role="region" aria-label="Figures">
          <table>
            <thead>
              <tr>
                <th scope="col">Name</th>
                {["Runs", "Failed", "p50", "p95", "No run needed", "Cached steps"].map((name) => (
                  <th key={name} scope="col" class="number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {figures.map((each) => (
                <tr key={each.name}>
                  <th scope="row">{each.name}</th>
                  <td class="number">{each.runs}</td>
                  <td class="number">{each.failed}</td>
                  <td class="number">{each.p50Ms === undefined ? "–" : duration(each.p50Ms)}</td>
                  <td class="number">{each.p95Ms === undefined ? "–" : duration(each.p95Ms)}</td>
                  <td class="number">{percent(each.hitRate)}</td>
                  <td class="number">{percent(each.stepHitRate)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
    </div>
  );
}

function Durations({ points, theme }: { points: readonly HistoryPoint[]; theme: string }): JSX.Element {
  const good = points.map(({ tone, durationMs }) => (tone === "bad" ? null : durationMs));
  const bad = points.map(({ tone, durationMs }) => (tone === "bad" ? durationMs : null));
  return (
    <>
      <p class="keys">
        <span class="key one" /> passed <span class="key bad" /> failed
      </p>
      <Chart
        label={`Durations of ${points.length} runs, the newest on the right; the table below has their middle`}
        theme={theme}
        data={[points.map((_, index) => index + 1), good, bad]}
        series={["--chart-one", "--bad"]}
        value={duration}
        isCount
        onlyPoints
      />
    </>
  );
}

interface ChartProps {
  label: string;
  theme: string;
  data: (number | null)[][];
  series: string[];
  value(value: number): string;
  range?: [number, number];
  isCount?: boolean;
  onlyPoints?: boolean;
}

function Chart({ label, theme, data, series, value, range, isCount, onlyPoints }: ChartProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current!;
    const colors = getComputedStyle(element);
    const color = (name: string): string => colors.getPropertyValue(name).trim();
    const axis = {
      stroke: color("--pale"),
      grid: { stroke: color("--line"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    const chart = new UPlot(
      {
        width: element.clientWidth,
        height: 180,
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: { time: isCount !== true },
          y: { range: range ?? ((_chart, _low, high) => [0, (high || 1) * 1.1]) },
        },
        axes: [
          {
            ...axis,
            size: 28,
            ...(isCount === true ? { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000] } : {}),
          },
          { ...axis, size: 70, values: (_chart, values) => values.map(value) },
        ],
        series: [
          {},
          ...series.map((name) => ({
            stroke: color(name),
            width: 2,
            points: { show: true, size: 6, fill: color(name) },
            spanGaps: true,
            ...(onlyPoints === true ? { paths: () => null } : {}),
          })),
        ],
      },
      data as UPlot.AlignedData,
      element,
    );
    const watcher = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: 180 }));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      chart.destroy();
    };
  }, [JSON.stringify(data), theme]);
  return <div ref={box} class="chart" role="img" aria-label={label} />;
}
