import { once } from "node:events";
import net from "node:net";
import { duplexPair, type Duplex } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import type { RunningService } from "../../../src/core-api/service/running.ts";
import { OfferedConnections } from "../../../src/core-api/socket/offered-connections.ts";
import { openTunnel } from "../../../src/core-api/socket/tunnel.ts";
import type { TunnelService } from "../../../src/core-api/values/values.ts";

it("who waits for a connection is told when nobody offers one any more, and who comes next gets the next one", async () => {
  const offered = new OfferedConnections();
  const waits = offered.dial(80);
  offered.close();
  await expect(waits).rejects.toThrow("offers no connection");
  const next = offered.dial(81);
  const inside = await offered.open();
  await next;
  expect(String((await once(inside, "data"))[0])).toBe("81\n");
});

it("a tunnel keeps no connection to a service for who was gone before it was made", async () => {
  const [ours] = duplexPair();
  let hasDialed = (): void => undefined;
  const dialed = new Promise<void>((resolve) => (hasDialed = resolve));
  let connect = (_made: Duplex): void => undefined;
  const made = new Promise<Duplex>((resolve) => (connect = resolve));
  const upstream: RunningService = {
    address: "service",
    ports: [],
    ended: new Promise(() => undefined),
    dial: () => {
      hasDialed();
      return made;
    },
    stop: () => Promise.resolve(),
  };
  const ports = [{ backend: 80, frontend: 0, protocol: "TCP" }];
  const tunnel = await openTunnel({ ports } as unknown as TunnelService, upstream, "isolated");
  const client = net.connect(tunnel.ports[0]!.port, "127.0.0.1");
  await dialed;
  const closed = once(client, "close");
  await tunnel.stop(false);
  await closed;
  connect(ours);
  await setImmediate();
  expect(ours.destroyed).toBe(true);
});
