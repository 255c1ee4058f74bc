import { changed, containerPath, expandArgument } from "../container/tree.ts";
import { ApiError, notServed } from "../values/errors.ts";
import { resolveOwner } from "../tree/owner.ts";
import { load, type Resolver } from "../values/resolver.ts";
import { requireRootCapabilities } from "../container/exec.ts";
import type { Call } from "../request/call.ts";
import { up, type PortForwardArgument } from "../service/up.ts";
import type { Container, ContainerService, Service, Socket } from "../values/values.ts";

export { containerServiceSdl } from "../service/sdl.ts";

interface ServiceArguments {
  args: string[];
  useEntrypoint: boolean;
  experimentalPrivilegedNesting: boolean;
  insecureRootCapabilities: boolean;
  expand: boolean;
  noInit: boolean;
}

export const containerServiceResolvers: Record<string, Resolver<Container>> = {
  asService: (container, args: ServiceArguments, call) => serviceOf(container, args, "asService", call),
  up: (container, args: ServiceArguments & { ports: PortForwardArgument[]; random: boolean }, call) =>
    up(call, serviceOf(container, args, "up", call), args),
  withServiceBinding: (container, { alias, service: serviceId }: { alias: string; service: string }, call) => {
    const service = load<Service>(call, serviceId, "Service");
    if (service.kind === "tunnel")
      throw new ApiError("a tunnel listens on the host; bind the service that it leads to");
    if (!/^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$/.test(alias))
      throw new ApiError(`${JSON.stringify(alias)} is not a host name`);
    const others = container.services.filter((known) => known.alias !== alias);
    return { ...container, services: [...others, { alias, service }] };
  },
  withUnixSocket: async (container, args: { path: string; source: string; owner: string; expand: boolean }, call) => {
    const socket = load<Socket>(call, args.source, "Socket");
    const owner = await resolveOwner(call, container.rootfs, args.owner);
    const path = containerPath(container, args.path, args.expand);
    const others = container.sockets.filter((known) => known.path !== path);
    return changed(container, { sockets: [...others, { path, socket, ...(owner === undefined ? {} : { owner }) }] });
  },
  withoutUnixSocket: (container, args: { path: string; expand: boolean }) => {
    const path = containerPath(container, args.path, args.expand);
    return changed(container, { sockets: container.sockets.filter((known) => known.path !== path) });
  },
};

/**
 * Creates a service from the given arguments, or the container's default ones. The entrypoint comes first if
 * `useEntrypoint` is set, or if the default arguments are the image's own.
 */
function serviceOf(
  container: Container,
  args: ServiceArguments,
  field: "asService" | "up",
  call: Call,
): ContainerService {
  if (args.experimentalPrivilegedNesting) throw notServed(`Container.${field}(experimentalPrivilegedNesting)`);
  const { Cmd, Entrypoint } = container.config;
  const given = args.args.map((part) => expandArgument(container, part, args.expand));
  const command = given.length > 0 ? given : [...Cmd];
  const asImage = given.length === 0 && container.givenDefaultArgs !== true;
  const whole = asImage || args.useEntrypoint ? [...Entrypoint, ...command] : command;
  if (whole.length === 0) throw new ApiError("no service command has been set");
  return {
    type: "Service",
    kind: "container",
    container: settled(container),
    args: whole,
    noInit: args.noInit,
    insecure: requireRootCapabilities(call, args.insecureRootCapabilities),
  };
}

/**
 * Drops what does not affect how the service runs: containers of different origin that run the same are one service.
 */
function settled(container: Container): Container {
  return changed(container, { exec: undefined, registryAuth: [], annotations: [] });
}
