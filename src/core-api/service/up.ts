import { aborted } from "../../async/index.ts";
import { ApiError } from "../values/errors.ts";
import { hostnameOf } from "./names.ts";
import type { RunningService } from "./running.ts";
import type { Call } from "../request/call.ts";
import type { ContainerService, PortForward, Service, TunnelService } from "../values/values.ts";

export interface PortForwardArgument {
  frontend?: number | null;
  backend: number;
  protocol: "TCP" | "UDP";
}

/** Validates port rules. Throws an `ApiError` for a number that is not a port. */
export function portForwards(ports: readonly PortForwardArgument[]): PortForward[] {
  return ports.map(({ frontend, backend, protocol }) => {
    for (const port of [frontend ?? backend, backend]) {
      if (port < 0 || port > 65_535 || (port === 0 && port === backend)) throw new ApiError(`${port} is not a port`);
    }
    // Port 0 means any free port.
    return {
      backend,
      protocol,
      ...(frontend === undefined || frontend === null || frontend === 0 ? {} : { frontend }),
    };
  });
}

/**
 * Returns a tunnel to a service. With `native`, each port of the service keeps its number on the host. Without any
 * rule, each gets a free one. Throws an `ApiError` when there is no port to forward.
 */
export function tunnelTo(service: Service, ports: readonly PortForwardArgument[], native: boolean): TunnelService {
  if (service.kind !== "container") throw new ApiError("tunneling to non-Container services is not supported");
  const exposed = service.container.ports;
  const forwards = native
    ? exposed.map(({ port, protocol }): PortForward => ({ frontend: port, backend: port, protocol }))
    : [];
  forwards.push(...portForwards(ports));
  if (forwards.length === 0)
    forwards.push(...exposed.map(({ port, protocol }): PortForward => ({ backend: port, protocol })));
  if (forwards.length === 0) throw new ApiError("no ports to forward");
  return { type: "Service", kind: "tunnel", upstream: service, ports: forwards };
}

/** Forwards a service's ports to the host until the request is canceled. Throws when the service ends first. */
export async function up(
  call: Call,
  service: Service,
  args: { ports: PortForwardArgument[]; random: boolean },
): Promise<null> {
  const tunnel = tunnelTo(service, args.ports, !args.random && args.ports.length === 0);
  const { services } = call.session;
  const over = aborted(call.signal).then(() => "over" as const);
  const starting = services.startToStay(tunnel);
  try {
    const running = await Promise.race([starting, over]);
    if (running === "over") return null;
    announce(call, tunnel, running);
    const ending = await Promise.race([running.ended, over]);
    if (ending === "over") return null;
    throw ending ?? new ApiError(`service ${hostnameOf(tunnel.upstream)} exited`);
  } finally {
    void starting.catch(() => undefined);
    await services.stop(tunnel, false);
  }
}

function announce(
  call: Call,
  tunnel: { upstream: ContainerService; ports: readonly PortForward[] },
  running: RunningService,
): void {
  for (const [index, { port }] of running.ports.entries()) {
    const { backend } = tunnel.ports[index]!;
    const url = backend === 443 ? `https://localhost:${port}` : `http://localhost:${port}`;
    call.session.emit({ kind: "notice", text: `service ${hostnameOf(tunnel.upstream)} is up: ${url} -> ${backend}` });
  }
}
