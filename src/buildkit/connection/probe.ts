import net from "node:net";

/** Resolves when something accepts connections at the address; gRPC alone would retry until its deadline. */
export function probe(address: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(socketOptions(address));
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)));
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
  });
}

function socketOptions(address: string): net.NetConnectOpts {
  if (address.startsWith("unix://")) return { path: address.slice("unix://".length) };
  const { hostname, port } = new URL(address.includes("://") ? address : `tcp://${address}`);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) };
}
