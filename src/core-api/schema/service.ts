import { id, typeModule } from "../values/resolver.ts";
import { socketSdl, serviceSdl } from "../service/sdl.ts";
import type { Socket, ExposedPort, Service } from "../values/values.ts";
import { aborted } from "../../async/index.ts";
import { ApiError } from "../values/errors.ts";
import { hostnameOf } from "../service/names.ts";
import { portsOfHost } from "../service/plan.ts";
import { up, type PortForwardArgument } from "../service/up.ts";
import type { Call } from "../request/call.ts";
import { serviceTerminal } from "../terminal/fields.ts";

export const serviceModule = typeModule<Service>("Service", serviceSdl, {
  id,
  sync: (service, _args: object, call) => call.session.ids.idOf(service),
  hostname: (service, _args: object, call) => hostOf(call, service),
  ports: (service, _args: object, call) => portsOf(call, service),
  endpoint: async (service, { port, scheme }: { port?: number | null; scheme: string }, call) => {
    const host = await hostOf(call, service);
    const chosen = port ?? (await portsOf(call, service))[0]?.port;
    if (chosen === undefined) throw new ApiError("no ports exposed");
    return scheme === "" ? `${host}:${chosen}` : `${scheme}://${host}:${chosen}`;
  },
  start: async (service, _args: object, call) => {
    await untilCancelled(call, call.session.services.startToStay(service));
    return call.session.ids.idOf(service);
  },
  stop: async (service, { kill }: { kill: boolean }, call) => {
    await call.session.services.stop(service, kill);
    return call.session.ids.idOf(service);
  },
  terminal: serviceTerminal,
  up: (service, args: { ports: PortForwardArgument[]; random: boolean }, call) => up(call, service, args),
  withHostname: (service, { hostname }: { hostname: string }) => ({ ...service, hostname }) satisfies Service,
});

async function hostOf(call: Call, service: Service): Promise<string> {
  // Registers the service, because a client that knows its hostname may connect to it: `dag.http(await
  // service.endpoint())`.
  call.session.services.entryOf(service);
  if (service.kind !== "tunnel" || service.hostname !== undefined) return hostnameOf(service);
  return (await call.session.services.running(service)).address;
}

async function portsOf(call: Call, service: Service): Promise<readonly ExposedPort[]> {
  switch (service.kind) {
    case "container":
      return service.container.ports;
    case "host":
      return portsOfHost(service);
    case "tunnel":
      return (await call.session.services.running(service)).ports;
  }
}

/**
 * Waits for the work or the request's cancellation. After a cancellation the service continues to start for other
 * requests that wait for it.
 */
async function untilCancelled(call: Call, work: Promise<unknown>): Promise<void> {
  const cancelled = aborted(call.signal).then(() => {
    throw new ApiError("canceled");
  });
  cancelled.catch(() => undefined);
  await Promise.race([work, cancelled]);
}

export const socketModule = typeModule<Socket>("Socket", socketSdl, { id });
