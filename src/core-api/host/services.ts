import path from "node:path";
import { ApiError } from "../values/errors.ts";
import { load, type Resolver } from "../values/resolver.ts";
import { portForwards, tunnelTo, type PortForwardArgument } from "../service/up.ts";
import type { Host, HostService, Service, Socket } from "../values/values.ts";

export { hostServiceSdl } from "../service/sdl.ts";

export const hostServiceResolvers: Record<string, Resolver<Host>> = {
  service: (_host, { ports, host }: { ports: PortForwardArgument[]; host: string }) => {
    if (ports.length === 0) throw new ApiError("no ports specified");
    return { type: "Service", kind: "host", host, ports: portForwards(ports) } satisfies HostService;
  },
  tunnel: (_host, args: { service: string; native: boolean; ports: PortForwardArgument[] }, call) =>
    tunnelTo(load<Service>(call, args.service, "Service"), args.ports, args.native),
  unixSocket: (_host, args: { path: string }, call) => {
    const socket: Socket = { type: "Socket", path: path.resolve(call.session.options.workdir, args.path) };
    call.session.serveSocket(socket);
    return socket;
  },
};
