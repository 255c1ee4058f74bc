/** Services by the core API, which both engines have. */
import type { EngineSession } from "../../engine/index.ts";
import type { MadeService } from "./source.ts";

/** A service that runs, and how this machine reaches it. */
export interface Running {
  made: MadeService;
  /** Of the tunnel; undefined where it exposes nothing. */
  tunnel: string | undefined;
  /** Port in the container -> port of this machine, chosen by the engine. */
  ports: ReadonlyMap<number, number>;
}

/** Starts it; resolves when the engine finds it healthy. */
export async function startService(session: EngineSession, made: MadeService, signal: AbortSignal): Promise<void> {
  const document = "query StartService($id: ID!) { node(id: $id) { ... on Service { start } } }";
  await session.query(document, { id: made.id }, { signal });
}

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

/** A service of the engine that leads to ports of this machine, as if they were its own. */
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

/** Ends both; an engine that is gone has ended them already. */
export async function stopService(
  session: EngineSession,
  { made, tunnel }: Pick<Running, "made" | "tunnel">,
): Promise<void> {
  const document = "query StopService($id: ID!) { node(id: $id) { ... on Service { stop } } }";
  for (const id of [...(tunnel === undefined ? [] : [tunnel]), made.id])
    await session.query(document, { id }).catch(() => undefined);
}
