/** Edits of services that are up: how long they take beside the same program on the machine itself, and what stays behind after many. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { embeddedEngine } from "../../src/engine/index.ts";
import { freePorts, get } from "../e2e/up-project.ts";
import { WatchProcess } from "../e2e/loop-project.ts";
import { descendants, onPrivateEngine } from "./soak.ts";
import { median, quantile } from "./stats.ts";
import type { Bench, Report, Row } from "./types.ts";

const image = "node:22-bookworm-slim";
const mostRounds = 60;
const lookMs = 2;
const giveUpMs = 60_000;

/** Answers what `msg.mjs` says. */
const program = `import { text } from "./msg.mjs";
import http from "node:http";
http.createServer((_request, response) => response.end(text)).listen(Number(process.env.PORT ?? 8080));
`;

/** What must not grow with the edits: of `up` itself, of the engine, and of the programs below it. */
interface Footprint {
  cliMb: number;
  cliFiles: number;
  engineMb: number;
  engineFiles: number;
  processes: number;
}

const fields: readonly [keyof Footprint, string, Row["unit"], number][] = [
  ["cliMb", "memory of up", "MB", 1.2],
  ["cliFiles", "open files of up", "count", 1.1],
  ["engineMb", "memory of the engine", "MB", 1.2],
  ["engineFiles", "open files of the engine", "count", 1.1],
  ["processes", "processes of the engine and its services", "count", 1],
];

export const upBench: Bench = {
  name: "up",
  summary:
    "save to new response of a service: synced, restarted, made anew, beside node --watch here; and what 60 rounds of edits leave behind [ROUNDS]",
  run: (report) => onPrivateEngine(report.note, () => measure(report)),
};

const p95 = (samples: readonly number[]): number => quantile(samples, 0.95);

async function measure({ note, words: [rounds = String(mostRounds)] }: Report): Promise<Row[]> {
  const root = mkdtempSync(path.join(tmpdir(), "fastloop-bench-up-"));
  const [synced = 0, restarted = 0, rebuilt = 0, here = 0] = await freePorts(4);
  const write = (name: string, text: string): void => {
    const file = path.join(root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  const message = (text: string): string => `export const text = "${text}";\n`;
  for (const folder of ["synced", "restarted", "rebuilt", "here"]) {
    write(`${folder}/server.mjs`, program);
    write(`${folder}/msg.mjs`, message("first"));
  }
  const service = (folder: string, port: number, command: string): object => ({
    image,
    mounts: { [`${folder}/`]: "/app" },
    workdir: "/app",
    command,
    ports: `${port}:8080`,
  });
  const config = {
    version: 1,
    name: "bench",
    module: "fastloop",
    services: {
      synced: service("synced", synced, "node --watch server.mjs"),
      restarted: service("restarted", restarted, "node server.mjs"),
      rebuilt: service("rebuilt", rebuilt, "node server.mjs"),
    },
    up: { restarted: { restart: ["restarted/"] }, rebuilt: { rebuild: ["rebuilt/"] } },
  };
  write("fastloop.yaml", JSON.stringify(config));
  const up = new WatchProcess(root, [], "up");
  const limit = onThisMachine(path.join(root, "here"), here);
  try {
    await up.next("settled");
    const ways = { here, synced, restarted, rebuilt };
    const times: Record<keyof typeof ways, number[]> = { here: [], synced: [], restarted: [], rebuilt: [] };
    for (const [name, port] of Object.entries(ways)) await answer(port, "first", name);
    let warm: Footprint | undefined;
    const all = Number(rounds);
    for (let round = 0; round < all; round++) {
      // All that is loaded and compiled once is there by then.
      if (round === Math.floor(all / 3)) warm = await footprint(up.child.pid!);
      for (const [name, port] of Object.entries(ways) as [keyof typeof ways, number][]) {
        const text = `${name} ${round}`;
        const savedAt = performance.now();
        write(`${name}/msg.mjs`, message(text));
        await answer(port, text, name);
        times[name].push(performance.now() - savedAt);
      }
      if (round % 10 === 9) note(`${round + 1} of ${all} rounds`);
    }
    const end = await footprint(up.child.pid!);
    return [...timeRows(times), ...footprintRows(warm!, end)];
  } finally {
    // The group: who watches leaves its server behind when it is killed.
    process.kill(-limit.pid!, "SIGKILL");
    await up.kill("SIGINT");
    rmSync(root, { recursive: true, force: true });
  }
}

function timeRows(times: Record<"here" | "synced" | "restarted" | "rebuilt", number[]>): Row[] {
  const reference = { p50: median(times.here), p95: p95(times.here) };
  const row = (what: string, value: number, of: number, aim?: [text: string, met: boolean]): Row => ({
    case: what,
    value,
    unit: "ms",
    reference: of,
    against: "node --watch on this machine",
    ratio: value / of,
    ...(aim === undefined ? {} : { aim: aim[0], met: aim[1] }),
  });
  const [synced, restarted, rebuilt] = [median(times.synced), median(times.restarted), median(times.rebuilt)];
  return [
    row("synced, node --watch, p50", synced, reference.p50, ["<= limit + 60 ms", synced <= reference.p50 + 60]),
    row("synced, node --watch, p95", p95(times.synced), reference.p95),
    row("restarted in place, p50", restarted, reference.p50, ["< 1 s", restarted < 1_000]),
    row("restarted in place, p95", p95(times.restarted), reference.p95),
    row("made anew beside, p50", rebuilt, reference.p50, ["< 1.5 s", rebuilt < 1_500]),
    row("made anew beside, p95", p95(times.rebuilt), reference.p95),
  ];
}

const footprintRows = (warm: Footprint, end: Footprint): Row[] =>
  fields.map(([name, what, unit, limit]) => ({
    case: what,
    value: end[name],
    unit,
    reference: warm[name],
    against: "after a third of the edits",
    ratio: end[name] / warm[name],
    aim: `<= ${limit}x`,
    met: end[name] <= warm[name] * limit,
  }));

/** The limit: the same program and watcher without a container. */
function onThisMachine(cwd: string, port: number): ChildProcess {
  const env = { ...process.env, PORT: String(port) };
  return spawn(process.execPath, ["--watch", "server.mjs"], { cwd, env, stdio: "ignore", detached: true });
}

async function answer(port: number, wanted: string, name: string): Promise<void> {
  const lastMs = performance.now() + giveUpMs;
  while ((await get(port)) !== wanted) {
    if (performance.now() > lastMs) throw new Error(`${name} does not answer ${wanted}`);
    await sleep(lookMs);
  }
}

/** The smallest of some looks: garbage is collected when it must, containers that were replaced take a moment to go. */
async function footprint(cli: number): Promise<Footprint> {
  const engine = await (await embeddedEngine()).status();
  if (engine === undefined) throw new Error("the engine does not run");
  let least: Footprint | undefined;
  for (let look = 0; look < 10; look++) {
    await sleep(300);
    const now: Footprint = {
      cliMb: residentMb(cli),
      cliFiles: readdirSync(`/proc/${cli}/fd`).length,
      engineMb: residentMb(engine.pid),
      engineFiles: readdirSync(`/proc/${engine.pid}/fd`).length,
      processes: descendants(engine.pid),
    };
    const before = least ?? now;
    least = Object.fromEntries(
      fields.map(([name]) => [name, Math.min(now[name], before[name])]),
    ) as unknown as Footprint;
  }
  return least!;
}

const residentMb = (pid: number): number =>
  Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024);
