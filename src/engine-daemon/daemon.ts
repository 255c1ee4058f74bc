/** Lifecycle of the daemon: sweep, start BuildKit and the servers, serve, and stop when idle or on request. */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import type { EngineInfo } from "../core-api/types.ts";
import { type BackendOptions, startBackend } from "./buildkitd/backend.ts";
import { openMemoryCgroup } from "./buildkitd/memory-cgroup.ts";
import { startControl } from "./control/control.ts";
import { makeControlSecret } from "./control/control-secret.ts";
import { startGraphqlServer } from "./control/graphql-server.ts";
import type { Log } from "./buildkitd/log.ts";
import { controlSocket, shimDir, socketDir, temporaryRoot } from "./set-up/paths.ts";
import { packageRoot } from "../paths/index.ts";
import { createPreparePlatform } from "./set-up/platforms.ts";
import { forgetProcess, noteProcess } from "./buildkitd/process-file.ts";
import { knownImagesIn } from "./known-images.ts";
import { restWhenIdle } from "./rest.ts";
import { createSessions } from "./control/sessions.ts";
import { sweep } from "./buildkitd/sweep.ts";
import { createFindShim } from "./set-up/shims.ts";

declare const __FASTLOOP_VERSION__: string;

export interface DaemonOptions {
  state: string;
  log: Log;
  idleTimeoutMs: number;
  source: BackendOptions["source"];
}

/** Longest interval between checks for idleness. */
const maxIdleCheckMs = 5000;

/** Runs the daemon. Resolves when it has stopped and cleaned up. Throws when BuildKit cannot be kept running. */
export async function runDaemon({ state, log, idleTimeoutMs, source }: DaemonOptions): Promise<void> {
  noteProcess(state, "daemon", process.pid);
  const root = packageRoot();
  const buildId = readFileSync(path.join(root, "dist", "build-id"), "utf8").trim();
  const startedAt = new Date().toISOString();
  let stop: (reason: string) => void = () => undefined;
  let failed: Error | undefined;
  const stopped = new Promise<string>((resolve) => (stop = resolve));
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop(signal));
  process.on("SIGHUP", () => undefined);
  const onError = (error: unknown): void =>
    log.write("engine", error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.on("unhandledRejection", onError);

  await sweep(state, log);
  mkdirSync(temporaryRoot(state), { recursive: true, mode: 0o700 });
  const rest = restWhenIdle();
  const memory = "buildkitd" in source ? openMemoryCgroup(state) : undefined;
  const sessions = createSessions({
    memory,
    working: rest.working,
    shimDirectory: createFindShim((arch) => path.join(shimDir(root, arch), "shim")),
    temporaryRoot: temporaryRoot(state),
    knownImages: knownImagesIn(state, () => backend.status().registry?.address),
    preparePlatform: "buildkitd" in source ? createPreparePlatform() : undefined,
    onError,
    hide: (mask) => log.hide(mask),
  });
  const backend = await startBackend({
    state,
    source,
    log,
    ...(memory === undefined ? {} : { cgroupParent: memory.name }),
    onLost: (reason) => void sessions.closeAll(reason),
    onBroken(error) {
      failed = error;
      stop(error.message);
    },
  });
  const graphql = await startGraphqlServer({ find: sessions.find, working: rest.working, onError });
  // Releases the memory that the start itself took.
  rest.working()();

  const engineInfo = (): EngineInfo => ({
    kind: "embedded",
    version: `fastloop ${__FASTLOOP_VERSION__} on buildkit ${backend.status().buildkit.version}`,
    reason: "",
  });
  const control = await startControl({
    socket: controlSocket(state),
    secret: makeControlSecret(state),
    onNote: (text) => log.write("engine", text),
    graphqlPort: graphql.port,
    buildId,
    sessions,
    client: () => backend.client(),
    engineInfo,
    stop: (reason) => stop(reason),
    onError,
    status: () => ({
      pid: process.pid,
      buildId,
      version: __FASTLOOP_VERSION__,
      startedAt,
      stateDir: state,
      ...backend.status(),
      sessions: sessions.count,
      idleMs: Math.round(sessions.idleMs()),
      idleTimeoutMs,
    }),
  });
  log.write("engine", `ready: pid ${process.pid}, build ${buildId}, stops after ${idleTimeoutMs} ms without a session`);
  const idleCheck = setInterval(
    () => sessions.idleMs() >= idleTimeoutMs && stop(`idle for ${idleTimeoutMs} ms`),
    Math.min(maxIdleCheckMs, Math.max(10, idleTimeoutMs / 4)),
  );

  log.write("engine", `stopping: ${await stopped}`);
  clearInterval(idleCheck);
  rest.stop();
  // Close the control socket first: a client that finds it closed starts a new daemon, instead of reaching one that is
  // stopping.
  control.close();
  await sessions.closeAll("the engine stops");
  graphql.close();
  await backend.stop();
  memory?.remove();
  for (const name of ["buildkitd.sock", "otel.sock"]) rmSync(path.join(socketDir(state), name), { force: true });
  rmSync(temporaryRoot(state), { recursive: true, force: true });
  forgetProcess(state, "daemon");
  log.write("engine", "stopped");
  if (failed !== undefined) throw failed;
}
