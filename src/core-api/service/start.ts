import { emptyContainer } from "../container/from.ts";
import { ApiError } from "../values/errors.ts";
import { claimHostPorts } from "../socket/host-ports.ts";
import { startContainer } from "./container.ts";
import { hostnameOf } from "./names.ts";
import { frontendOf, hostPortId, planOfContainer, planOfHost, portsOfHost, type ServicePlan } from "./plan.ts";
import type { RunningService } from "./running.ts";
import type { Call } from "../request/call.ts";
import { connectTo } from "../socket/table.ts";
import { openTunnel } from "../socket/tunnel.ts";
import type { HostService, Service } from "../values/values.ts";

/** Starts a service of any kind and resolves when it is healthy. Aborting the call's signal cancels the start. */
export async function startService(call: Call, service: Service): Promise<RunningService> {
  switch (service.kind) {
    case "container":
      return await startClaimed(call, service, await planOfContainer(call, service));
    case "tunnel":
      return await openTunnel(service, await call.session.services.start(service.upstream), call.session.network);
    case "host":
      return await startHost(call, service);
  }
}

async function startHost(call: Call, service: HostService): Promise<RunningService> {
  const { session } = call;
  if (service.ports.some(({ protocol }) => protocol === "UDP")) {
    throw new ApiError("UDP ports of Host.service are not served by the embedded engine; use a Dagger engine");
  }
  const shared = session.network === "host";
  // Containers on the host's network already see its ports, and nothing else could listen on the same ports.
  const needed = service.ports.filter(
    (forward) => !(shared && isLoopback(service.host) && frontendOf(forward) === forward.backend),
  );
  const withdrawals = needed.map((forward) =>
    session.sockets.serve(hostPortId(service.host, forward), () =>
      connectTo({ host: service.host, port: forward.backend }),
    ),
  );
  const withdraw = (): void => withdrawals.forEach((each) => each());
  try {
    const plan = await planOfHost(call, { ...service, ports: needed }, emptyContainer(session.defaultPlatform));
    const running = await startClaimed(call, service, plan);
    void running.ended.then(withdraw);
    return { ...running, ports: portsOfHost(service) };
  } catch (error) {
    withdraw();
    throw error;
  }
}

/** Starts a container after claiming its ports: on a shared network, only one service can hold a port. */
async function startClaimed(call: Call, service: Service, plan: ServicePlan): Promise<RunningService> {
  const hostname = hostnameOf(service);
  if (call.session.network !== "host") return await startContainer(call, hostname, plan);
  const { options, services } = call.session;
  const endIfIdle = (): Promise<boolean> => services.endIfIdle(service);
  const release = await claimHostPorts(options.buildkit.address, plan.ports, { hostname, endIfIdle });
  try {
    const running = await startContainer(call, hostname, plan);
    void running.ended.then(release);
    return running;
  } catch (error) {
    release();
    throw error;
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
