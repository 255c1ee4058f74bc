/**
 * `npm run bench` lists the benchmarks, `npm run bench -- NAME [--json]` runs one, `all` those that need nothing but this
 * machine, with `--quick` in ten minutes. `--ratios=FILE` compares with the ratios in it and adds those of this run. `--json` prints one object
 * `{name, rows: [{case, value, unit, reference, ratio}]}`; a figure is always beside the peer or limit of the same run.
 * What can't be measured ends the run with exit code 1 and the reason: there are no figures then.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { compareRatios, parseRatios, type Worse } from "./ratios.ts";
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
  up: {
    summary:
      "save to new response of a service, synced, restarted and made anew, beside node --watch here; what stays [ROUNDS]",
    load: async () => (await import("./up.ts")).upBench,
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

/** What `all` runs, with what it is told for `--quick`: sizes and rounds by which all of them take ten minutes. */
const together: Record<string, readonly string[]> = {
  start: [],
  call: ["50", "5000"],
  verbs: ["5"],
  plan: ["10k", "fastloop", "turbo"],
  loop: ["50", "5000"],
  modules: ["3"],
  soak: ["25", "10"],
};

async function main(): Promise<number> {
  const words = process.argv.slice(2);
  const json = words.includes("--json");
  const [name, ...rest] = words.filter((word) => !word.startsWith("-"));
  if (name === undefined) {
    const list = Object.entries(benches).map(([key, { summary }]) => ({ name: key, summary }));
    const text = [...list, { name: "all", summary: `${Object.keys(together).join(", ")} [--quick: ten minutes]` }];
    process.stdout.write(
      json ? `${JSON.stringify(list)}\n` : `${text.map((b) => `${b.name.padEnd(14)}${b.summary}`).join("\n")}\n`,
    );
    return 0;
  }
  const unknown = words.find((word) => word.startsWith("-") && !/^--(json|quick|ratios=.+)$/.test(word));
  if ((name !== "all" && benches[name] === undefined) || unknown !== undefined) {
    const what = unknown === undefined ? `benchmark ${name}` : `option ${unknown}`;
    process.stderr.write(`bench: no ${what}; there are: ${[...Object.keys(benches), "all"].join(", ")}\n`);
    return 2;
  }
  let problems = 0;
  const problem = (text: string): void => {
    problems++;
    process.stderr.write(`bench: not measured: ${text}\n`);
  };
  const quick = words.includes("--quick");
  const chosen =
    name === "all"
      ? Object.entries(together).map(([of, few]) => ({ of, given: quick ? few : [] }))
      : [{ of: name, given: rest }];
  const results: { name: string; rows: Row[] }[] = [];
  for (const { of, given } of chosen) {
    if (name === "all") process.stderr.write(`== ${[of, ...given].join(" ")}\n`);
    try {
      const bench = await benches[of]!.load();
      const rows = await bench.run({ note: (text) => void process.stderr.write(`${text}\n`), problem, words: given });
      results.push({ name: of, rows });
      if (!json) process.stdout.write(`${table(rows)}\n`);
    } catch (error) {
      // One that can't be measured keeps nobody from the others.
      if (name !== "all") throw error;
      problem(`${of}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (json) process.stdout.write(`${JSON.stringify(name === "all" ? results : results[0])}\n`);
  const file = words.find((word) => word.startsWith("--ratios="))?.slice("--ratios=".length);
  const worse = file === undefined ? [] : keepRatios(file, results);
  return problems === 0 && worse.length === 0 ? 0 : 1;
}

/** Compares with the file's ratios and adds those of this run; says what got worse. */
function keepRatios(file: string, results: readonly { name: string; rows: readonly Row[] }[]): readonly Worse[] {
  const { worse, kept } = compareRatios(existsSync(file) ? parseRatios(readFileSync(file, "utf8")) : {}, results);
  writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`);
  for (const { case: of, ratio, usual } of worse)
    process.stderr.write(`bench: worse: ${of}: ${round(ratio)}x, usually ${round(usual)}x\n`);
  return worse;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
}
