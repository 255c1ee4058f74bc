/** Renders charts as inline SVG without scripts or external resources. */
import { duration } from "../report/index.ts";

const width = 720;
const height = 180;
const margin = { left: 64, right: 8, top: 8, bottom: 24 };

export interface Series {
  name: string;
  /** CSS class on the page. */
  style: string;
  /** A value for each label; undefined for a gap. */
  values: readonly (number | undefined)[];
}

/** Renders lines over labels, starting from zero. */
export function lineChart(labels: readonly string[], series: readonly Series[]): string {
  const most = Math.max(1, ...series.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const x = (index: number): number =>
    margin.left + (labels.length < 2 ? 0.5 : index / (labels.length - 1)) * (width - margin.left - margin.right);
  const y = (value: number): number => height - margin.bottom - (value / most) * (height - margin.top - margin.bottom);
  const lines = series.map(({ name, style, values }) => {
    const points = values.flatMap((value, index) => (value === undefined ? [] : [{ index, value }]));
    const path = points.map(({ index, value }) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
    const marks = points.map(
      ({ index, value }) =>
        `<circle class="${style}" cx="${x(index).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3"><title>${escape(
          `${name}, ${labels[index]}: ${duration(value)}`,
        )}</title></circle>`,
    );
    return `<polyline class="${style}" points="${path}"/>${marks.join("")}`;
  });
  const scale = [0, 0.5, 1].map(
    (part) =>
      `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${y(most * part)}" y2="${y(most * part)}"/>` +
      `<text x="${margin.left - 6}" y="${y(most * part) + 4}" text-anchor="end">${escape(duration(most * part))}</text>`,
  );
  const ends = [...new Set([0, labels.length - 1])].map(
    (index) =>
      `<text x="${x(index).toFixed(1)}" y="${height - 6}" text-anchor="${index === 0 ? "start" : "end"}">${escape(labels[index] ?? "")}</text>`,
  );
  return `<svg viewBox="0 0 ${width} ${height}" role="img">${scale.join("")}${lines.join("")}${ends.join("")}</svg>`;
}

/** Renders a bar whose length is the share of the longest. */
export function bar(value: number, most: number): string {
  const part = most === 0 ? 0 : Math.max(0, Math.min(1, value / most));
  return `<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none"><rect width="${(part * 100).toFixed(1)}" height="10"/></svg>`;
}

/** Escapes text for HTML and attributes. */
export function escape(text: string): string {
  const forms: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replaceAll(/[&<>"']/g, (character) => forms[character] ?? character);
}
