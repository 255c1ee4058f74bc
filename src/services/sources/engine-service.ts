/** Starts, stops and forwards to services through the core API, which both engines have. */
import type { EngineSession } from "../../engine/index.ts";
import type { MadeService } from "./source.ts";

/** A running service, and how the host reaches it. */
export interface Running {
  made: MadeService;
  /** Id of the tunnel; undefined when the service exposes no port. */
  tunnel: string | undefined;
  /** Port in the container -> port on the host, chosen by the engine. */
  ports: ReadonlyMap<number, number>;
}

/** Starts the service; resolves when the engine finds it healthy. */
export async function startService(session: EngineSession, made: MadeService, signal: AbortSignal): Promise<void> {
  const document = "query StartService($id: ID!) { node(id: $id) { ... on Service { start } } }";
  await session.query(document, { id: made.id }, { signal });
}

/** Opens a tunnel from free ports on the host to all exposed ports of a service. */
export async function openTunnel(session: EngineSession, made: MadeService, signal: AbortSignal): Promise<Running> {
  if (made.ports.length === 0) return { made, tunnel: undefined, ports: new Map() };
  const make =
    "query MakeTunnel($id: ID!, $ports: [PortForward!]) { host { tunnel(service: $id, ports: $ports) { id } } }";
  const ports = made.ports.map((backend) => ({ backend, frontend: 0, protocol: "TCP" }));
  type Made = { host: { tunnel: { id: string } } };
  const { id } = (await session.query<Made>(make, { id: made.id, ports }, { signal })).host.tunnel;
  await session.query("query StartTunnel($id: ID!) { node(id: $id) { ... on Service { start } } }", { id }, { signal });
  const look = "query TunnelPorts($id: ID!) { node(id: $id) { ... on Service { ports { port } } } }";
  const { node } = await session.query<{ node: { ports: { port: number }[] } }>(look, { id }, { signal });
  return { made, tunnel: id, ports: new Map(made.ports.map((port, index) => [port, node.ports[index]!.port])) };
}

/** Creates a service of the engine that forwards to ports on the host. Returns its id. */
export async function hostService(
  session: EngineSession,
  ports: readonly { host: number; container: number }[],
  signal: AbortSignal,
): Promise<string> {
  const document = `query HostService($ports: [PortForward!]!) { host { service(host: "127.0.0.1", ports: $ports) { id } } }`;
  const forwards = ports.map(({ host, container }) => ({ frontend: container, backend: host, protocol: "TCP" }));
  type Answer = { host: { service: { id: string } } };
  return (await session.query<Answer>(document, { ports: forwards }, { signal })).host.service.id;
}

/** Stops the tunnel and the service. Errors are ignored: an engine that is gone has stopped both already. */
export async function stopService(
  session: EngineSession,
  { made, tunnel }: Pick<Running, "made" | "tunnel">,
): Promise<void> {
  const document = "query StopService($id: ID!) { node(id: $id) { ... on Service { stop } } }";
  for (const id of [...(tunnel === undefined ? [] : [tunnel]), made.id])
    await session.query(document, { id }).catch(() => undefined);
}
