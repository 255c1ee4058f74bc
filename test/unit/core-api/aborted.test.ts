import { expect, it } from "vitest";
import { up } from "../../../src/core-api/service/up.ts";
import type { Call } from "../../../src/core-api/request/call.ts";
import type { Service } from "../../../src/core-api/values/values.ts";

it("does not serve a service for a request that was given up before it began", async () => {
  const stopped: Service[] = [];
  const services = {
    startToStay: () => new Promise(() => undefined),
    stop: (service: Service) => Promise.resolve(void stopped.push(service)),
  };
  const call = { signal: AbortSignal.abort(), session: { services } } as unknown as Call;
  const service = {
    type: "Service",
    kind: "container",
    container: { ports: [{ port: 80, protocol: "TCP" }] },
  } as unknown as Service;
  expect(await up(call, service, { ports: [], random: true })).toBeNull();
  expect(stopped).toMatchObject([{ kind: "tunnel", upstream: service }]);
});
