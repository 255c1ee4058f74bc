/** The verbs that need no engine, as whole processes on a large project with a long history. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { RunStore, type RunRecord, type Span } from "../../src/run/index.ts";
import { ProjectState } from "../../src/state/index.ts";
import { percentile } from "../../src/stats/index.ts";
import { cliFile } from "./cli.ts";
import type { Bench, Row } from "./types.ts";

const targets = 1000;
const filesPerTarget = 10;
const runs = 10_000;
const spans = 10_000;

/** `status`: the exit code, 1 where something differs. */
const measures: { name: string; words: string[]; belowMs: number; status?: number }[] = [
  { name: "validate, 1,000 targets", words: ["validate"], belowMs: 300 },
  { name: "stats, 10,000 runs", words: ["stats", "--since", "3000d"], belowMs: 300 },
  { name: "diff of two runs of 10,000 operations", words: ["diff", "t0~1", "t0"], belowMs: 250, status: 1 },
  { name: "bare fastloop, 10,000 inputs", words: [], belowMs: 200 },
];
const belowMb = 100;
/** The first rounds fill caches, of the project and of compiled code. */
const warmUps = 3;

export const verbsBench: Bench = {
  name: "verbs",
  summary: "validate, stats, diff and bare fastloop as whole processes",
  run: ({ note, words }) => {
    const rounds = Number(words[0] ?? 50);
    const root = mkdtempSync(path.join(tmpdir(), "fastloop-bench-verbs-"));
    try {
      note(`generating ${targets} targets, ${targets * filesPerTarget} files, ${runs} runs`);
      makeProject(root);
      makeHistory(root);
      return Promise.resolve(measure(root, rounds, note));
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  },
};

/** What one process took. */
interface Taken {
  wallMs: number;
  /** User and system time: of use on a busy machine, where elapsed time is not. */
  cpuMs: number;
  memoryMb: number;
}

/** In turns, so that a busy machine hits all alike. */
function measure(root: string, rounds: number, note: (text: string) => void): Row[] {
  const node: Taken[] = [];
  const taken = new Map(measures.map(({ name }) => [name, [] as Taken[]]));
  for (let round = -warmUps; round < rounds; round++) {
    const reference = timed(root, ["-e", "0"]);
    if (round >= 0) node.push(reference);
    for (const { name, words, status } of measures) {
      const one = timed(root, [cliFile, ...words], status);
      if (round >= 0) taken.get(name)?.push(one);
    }
  }
  note(`${rounds} rounds each, in turns`);
  return measures.flatMap(({ name, belowMs }) => {
    const own = taken.get(name) ?? [];
    const row = (what: string, key: keyof Taken, percent: number): Row => {
      const [value, reference] = [percentileOf(own, key, percent), percentileOf(node, key, percent)];
      const unit = key === "memoryMb" ? "MB" : "ms";
      return { case: `${name}, ${what}`, value, unit, reference, ratio: value / reference, against: "node -e 0" };
    };
    const [wall, memory] = [row("p95", "wallMs", 95), row("most memory", "memoryMb", 100)];
    return [
      { ...wall, aim: `< ${belowMs} ms`, met: wall.value < belowMs },
      row("CPU, median", "cpuMs", 50),
      { ...memory, aim: `< ${belowMb} MB`, met: memory.value < belowMb },
    ];
  });
}

function percentileOf(taken: readonly Taken[], key: keyof Taken, percent: number): number {
  const values = taken.map((one) => one[key]).sort((a, b) => a - b);
  return percentile(values, percent);
}

/** Writes what the process used to its descriptor 3 at the end. */
const telling = `import { writeSync } from "node:fs";
process.on("exit", () => writeSync(3, JSON.stringify(process.resourceUsage())));`;

function timed(cwd: string, words: readonly string[], expected = 0): Taken {
  const startedMs = performance.now();
  const { output, status } = spawnSync(
    process.execPath,
    ["--import", `data:text/javascript,${encodeURIComponent(telling)}`, ...words],
    { cwd, stdio: ["ignore", "ignore", "ignore", "pipe"], encoding: "utf8" },
  );
  const wallMs = performance.now() - startedMs;
  // What ends early takes little.
  if (status !== expected) throw new Error(`${words.join(" ")} exited with ${status}`);
  const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(output[3] ?? "") as NodeJS.ResourceUsage;
  return { wallMs, cpuMs: (userCPUTime + systemCPUTime) / 1000, memoryMb: maxRSS / 1024 };
}

const moduleSource = `import { Directory, func, object } from "@dagger.io/dagger"

@object()
export class Big {
  @func()
  test(source: Directory, part = "a"): string {
    return part
  }
}
`;

function makeProject(root: string): void {
  const write = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  const manifest = { name: "big", engineVersion: "v0.21.4", sdk: { source: "typescript" }, source: "ci" };
  write("dagger.json", JSON.stringify(manifest));
  write("ci/package.json", `{ "type": "module" }`);
  write("ci/src/index.ts", moduleSource);
  const lines = Array.from({ length: targets }, (_, index) => {
    const folder = `packages/g${Math.floor(index / 50)}/p${index}`;
    for (let file = 0; file < filesPerTarget; file++) write(`${folder}/f${file}.txt`, `${index} ${file}`);
    return `    t${index}: { call: "test --source ${folder} --part x${index}", inputs: [${folder}/] }\n`;
  });
  write("fastloop.yaml", `version: 1\nwatch:\n  targets:\n${lines.join("")}`);
}

function makeHistory(root: string): void {
  const store = new RunStore(new ProjectState(root));
  const start = Date.parse("2026-01-01T00:00:00Z");
  for (let index = 0; index < runs; index++) {
    // Two of the first function's runs have a tree of operations, one a tenth of it other.
    const isLarge = index % targets === 0 && index >= runs - 2 * targets;
    add(store, `t${index % targets}`, start + index * 60_000, isLarge ? operations(index) : []);
  }
}

const operations = (seed: number): Span[] =>
  Array.from({ length: spans }, (_, at) => ({
    name: `exec step ${at}${at % 10 === 0 ? ` ${seed}` : ""}`,
    startMs: at,
    durationMs: 10,
    cached: false,
  }));

function add(store: RunStore, target: string, atMs: number, own: readonly Span[]): void {
  const startedAt = new Date(atMs);
  const record: RunRecord = {
    version: 1,
    id: store.newId(target, startedAt),
    target,
    digest: `d${atMs}`,
    fingerprint: {
      format: 2,
      function: "test",
      call: ["test"],
      inputs: [],
      module: "m",
      engine: "e",
      environment: {},
      needs: {},
      secrets: {},
    },
    reasons: [],
    outcome: atMs % 7 === 0 ? "failed" : "passed",
    fresh: true,
    engine: { kind: "embedded", version: "e" },
    startedAt: startedAt.toISOString(),
    durationMs: 500 + (atMs % 997),
    steps: { total: 10, cached: 4 },
  };
  store.add(record, { tier: "fast", slowTests: [["a test", 12]] }, own);
}
