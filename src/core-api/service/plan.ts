import { shimMountPath, socketId } from "../solve/compile-exec.ts";
import { ApiError } from "../values/errors.ts";
import { emptyConfig } from "../image/config.ts";
import { healthCheckOf, type HealthCheck } from "./health-check.ts";
import { surroundingsOf } from "../container/exec.ts";
import type { Call } from "../request/call.ts";
import {
  type Container,
  type ContainerService,
  type Exec,
  type ExposedPort,
  type HostService,
  type PortForward,
} from "../values/values.ts";
import { scratch } from "../values/rooted.ts";

export const shim = `${shimMountPath}/shim`;
/** Where the first process of a service says how it is. */
export const reportSocket = "/.fastloop/report.sock";

/** A process that is the life of a container, and what the container consists of. */
export interface ServicePlan {
  readonly exec: Exec;
  /** The whole command line of the first process. */
  readonly args: readonly string[];
  readonly ports: readonly ExposedPort[];
  /** Ports that it has to listen on before it is healthy, unless it has a check. */
  readonly probed: readonly number[];
  readonly check: HealthCheck | undefined;
  /** Sockets of this process, besides those of the exec, by the ids under which they are served. */
  readonly sockets: readonly { path: string; id: string }[];
}

export async function planOfContainer(call: Call, service: ContainerService): Promise<ServicePlan> {
  const { container, args, noInit, insecure } = service;
  // A container may have any number, as on a Dagger engine; only what runs it needs a port.
  const wrong = container.ports.find(({ port }) => port < 1 || port > 65_535);
  if (wrong !== undefined)
    throw new ApiError(`invalid port ${wrong.port} of the service: a port is a number from 1 to 65535`);
  const ports = container.ports
    .filter(({ protocol }) => protocol === "TCP")
    .flatMap(({ port }) => ["--port", `${port}`]);
  const exec = await execOfService(call, container, args, { noInit, insecure });
  const check = healthCheckOf(container.config);
  // A datagram port says nothing about who reads it.
  const probed = container.ports
    .filter(({ protocol, experimentalSkipHealthcheck }) => protocol === "TCP" && !experimentalSkipHealthcheck)
    .map(({ port }) => port);
  const flags = [
    ...ports,
    ...reporting(call),
    ...(check === undefined ? probed.flatMap((port) => ["--probe", `${port}`]) : ["--check", JSON.stringify(check)]),
    ...(noInit ? ["--no-init"] : []),
  ];
  return { exec, args: [shim, "service", ...flags, "--", ...args], ports: container.ports, probed, check, sockets: [] };
}

/** How the first process is told where to report; see `ServiceReport`. */
function reporting({ session }: Call): string[] {
  return [...(session.network === "host" ? ["--loopback"] : []), "--report", reportSocket];
}

/** What leads from containers to the host: a container of nothing but the shim, with a socket for each port. */
export async function planOfHost(call: Call, service: HostService, container: Container): Promise<ServicePlan> {
  const { host, ports } = service;
  const exec = await execOfService(
    call,
    { ...container, rootfs: scratch, config: emptyConfig },
    [`forward to ${host}`],
    { noInit: false, insecure: false },
  );
  const sockets = ports.map((forward) => ({
    path: `/.fastloop/host-${frontendOf(forward)}.sock`,
    id: hostPortId(host, forward),
  }));
  const listening = ports.map((forward, index) => `${frontendOf(forward)}=${sockets[index]!.path}`);
  const args = [shim, "listen", ...reporting(call), ...listening];
  return { exec, args, ports: portsOfHost(service), probed: [], check: undefined, sockets };
}

export function frontendOf({ frontend, backend }: PortForward): number {
  return frontend ?? backend;
}

export function portsOfHost({ ports }: HostService): ExposedPort[] {
  return ports.map((forward) => ({
    type: "Port",
    port: frontendOf(forward),
    protocol: forward.protocol,
    description: `tunnel ${forward.protocol} ${frontendOf(forward)} -> ${forward.backend}`,
    experimentalSkipHealthcheck: false,
  }));
}

/** Id of the socket behind which a port of the host (or of what the host reaches) is. */
export function hostPortId(host: string, { backend }: PortForward): string {
  return `host-${socketId({ type: "Socket", path: `tcp://${host}:${backend}` })}`;
}

/** Variables of a process whose values are secret. */
export function secretEnvOf({ secrets }: Exec): { id: string; name: string }[] {
  return secrets.flatMap(({ id, envName }) => (envName === undefined ? [] : [{ id, name: envName }]));
}

export async function execOfService(
  call: Call,
  container: Container,
  args: readonly string[],
  rights: Pick<Exec, "noInit" | "insecure">,
): Promise<Exec> {
  return {
    args,
    ...(await surroundingsOf(container, call)),
    expect: "SUCCESS",
    stdin: "",
    redirectStdin: "",
    redirectStdout: "",
    redirectStderr: "",
    ...rights,
  };
}
