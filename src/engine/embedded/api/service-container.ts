import { randomBytes } from "node:crypto";
import type { ContainerMount, ContainerProcess, GatewayContainer } from "../buildkit/container-types.ts";
import { definition, type Mount as LlbMount } from "../llb/index.ts";
import { execMounts, hostsSecretId, metaMountPath } from "./compile-exec.ts";
import { OfferedConnections } from "./offered-connections.ts";
import { endFailure, type ServiceSubject } from "./service-failure.ts";
import { healthy } from "./service-health.ts";
import { ServiceLog } from "./service-log.ts";
import { secretEnvOf, shim, type ServicePlan } from "./service-plan.ts";
import type { RunningService } from "./service-running.ts";
import type { Call } from "./session.ts";
import type { Tree } from "./values.ts";

/** Between SIGTERM and SIGKILL; with what BuildKit takes to end a container, a stop is over within two seconds. */
const terminateMs = 1_200;
const offerSocket = "/.fastloop/offer.sock";

/**
 * Starts a container and waits until it is healthy:
 *
 *     trees solved ──▶ container ──▶ first process ──▶ every port accepts connections ──▶ running
 *                                         └─ ends, or the time is up ─▶ an error with its output
 */
export async function startContainer(call: Call, hostname: string, plan: ServicePlan): Promise<RunningService> {
  const { session } = call;
  const { exec, ports } = plan;
  const offered = new OfferedConnections();
  const offerId = `offer-${randomBytes(12).toString("hex")}`;
  const container = await openContainer(call, { ...plan, sockets: [...plan.sockets, { path: offerSocket, id: offerId }] });
  const withdraw = session.sockets.serve(offerId, offered.open);
  const secrets = session.secrets.texts(exec.secrets.map(({ id }) => id));
  const log = new ServiceLog(session, `service-${offerId}`, `service ${hostname}: ${exec.args.join(" ")}`, secrets);
  const subject: ServiceSubject = { hostname, args: exec.args, secrets, log };
  const { env, cwd, user, insecure } = exec;
  const surroundings = { env, cwd, user, insecure, secretEnv: secretEnvOf(exec) };
  const main = container.start({
    ...surroundings,
    args: plan.args,
    onOutput: (stream, data) => log.write(stream, data),
  });

  let stopping: Promise<void> | undefined;
  const stop = (kill: boolean): Promise<void> => (stopping ??= end(container, main, kill));
  const ended = main.ended.then(async (how) => {
    const failure = stopping === undefined && how.exitCode !== 0 ? endFailure(subject, how) : undefined;
    log.end(failure?.message);
    withdraw();
    offered.close();
    await stop(true);
    return failure;
  });
  const stopAll = async (kill: boolean): Promise<void> => {
    await stop(kill);
    await ended;
  };
  let address: string;
  try {
    address = await healthy(call, container, main, subject, ports);
  } catch (error) {
    await stopAll(true);
    throw error;
  }
  let offering: ContainerProcess | undefined;
  const loopback = session.network === "host" ? ["--loopback"] : [];
  return {
    address,
    ports,
    ended,
    enter: (process) => container.start({ ...surroundings, ...process }),
    stop: stopAll,
    dial: async (port) => {
      offering ??= container.start({ args: [shim, "offer", ...loopback, offerSocket] });
      return await offered.dial(port);
    },
  };
}

/** Solves what a container consists of and makes it; nothing runs there yet. */
export async function openContainer(call: Call, { exec, sockets }: Pick<ServicePlan, "exec" | "sockets">): Promise<GatewayContainer> {
  const { session } = call;
  const state = (tree: Tree) => session.compile(tree);
  const mounts = execMounts(exec, state).filter(({ destination }) => destination !== metaMountPath);
  const request = {
    platform: exec.platform,
    insecure: exec.insecure,
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
    // It waited for services that it is bound to, and one of them did not start.
    throw session.services.failureOf(hostsSecretId(exec.services)) ?? error;
  }
}

function containerMount(mount: LlbMount): ContainerMount {
  if (mount.kind === "bind") return { ...mount, definition: definition(mount.from) };
  if (mount.kind === "cache") return { ...mount, ...(mount.from === undefined ? {} : { definition: definition(mount.from) }) };
  return mount;
}

/** SIGTERM, SIGKILL after a moment, and then the container goes. */
async function end(container: GatewayContainer, main: ContainerProcess, kill: boolean): Promise<void> {
  if (!kill) {
    main.signal("SIGTERM");
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([main.ended, new Promise((resolve) => (timer = setTimeout(resolve, terminateMs)))]);
    clearTimeout(timer);
  }
  await container.release();
}
