import { expect, test } from "vitest";
import type { Config } from "../../../src/config/index.ts";
import { engineOptionsOf } from "../../../src/trust/index.ts";

const declared: Config = { version: 1, engine: { use: "embedded", buildkit: "tcp://builder:1234", idle: "5m" } };

function options(
  named: { engine?: string; buildkitHost?: string } = {},
  { allowed = true, env = {}, config = declared }: { allowed?: boolean; env?: NodeJS.ProcessEnv; config?: Config } = {},
) {
  const notices: string[] = [];
  return { ...engineOptionsOf(config, { allows: () => allowed }, named, env, (text) => notices.push(text)), notices };
}

test("fastloop.yaml decides what nobody names", () => {
  expect(options()).toEqual({ engine: "embedded", buildkitHost: "tcp://builder:1234", idleMs: 300_000, notices: [] });
  expect(options({}, { config: { version: 1 } })).toEqual({ engine: "auto", notices: [] });
});

test("what is named wins: the engine, the address, the environment's idle time", () => {
  expect(options({ engine: "auto", buildkitHost: "unix:///b" }, { env: { FASTLOOP_ENGINE_IDLE: "1m" } })).toEqual({
    engine: "auto",
    buildkitHost: "unix:///b",
    notices: [],
  });
  // A Dagger engine has no use for a BuildKit daemon.
  expect(options({ engine: "dagger" }).buildkitHost).toBeUndefined();
});

test("an address of a configuration that is not trusted is not used, and that is said", () => {
  const { buildkitHost, notices } = options({}, { allowed: false });
  expect(buildkitHost).toBeUndefined();
  expect(notices).toEqual([expect.stringContaining("tcp://builder:1234")]);
});

test("the limits of what lives are those that fastloop.yaml declares, in bytes", () => {
  const limits = (engine: Config["engine"]) => options({}, { config: { version: 1, engine } }).limits;
  expect(limits({ limits: { containers: 2, memory: "1GB", cpus: 1 } })).toEqual({
    containers: 2,
    memoryBytes: 1_000_000_000,
  });
  expect(limits({ limits: { cpus: 1 } })).toBeUndefined();
});
