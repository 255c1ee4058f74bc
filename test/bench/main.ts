/**
 * `npm run bench` lists the benchmarks, `npm run bench -- NAME [--json]` runs one. `--json` prints one object
 * `{name, rows: [{case, value, unit, reference, ratio}]}`; a figure is always beside the peer or limit of the same run.
 * What can't be measured ends the run with exit code 1 and the reason: there are no figures then.
 */
import type { Bench, Row } from "./types.ts";

const benches: Record<string, { summary: string; load(): Promise<Bench> }> = {
  start: {
    summary: "start-up of the CLI: --version beside `node -e 0`",
    load: async () => (await import("./start.ts")).startBench,
  },
  loop: {
    summary: "save to printed verdict in `watch`, 50 / 5,000 / 50,000 files, beside the same exec by buildctl",
    load: async () => (await import("./loop.ts")).loopBench,
  },
  call: {
    summary: "`call` with nothing changed beside `node -e 0` [FILES]",
    load: async () => (await import("./call.ts")).callBench,
  },
  engine: {
    summary:
      "typical operations on the embedded engine beside buildctl and a Dagger engine that is named [WORDS OF CASES; 50,000 takes minutes]",
    load: async () => (await import("./engine.ts")).engineBench,
  },
  "dagger-call": {
    summary: "edit to verdict of one function through fastloop and through `dagger call` on the same Dagger engine",
    load: async () => (await import("./dagger-call.ts")).daggerCallBench,
  },
  images: {
    summary:
      "dev images of the examples beside the same as plain Dockerfiles: cold, source, lock-file, base edit [NAMES]",
    load: async () => (await import("./images.ts")).imagesBench,
  },
  soak: {
    summary: "1,000 sequential and 50 concurrent sessions: what the daemon holds afterwards [SEQUENTIAL CONCURRENT]",
    load: async () => (await import("./soak-bench.ts")).soakBench,
  },
  deploy: {
    summary: "no-op, image change and 100 objects beside kubectl and helm on the same API server",
    load: async () => (await import("./deploy.ts")).deployBench,
  },
  watch: {
    summary:
      "watch beside wireit, turbo, nx and re-runners: ready, save to start, memory, idle CPU, lost edits [10k 100k]",
    load: async () => (await import("./watch.ts")).watchBench,
  },
  verbs: {
    summary:
      "validate, stats, diff and bare fastloop as whole processes: 1,000 targets, 10,000 inputs and runs [ROUNDS]",
    load: async () => (await import("./verbs.ts")).verbsBench,
  },
  modules: {
    summary: "load and call of a module with three dependencies, beside the same without: warm, after an edit [ROUNDS]",
    load: async () => (await import("./modules.ts")).modulesBench,
  },
  plan: {
    summary: "one-shot commands with nothing to do or one edit, beside wireit, turbo and nx [10k 100k]",
    load: async () => (await import("./plan.ts")).planBench,
  },
};

const round = (value: number): number => Number(value.toFixed(value < 10 ? 2 : 1));

function table(rows: readonly Row[]): string {
  const head = ["case", "value", "reference", "ratio", "aim"];
  const lines = rows.map((row) => [
    row.case,
    `${round(row.value)} ${row.unit}`,
    row.reference === undefined ? "" : `${round(row.reference)} ${row.unit} (${row.against ?? "reference"})`,
    row.ratio === undefined ? "" : `${round(row.ratio)}x`,
    row.aim === undefined ? "" : `${row.aim} ${row.met === true ? "met" : "MISSED"}`,
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)));
  const render = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [render(head), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...lines.map(render)].join("\n");
}

async function main(): Promise<number> {
  const words = process.argv.slice(2);
  const json = words.includes("--json");
  const [name, ...rest] = words.filter((word) => !word.startsWith("-"));
  if (name === undefined) {
    const list = Object.entries(benches).map(([key, { summary }]) => ({ name: key, summary }));
    process.stdout.write(
      json ? `${JSON.stringify(list)}\n` : `${list.map((b) => `${b.name.padEnd(14)}${b.summary}`).join("\n")}\n`,
    );
    return 0;
  }
  const entry = benches[name];
  if (entry === undefined) {
    process.stderr.write(`bench: no benchmark ${name}; there are: ${Object.keys(benches).join(", ")}\n`);
    return 2;
  }
  const bench = await entry.load();
  let problems = 0;
  const rows = await bench.run({
    note: (text) => void process.stderr.write(`${text}\n`),
    problem: (text) => {
      problems++;
      process.stderr.write(`bench: not measured: ${text}\n`);
    },
    words: rest,
  });
  process.stdout.write(json ? `${JSON.stringify({ name, rows })}\n` : `${table(rows)}\n`);
  return problems === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
}
