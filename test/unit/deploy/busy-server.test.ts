/** Servers that are slow to answer, or never do. */
import https from "node:https";
import net, { type AddressInfo, type Server } from "node:net";
import { afterEach, expect, test } from "vitest";
import { Cluster } from "../../../src/deploy/cluster/client.ts";
import { checkReachable } from "../../../src/deploy/cluster/preflight.ts";
import { certificate, key } from "./certificates.ts";

let server: Server | undefined;
afterEach(() => server?.close());

async function clusterOf(listening: Server): Promise<Cluster> {
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  const { port } = listening.address() as AddressInfo;
  return new Cluster({
    context: "test",
    server: new URL(`https://127.0.0.1:${port}`),
    tlsServerName: "test",
    ca: certificate,
    insecure: false,
  });
}

test("one that is there, and answers after more than five seconds, is waited for", { timeout: 60_000 }, async () => {
  const cluster = await clusterOf(
    https.createServer({ cert: certificate, key }, (_request, response) => {
      setTimeout(() => response.end('{"gitVersion":"v1"}'), 6000);
    }),
  );
  expect(await checkReachable(cluster)).toBe("v1");
  cluster.close();
});

test("one that takes connections and shows no certificate is given up", { timeout: 60_000 }, async () => {
  const sockets = new Set<net.Socket>();
  const cluster = await clusterOf(net.createServer((socket) => sockets.add(socket)));
  await expect(checkReachable(cluster)).rejects.toThrow("can't be reached: no answer in 5 s");
  for (const socket of sockets) socket.destroy();
  cluster.close();
});
