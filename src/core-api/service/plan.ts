import { shimMountPath, socketId } from "../solve/compile-exec.ts";
import { ApiError } from "../values/errors.ts";
import { emptyConfig } from "../image/config.ts";
import { healthCheckOf, type HealthCheck } from "./health-check.ts";
import { execContext } from "../container/exec.ts";
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
/** Socket on which the first process of a service reports its state. */
export const reportSocket = "/.fastloop/report.sock";

/** The process whose lifetime is the container's, and the parts of the container. */
export interface ServicePlan {
  readonly exec: Exec;
  /** Complete command line of the first process. */
  readonly args: readonly string[];
  readonly ports: readonly ExposedPort[];
  /** Ports that must accept connections before the service is healthy, unless it has a check. */
  readonly probed: readonly number[];
  readonly check: HealthCheck | undefined;
  /** Sockets for this process in addition to the exec's, with the ids under which they are served. */
  readonly sockets: readonly { path: string; id: string }[];
}

/** Plans the container of a service. Throws an `ApiError` when it exposes an invalid port. */
export async function planOfContainer(call: Call, service: ContainerService): Promise<ServicePlan> {
  const { container, args, noInit, insecure } = service;
  // A container may expose any port number, as on a Dagger engine. Only running it as a service needs valid ones.
  const wrong = container.ports.find(({ port }) => port < 1 || port > 65_535);
  if (wrong !== undefined)
    throw new ApiError(`invalid port ${wrong.port} of the service: a port is a number from 1 to 65535`);
  const ports = container.ports
    .filter(({ protocol }) => protocol === "TCP")
    .flatMap(({ port }) => ["--port", `${port}`]);
  const exec = await execOfService(call, container, args, { noInit, insecure });
  const check = healthCheckOf(container.config);
  // A UDP port cannot be probed: sending a datagram does not show whether anything reads it.
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

/** Returns the flags that tell the first process where to report; see `ServiceReport`. */
function reporting({ session }: Call): string[] {
  return [...(session.network === "host" ? ["--loopback"] : []), "--report", reportSocket];
}

/** Plans the container that forwards ports to the host: it contains only the shim, and has a socket for each port. */
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

/** Returns the port that accepts connections; the backend's number if none was chosen. */
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

/** Returns the id of the socket that leads to a port of the host, or of a machine that the host reaches. */
export function hostPortId(host: string, { backend }: PortForward): string {
  return `host-${socketId({ type: "Socket", path: `tcp://${host}:${backend}` })}`;
}

/** Returns the environment variables of a process whose values are secrets. */
export function secretEnvOf({ secrets }: Exec): { id: string; name: string }[] {
  return secrets.flatMap(({ id, envName }) => (envName === undefined ? [] : [{ id, name: envName }]));
}

/** Returns a container's command in the form of an exec, from which a service or a terminal is started. */
export async function execOfService(
  call: Call,
  container: Container,
  args: readonly string[],
  rights: Pick<Exec, "noInit" | "insecure">,
): Promise<Exec> {
  return {
    args,
    ...(await execContext(container, args, call)),
    expect: "SUCCESS",
    stdin: "",
    redirectStdin: "",
    redirectStdout: "",
    redirectStderr: "",
    ...rights,
  };
}
