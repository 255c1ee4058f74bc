/**
 * Runs services for as long as this process runs: opens the engine session, the control socket and the event stream.
 */
import { CallMask } from "../../call/index.ts";
import { lostSession, setUpBoundary, type EngineSession } from "../../engine/index.ts";
import { UserError } from "../../errors/index.ts";
import { takeLock } from "../../engine-daemon/index.ts";
import { startFunctionRuntime, type ModuleInfo } from "../../module/index.ts";
import { projectHasher } from "../../plan/index.ts";
import {
  LiveUpdates,
  portOffset,
  serveControl,
  ServiceSource,
  Shells,
  Supervisor,
  type RunningModule,
  type UpEvent,
  type UpStatus,
} from "../../services/index.ts";
import { ProjectSession } from "../../session/index.ts";
import { hostProcessAsk } from "../../trust/index.ts";
import type { CliContext } from "../context.ts";
import type { UpProject } from "./project.ts";
import { Reread, rulesOfProject } from "./reread.ts";

/** The engine stops containers within two seconds; the CLI waits no longer than this. */
const stopMs = 1_600;

export interface RunningUp {
  supervisor: Supervisor;
  /** Resolves when another command or the engine has ended it, with the error if there is one. */
  ended: Promise<UserError | undefined>;
  /** Subscribes to all events from now on; returns a function that unsubscribes. */
  subscribe(listener: (event: UpEvent) => void): () => void;
  /** Stops the services and releases all resources. */
  close(): Promise<void>;
}

/**
 * Opens a session, creates the services and takes their ports. Builds nothing before `supervisor.start`. Throws when
 * the project is up already.
 */
export async function openUp(
  project: UpProject,
  context: CliContext,
  offline: boolean,
  listener: (event: UpEvent) => void,
): Promise<RunningUp> {
  project.up.prepare();
  const release = await takeLock(project.up.folder);
  if (release === undefined) throw alreadyUp(project);
  const cleanUps: (() => unknown)[] = [release];
  const closeAll = async (): Promise<void> => {
    for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
  };
  try {
    return await open(project, context, offline, listener, cleanUps, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function alreadyUp({ up, name }: UpProject): UserError {
  const pid = up.running()?.pid;
  return new UserError("locked", `services of ${name} are up already${pid === undefined ? "" : ` (process ${pid})`}`, {
    hint: "`fastloop status` shows them, `fastloop down` ends them",
  });
}

async function open(
  project: UpProject,
  context: CliContext,
  offline: boolean,
  listener: (event: UpEvent) => void,
  cleanUps: (() => unknown)[],
  closeAll: () => Promise<void>,
): Promise<RunningUp> {
  const { signal } = context;
  const listeners = new Set([listener]);
  const mask = new CallMask();
  const emit = (event: UpEvent): void => listeners.forEach((each) => each(event));
  const subscribe = (each: (event: UpEvent) => void): (() => void) => {
    listeners.add(each);
    return () => listeners.delete(each);
  };
  const onNotice = (text: string): void => emit({ kind: "notice", text });
  const shells = new Shells();
  const session = await openUpSession(project, context, offline, shells, onNotice);
  cleanUps.push(() => session.close());
  const run = (module: ModuleInfo, of: UpProject): RunningModule =>
    runtimeOf(module, session, of, context, offline, onNotice);
  const own = run(project.own, project);
  cleanUps.push(() => own.runtime.close());
  const { module } = project;
  const running = module === undefined ? undefined : module === project.own ? own : run(module, project);
  const hasher = projectHasher(project.state);
  const source = new ServiceSource({
    session,
    root: project.root,
    configText: project.configText,
    own,
    project: running,
    hasher,
    env: context.env,
    secretKey: project.state.hashKey,
    onSecret: (plaintext, name) => mask.add(plaintext, name, session, onNotice),
  });
  const supervisor = new Supervisor({
    services: project.services,
    session,
    source,
    root: project.root,
    env: context.env,
    portOffset: portOffset(context.env),
    logFile: (name) => project.up.logFile(name),
    emit,
  });
  cleanUps.push(() => supervisor.close());
  const reread = new Reread({ project, own, running, supervisor, run, emit, signal });
  cleanUps.push(() => reread.close());
  // Created before the services, so that an edit in between is not missed; at worst it is applied twice.
  const updates: LiveUpdates = new LiveUpdates({
    root: project.root,
    state: project.state,
    hasher,
    exclude: source.exclude,
    described: rulesOfProject(project),
    apply: (name, update) => supervisor.update(name, update),
    onSources: (files, touched) => reread.onEdit(files, touched, updates),
    onNotice,
  });
  cleanUps.push(() => updates.close());
  await orInterrupted(supervisor.prepare(), signal);
  let markEnded = (_reason: UserError | undefined): void => undefined;
  const ended = new Promise<UserError | undefined>((resolve) => (markEnded = resolve));
  const stop = (): Promise<void> => within(stopMs, supervisor.stop());
  const control = await serveControl(project.up, {
    status: () => statusOf(project, supervisor),
    restart: (names) => supervisor.restart(names),
    down: async () => {
      await stop();
      markEnded(undefined);
    },
    shell: (name, command, line) => shells.open(session, supervisor.serviceId(name), command, line),
    subscribe,
  });
  cleanUps.push(() => control.close());
  project.up.note(project.root, project.name);
  void watchSession(session).then((lost) => markEnded(lost));
  const close = async (): Promise<void> => {
    await stop();
    await closeAll();
  };
  return { supervisor, ended, subscribe, close };
}

async function openUpSession(
  { config, trust, module }: UpProject,
  context: CliContext,
  offline: boolean,
  shells: Shells,
  onNotice: (text: string) => void,
): Promise<EngineSession> {
  const { options, env, cwd, signal } = context;
  return new ProjectSession({
    workdir: cwd,
    config,
    trust,
    named: options,
    environment: env,
    ...(module === undefined ? {} : { module: { name: module.name, sourceDir: module.sourceDir } }),
    offline,
    writesCaches: true,
    signal,
    onNotice,
    live: true,
    onTerminal: shells.onTerminal,
  }).open();
}

function runtimeOf(
  module: ModuleInfo,
  session: EngineSession,
  { trust }: UpProject,
  { env, signal }: CliContext,
  offline: boolean,
  onNotice: (text: string) => void,
): RunningModule {
  const runtime = startFunctionRuntime({
    module,
    session: session.body,
    env,
    ...(offline ? {} : { buildBoundary: () => setUpBoundary({ onNotice, signal }) }),
    mayRunOnHost: () => trust.allows(hostProcessAsk(module.name)),
    onLog: ({ text }) => onNotice(text.replace(/\n$/, "")),
    onNotice,
  });
  return { module, runtime };
}

export function statusOf({ name, root }: Pick<UpProject, "name" | "root">, supervisor: Supervisor): UpStatus {
  const { settled, isHealthy, statuses } = supervisor;
  return { project: name, root, pid: process.pid, settled, healthy: isHealthy, services: statuses };
}

const lookAtSessionMs = 5_000;

/** Resolves with the reason when the engine has ended the session. */
async function watchSession(session: EngineSession): Promise<UserError> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, lookAtSessionMs).unref());
    // A busy machine may answer late although the session is alive, so this waits; the engine's own notices report a
    // delay.
    const lost = await lostSession(session, { isPatient: true });
    if (lost !== undefined) return lost;
  }
}

async function orInterrupted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const interrupted = new Promise<never>((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  interrupted.catch(() => undefined);
  work.catch(() => undefined);
  return await Promise.race([work, interrupted]);
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}
