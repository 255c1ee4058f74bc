import net from "node:net";
import { ApiError } from "../values/errors.ts";
import type { RunningService } from "../service/running.ts";
import type { ExposedPort, PortForward, TunnelService } from "../values/values.ts";

/** Tunnels listen on both addresses that `localhost` may mean, and are reachable from this machine only. */
const bindAddress = "127.0.0.1";
const bindAddress6 = "::1";

/**
 * Listens on the host and forwards each connection to a running service. The tunnel ends with the service. Throws an
 * `ApiError` when a port is in use, needs privileges, or is a UDP port.
 */
export async function openTunnel(
  service: TunnelService,
  upstream: RunningService,
  network: "isolated" | "host",
): Promise<RunningService> {
  const servers: net.Server[] = [];
  const connections = new Set<net.Socket>();
  const ports: ExposedPort[] = [];
  let markEnded = (_failure: ApiError | undefined): void => undefined;
  const ended = new Promise<ApiError | undefined>((resolve) => (markEnded = resolve));
  const close = (failure?: ApiError): void => {
    for (const server of servers) server.close();
    for (const connection of connections) connection.destroy();
    markEnded(failure);
  };
  try {
    for (const forward of service.ports) {
      const lead = (socket: net.Socket): void => {
        connections.add(socket);
        socket.once("close", () => connections.delete(socket));
        void pipe(socket, upstream, forward.backend);
      };
      // A service that shares the host's network listens on the host already.
      const there = network === "host" && forward.frontend === forward.backend;
      const { port, opened } = there ? { port: forward.backend, opened: [] } : await listen(forward, lead);
      servers.push(...opened);
      ports.push({
        type: "Port",
        port,
        protocol: forward.protocol,
        description: `tunnel ${bindAddress}:${port} -> ${upstream.address}:${forward.backend}`,
        experimentalSkipHealthcheck: false,
      });
    }
  } catch (error) {
    close();
    throw error;
  }
  void upstream.ended.then(close);
  return {
    address: bindAddress,
    ports,
    ended,
    dial: (port) => Promise.reject(new ApiError(`port ${port} is on the host already`)),
    stop: () => {
      close();
      return Promise.resolve();
    },
  };
}

async function pipe(socket: net.Socket, upstream: RunningService, port: number): Promise<void> {
  socket.on("error", () => undefined);
  try {
    const connection = await upstream.dial(port);
    // The client may have disconnected meanwhile. Its close event has passed by now, so the service would never learn
    // of it.
    if (socket.destroyed) return void connection.destroy();
    connection.on("error", () => socket.destroy());
    connection.on("close", () => socket.destroySoon());
    socket.on("close", () => connection.destroy());
    socket.pipe(connection);
    connection.pipe(socket);
  } catch {
    socket.destroy();
  }
}

async function listen(
  forward: PortForward,
  lead: (socket: net.Socket) => void,
): Promise<{ port: number; opened: net.Server[] }> {
  if (forward.protocol === "UDP")
    throw new ApiError("tunnels of UDP ports are not served by the embedded engine; use a Dagger engine");
  const server = await open(bindAddress, forward.frontend ?? 0, lead);
  const { port } = server.address() as net.AddressInfo;
  const second = await open(bindAddress6, port, lead).catch(() => undefined);
  return { port, opened: second === undefined ? [server] : [server, second] };
}

function open(host: string, port: number, lead: (socket: net.Socket) => void): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ allowHalfOpen: true }, lead);
    // The listener also handles later errors, such as a process without a free descriptor for a connection. Unhandled,
    // they would end the daemon.
    server.on("error", (error: NodeJS.ErrnoException) => reject(listenError(error, port)));
    server.listen(port, host, () => resolve(server));
  });
}

function listenError(error: NodeJS.ErrnoException, port: number): ApiError {
  if (error.code === "EADDRINUSE")
    return new ApiError(`port ${port} of the host is in use; choose another one (--ports FRONTEND:BACKEND)`, {}, error);
  if (error.code === "EACCES")
    return new ApiError(
      `port ${port} of the host needs privileges; choose another one (--ports FRONTEND:BACKEND)`,
      {},
      error,
    );
  return new ApiError(`cannot listen on port ${port} of the host: ${error.message}`, {}, error);
}
