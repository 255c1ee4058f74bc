import { randomBytes } from "node:crypto";
import type { ContainerMount, ContainerProcess, GatewayContainer, ProcessEnd } from "../../buildkit/types.ts";
import { definition, type Mount as LlbMount } from "../../llb/index.ts";
import { execMounts, hostsOfContainerId, hostsSecretId, metaMountPath } from "../solve/compile-exec.ts";
import { OfferedConnections } from "../socket/offered-connections.ts";
import { endFailure, type ServiceSubject } from "./failure.ts";
import { healthy } from "./health.ts";
import { LiveHelper } from "./live.ts";
import { ServiceLog } from "./log.ts";
import { reportSocket, secretEnvOf, shim, type ServicePlan } from "./plan.ts";
import { ServiceReport } from "./report.ts";
import type { RunningService } from "./running.ts";
import type { Call } from "../request/call.ts";
import type { Tree } from "../values/values.ts";

/**
 * Time between SIGTERM and SIGKILL. Together with BuildKit's own time to end a container, a stop takes under two
 * seconds.
 */
const terminateMs = 1_200;
const offerSocket = "/.fastloop/offer.sock";
/**
 * The hostname that BuildKit gives containers by default. Setting it explicitly also creates a network namespace for
 * the container alone: one from BuildKit's pool may still hold ports of a previous container.
 */
const hostname = "buildkitsandbox";

/**
 * Starts a container and waits until it is healthy:
 *
 *    trees solved ──▶ container ──▶ first process ──▶ its check passed, or its ports accept connections ──▶ running
 *                                        └─ ends, fails its check, or the time is up ─▶ an error with its output
 *
 * Throws an `ApiError` in the second case.
 */
export async function startContainer(call: Call, hostname: string, plan: ServicePlan): Promise<RunningService> {
  const { session } = call;
  const { exec, ports } = plan;
  const offered = new OfferedConnections();
  const report = new ServiceReport();
  const run = randomBytes(12).toString("hex");
  const [offer, reports] = [
    { path: offerSocket, id: `offer-${run}` },
    { path: reportSocket, id: `report-${run}` },
  ];
  const live = session.options.live === true ? new LiveHelper(run, session, hostname) : undefined;
  const sockets = [...plan.sockets, offer, reports, ...(live === undefined ? [] : [live.socket])];
  const container = await openContainer(call, { ...plan, sockets });
  const withdrawals = [session.sockets.serve(offer.id, offered.open), session.sockets.serve(reports.id, report.open)];
  if (live !== undefined) withdrawals.push(session.sockets.serve(live.socket.id, live.open));
  const log = new ServiceLog(session, `service-${run}`, `service ${hostname}: ${exec.args.join(" ")}`);
  const subject: ServiceSubject = { hostname, args: exec.args, log };
  const { env, cwd, user, insecure } = exec;
  const surroundings = { env, cwd, user, insecure, secretEnv: secretEnvOf(exec) };
  const process = container.start({
    ...surroundings,
    args: live === undefined ? plan.args : live.serviceArgs(plan.args),
    onOutput: (stream, data) => log.write(stream, data),
  });
  const main = { ...process, ended: process.ended.then((how) => endOf(how, report)) };

  let stopping: Promise<void> | undefined;
  const stop = (kill: boolean): Promise<void> => (stopping ??= end(container, main, kill));
  const ended = main.ended.then(async (how) => {
    const failure = stopping === undefined && how.exitCode !== 0 ? endFailure(subject, how) : undefined;
    log.end(failure?.message);
    for (const withdraw of withdrawals) withdraw();
    offered.close();
    live?.close();
    await stop(true);
    return failure;
  });
  const stopAll = async (kill: boolean): Promise<void> => {
    await stop(kill);
    await ended;
  };
  let address: string;
  try {
    address = await healthy(call, report, main, subject, plan);
  } catch (error) {
    await stopAll(true);
    throw error;
  }
  let offering: ContainerProcess | undefined;
  const loopback = session.network === "host" ? ["--loopback"] : [];
  const offerAll = (): ContainerProcess => {
    const offerer = container.start({ args: [shim, "offer", ...loopback, offerSocket] });
    // When the offering process exits, pending dials must fail rather than wait forever. The next dial starts another
    // process, or learns that the container is gone.
    void offerer.ended.then(() => {
      offering = undefined;
      offered.close();
    });
    return offerer;
  };
  return {
    address,
    ports,
    ended,
    enter: (process) => container.start({ ...surroundings, ...process }),
    stop: stopAll,
    ...(live === undefined ? {} : { live: () => live.connect(container) }),
    dial: async (port) => {
      offering ??= offerAll();
      return await offered.dial(port);
    },
  };
}

/**
 * Reports whether BuildKit lost the exit code and returned a value that is none. This happens when a process beside the
 * first one fails: BuildKit then kills the container's runtime.
 */
const isLost = (exitCode: number): boolean => exitCode < 0 || exitCode > 255;
/** Time to wait for the first process's last report after its container ended. */
const lastWordMs = 2_000;

/**
 * Returns how the first process ended: the exit code from BuildKit or, when BuildKit lost it, the one that the process
 * reported.
 */
async function endOf(how: ProcessEnd, report: ServiceReport): Promise<ProcessEnd> {
  if (!isLost(how.exitCode)) return how;
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), lastWordMs)));
  const exitCode = await Promise.race([report.exitCode, silence]);
  clearTimeout(timer);
  if (exitCode !== undefined) return { exitCode };
  return { exitCode: -1, failure: how.failure ?? "its container was ended" };
}

/** Solves a container's trees and creates the container, in which nothing runs yet. */
export async function openContainer(
  call: Call,
  { exec, sockets }: Pick<ServicePlan, "exec" | "sockets">,
): Promise<GatewayContainer> {
  const { session } = call;
  await session.destinations.prepare(call, { kind: "exec", exec, output: "/" });
  const state = (tree: Tree) => session.compile(tree);
  const mounts = execMounts(exec, state).filter(({ destination }) => destination !== metaMountPath);
  const request = {
    platform: exec.platform,
    insecure: exec.insecure,
    hostname,
    mounts: [
      { kind: "bind" as const, destination: "/", definition: definition(state(exec.rootfs)) },
      ...mounts.map(containerMount),
      ...sockets.map(({ path, id }): ContainerMount => ({ kind: "ssh", destination: path, id, mode: 0o666 })),
    ],
  };
  const { signal } = call;
  try {
    return await session.following(call, (onStatus) => session.build.openContainer(request, { signal, onStatus }));
  } catch (error) {
    // The container waited for a service that it is bound to, and that service failed to start.
    throw session.services.failureOf(hostsSecretId(exec.services)) ?? error;
  }
}

function containerMount(mount: LlbMount): ContainerMount {
  if (mount.kind === "bind") return { ...mount, definition: definition(mount.from) };
  if (mount.kind === "cache")
    return { ...mount, ...(mount.from === undefined ? {} : { definition: definition(mount.from) }) };
  return mount.kind === "secret" ? { ...mount, id: hostsOfContainerId(mount.id) } : mount;
}

/** Sends SIGTERM, then SIGKILL after `terminateMs`, and removes the container. */
async function end(container: GatewayContainer, main: ContainerProcess, kill: boolean): Promise<void> {
  if (!kill) {
    main.signal("SIGTERM");
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([main.ended, new Promise((resolve) => (timer = setTimeout(resolve, terminateMs)))]);
    clearTimeout(timer);
  }
  await container.release();
}
