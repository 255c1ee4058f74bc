import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { packageRoot } from "../../src/paths/index.ts";
import { openSession, embeddedEngine, type DaemonStatus } from "../../src/engine/index.ts";
import { temporaryRoot } from "../../src/engine-daemon/set-up/paths.ts";
import { startPrivateEngine } from "./private-engine.ts";

/** What must be the same after thousands of sessions as after the first. */
export interface Footprint {
  rssMb: number;
  openFiles: number;
  sessions: number;
  /** Processes below the daemon: buildkitd, the registry, and whatever containers left. */
  processes: number;
  temporaryFiles: number;
}

export interface SoakResult {
  warm: Footprint;
  end: Footprint;
  perSessionMs: number;
}

/** Runs `work` on an engine of its own, with a folder for temporary files of its own. */
export async function onPrivateEngine<T>(note: (text: string) => void, work: () => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-soak-"));
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = folder;
  try {
    const engine = await startPrivateEngine(note);
    try {
      return await work();
    } finally {
      await engine.stop();
    }
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Opens sessions one after the other, then some at once, each running a command; measures the daemon before and after. */
export async function soak({
  sequential,
  concurrent,
}: {
  sequential: number;
  concurrent: number;
}): Promise<SoakResult> {
  const warmUp = Math.min(60, sequential);
  for (let index = 0; index < warmUp; index++) await oneSession(`warm ${index}`);
  await Promise.all(Array.from({ length: concurrent }, (_, index) => oneSession(`warm ${index} of many`)));
  const warm = await settled();
  const startedAt = performance.now();
  for (let index = 0; index < sequential; index++) await oneSession(`${index}`);
  const perSessionMs = (performance.now() - startedAt) / sequential;
  await Promise.all(Array.from({ length: concurrent }, (_, index) => oneSession(`${index} of many`)));
  return { warm, end: await settled(), perSessionMs };
}

/** A session as a command has it: a secret, a command with output of its own, and every tenth time a service and a host file. */
async function oneSession(word: string): Promise<void> {
  const session = await openSession({ workdir: packageRoot(), engine: "embedded" });
  try {
    const { setSecret } = await session.query<{ setSecret: { id: string } }>(
      `query($word: String!) { setSecret(name: "soak", plaintext: $word) { id } }`,
      { word },
    );
    // Ten different commands: most sessions find their result in the cache, as in the loop.
    const text = `soak ${word.length % 10}`;
    const exec = `{ container { from(address: "debian:bookworm-slim") { withExec(args: ["echo", ${JSON.stringify(text)}]) { stdout } } } }`;
    const { container } = await session.query<{ container: { from: { withExec: { stdout: string } } } }>(exec);
    if (container.from.withExec.stdout !== `${text}\n`) throw new Error(`wrong output for ${word}`);
    if (word.endsWith("0")) {
      await session.query(
        `{ host { file(path: "package.json") { size } } node(id: ${JSON.stringify(setSecret.id)}) { ... on Secret { name } } }`,
      );
      await session.query(
        `{ container { from(address: "debian:bookworm-slim") { asService(args: ["sleep", "1000"]) { start } } } }`,
      );
    }
  } finally {
    await session.close();
  }
}

async function status(engine: Awaited<ReturnType<typeof embeddedEngine>>): Promise<DaemonStatus> {
  const now = await engine.status();
  if (now === undefined) throw new Error("the engine does not run");
  return now;
}

/** Ends of sessions are still being worked off for a moment. The smallest of some looks counts: garbage is collected when it must. */
async function settled(): Promise<Footprint> {
  const engine = await embeddedEngine();
  let least: Footprint | undefined;
  for (let look = 0; look < 12; look++) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const now = footprint(await status(engine));
    least = least === undefined ? now : leastOf(least, now);
  }
  return least!;
}

function leastOf(a: Footprint, b: Footprint): Footprint {
  const names = Object.keys(a) as (keyof Footprint)[];
  return Object.fromEntries(names.map((name) => [name, Math.min(a[name], b[name])])) as unknown as Footprint;
}

function footprint({ pid, sessions, stateDir }: DaemonStatus): Footprint {
  const rssKb = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  return {
    rssMb: Math.round(rssKb / 1024),
    openFiles: readdirSync(`/proc/${pid}/fd`).length,
    sessions,
    processes: descendants(pid),
    // Sessions' own; of a socket's folder BuildKit leaves the empty name, which goes with the daemon.
    temporaryFiles: readdirSync(temporaryRoot(stateDir)).filter((name) => name.startsWith("fastloop-api-")).length,
  };
}

export function descendants(root: number): number {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // It ended meanwhile.
    }
  }
  return [...parents.keys()].filter((pid) => {
    for (let up = parents.get(pid); up !== undefined && up > 1; up = parents.get(up)) if (up === root) return true;
    return false;
  }).length;
}
