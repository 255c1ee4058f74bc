import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { Config, LoadedConfig, WatchTarget } from "../../../src/config/index.ts";
import type { ModuleInfo } from "../../../src/module/index.ts";
import {
  orderTargets,
  resolveTargets,
  trustedFolder,
  trustOf,
  type ProjectOptions,
  type ResolvedTarget,
} from "../../../src/plan/index.ts";
import { withTrust } from "../../../src/plan/trusted.ts";
import { digestOfAsks, TrustStore, type Ask } from "../../../src/trust/index.ts";
import { makeTree } from "../tree/fixture.ts";
import { moduleAt } from "./fixture.ts";

/** The module of the fixture with `ship --token SECRET`, written in its file, and its folder that a default reads. */
function moduleWithSecret(root: string): ModuleInfo {
  const module = moduleAt(root);
  const { functions } = module.objects["Ci"]!;
  const [token] = functions["test"]!.arguments;
  functions["ship"] = {
    ...functions["test"]!,
    name: "ship",
    arguments: [{ ...token!, name: "token", type: { kind: "object", name: "Secret" } }],
  };
  return module;
}

const yaml = `version: 1
engine:
  buildkit: tcp://host:1
watch:
  targets:
    test:
      call: test --source . --part x
    ship:
      call: ship --token env:TOKEN
`;

function project(config: Partial<Config> = {}, targets?: Record<string, WatchTarget>, isWritten = true) {
  const folder = makeTree({ "project/src/x": "1", "project/.git/HEAD": "", "project/fastloop.yaml": yaml });
  const root = path.join(folder, "project");
  const env = { XDG_STATE_HOME: path.join(folder, "state"), HOME: folder };
  const module = moduleWithSecret(root);
  const loaded: LoadedConfig = {
    config: {
      version: 1,
      ...config,
      watch: {
        targets: targets ?? {
          test: { call: "test --source . --part x" },
          ship: { call: "ship --token env:TOKEN" },
        },
      },
    },
    root,
    path: isWritten ? path.join(root, "fastloop.yaml") : undefined,
    digest: "",
  };
  const decide = async (
    options: Partial<ProjectOptions> = {},
  ): Promise<{ asks: readonly Ask[]; targets: ResolvedTarget[] }> => {
    const resolved = orderTargets(resolveTargets(loaded, module));
    const found = await withTrust(resolved, loaded, module, { cwd: root, environment: env, ...options });
    return { asks: found.trust.asks, targets: found.targets };
  };
  const refused = async (options?: Partial<ProjectOptions>): Promise<string[]> =>
    (await decide(options)).targets.filter(({ untrusted }) => untrusted.length > 0).map(({ target }) => target.name);
  return { root, env, module, loaded, decide, refused, store: new TrustStore(env) };
}

const token: Ask = { kind: "variable", what: "TOKEN", by: "ship --token" };
const buildkit = { engine: { buildkit: "tcp://host:1" } } as const;
const engine: Ask = { kind: "engine", what: "tcp://host:1", by: "engine.buildkit" };

test("consent is for the folder of fastloop.yaml, and without that file for the module's", () => {
  const { loaded, module, root } = project();
  const elsewhere = { ...module, root: path.join(root, "ci") };
  expect(trustedFolder(loaded, elsewhere)).toBe(root);
  expect(trustedFolder({ ...loaded, path: undefined }, elsewhere)).toBe(path.join(root, "ci"));
});

test("a target without the user's consent is refused, with what it asks and where, and nothing of it is scanned", async () => {
  const { decide } = project();
  const { targets, asks } = await decide();
  const [own, ship] = targets;
  expect(own!.untrusted).toEqual([]);
  expect([own!.inputs.length > 0, own!.sent.length > 0]).toEqual([true, true]);
  expect(ship!.untrusted).toEqual([{ ...token, place: "fastloop.yaml:9:18" }]);
  expect([ship!.inputs, ship!.sent]).toEqual([[], []]);
  expect(asks).toEqual(ship!.untrusted);
});

test("the folder of a refused target is not scanned", async () => {
  const { decide, root } = project({}, { out: { call: "test --source .. --part x" } });
  const inputsOf = async (trust: ProjectOptions["trust"]): Promise<string[]> =>
    (await decide({ trust })).targets.flatMap(({ inputs, sent }) => [...inputs, ...sent].map((input) => input.path));
  const outside = path.dirname(root);
  expect([await inputsOf("none"), await inputsOf("all")]).toEqual([[], [outside, outside]]);
});

test("a target is not refused once the user has allowed what it asks, nor where everything is", async () => {
  const { root, refused, store } = project();
  expect(await refused({ trust: "all" })).toEqual([]);
  expect(await refused({ trust: { digests: [digestOfAsks([token])] } })).toEqual([]);
  store.write(root, [{ ...token, what: "OTHER" }]);
  expect(await refused()).toEqual(["ship"]);
  store.write(root, [token]);
  expect(await refused()).toEqual([]);
  expect(await refused({ trust: "none" })).toEqual(["ship"]);
});

test("places of what is asked are found where something is refused, or where they are asked for", async () => {
  const { root, decide, store } = project();
  store.write(root, [token]);
  expect((await decide()).asks).toEqual([token]);
  expect((await decide({ placesOfAsks: true })).asks).toEqual([{ ...token, place: "fastloop.yaml:9:18" }]);
});

test("what is asked without a fastloop.yaml has no place in it", async () => {
  const { decide } = project({}, undefined, false);
  const { asks } = await decide();
  expect(asks).toEqual([token]);
});

test("a daemon that the configuration names is refused to every target, unless another engine is used", async () => {
  const { root, refused, decide, store } = project(buildkit);
  store.write(root, [token]);
  expect(await refused()).toEqual(["test", "ship"]);
  expect((await decide()).targets[0]!.untrusted).toEqual([{ ...engine, place: "fastloop.yaml:3:13" }]);
  expect(await refused({ engine: "embedded" })).toEqual(["test", "ship"]);
  expect(await refused({ engine: "dagger" })).toEqual([]);
  expect(await refused({ buildkitHost: "tcp://mine:1" })).toEqual([]);
  store.write(root, [token, engine]);
  expect(await refused()).toEqual([]);
});

test("the engine of the configuration decides whether its daemon is used, where the command line names none", async () => {
  const { root, refused, store } = project({ engine: { ...buildkit.engine, use: "dagger" } });
  store.write(root, [token]);
  expect(await refused()).toEqual([]);
  expect(await refused({ engine: "embedded" })).toEqual(["test", "ship"]);
});

test("other keys of the configuration are asked for, but refuse no target", async () => {
  const { root, decide, refused, store } = project({ cache: { from: ["type=registry,ref=host/x"] } });
  store.write(root, [token]);
  expect(await refused()).toEqual([]);
  expect((await decide()).asks).toEqual([{ kind: "cache", what: "type=registry,ref=host/x", by: "cache.from" }, token]);
});

test("a program that the configuration names as an extension is asked for by its content", async () => {
  const { root, decide } = project({ extensions: { diff: "./diff.mjs" } });
  writeFileSync(path.join(root, "diff.mjs"), "export {};");
  expect((await decide()).asks).toContainEqual(expect.objectContaining({ kind: "extension", by: "extensions.diff" }));
});

test("what the module itself needs is asked for, whatever its targets are", async () => {
  const { loaded, module, env, root } = project();
  const insecure = { ...module, insecurePlaces: ["ci/src/index.ts:1:1"] };
  const found = await withTrust([], loaded, insecure, { cwd: root, environment: env });
  expect(found.trust.asks).toEqual([
    { kind: "root-capabilities", what: "", by: "module ci", place: "ci/src/index.ts:1:1" },
  ]);
});

const services = {
  services: { db: { function: "ship --token env:DB" }, web: { image: "web" }, bad: { function: "none 'such" } },
} as unknown as Partial<Config>;

test("calls of services are asked for with their place, an invalid one is left to its start", async () => {
  const { decide, refused } = project(services, { test: { call: "test --source . --part x" } });
  const asks = [{ kind: "variable", what: "DB", by: "ship --token", place: "fastloop.yaml: services.db.function" }];
  expect((await decide()).asks).toEqual(asks);
  expect(await refused()).toEqual([]);
  const invalid = { services: { bad: { function: "none-such --x" } } } as unknown as Partial<Config>;
  expect((await project(invalid, { test: { call: "test --source . --part x" } }).decide()).asks).toEqual([]);
});

test("a command that runs no target asks for the configuration, its services and the module alone", () => {
  const { loaded, module, env } = project({ ...buildkit, ...services });
  const asked = (trust?: ProjectOptions["trust"], of: ModuleInfo | undefined = module): string[] =>
    trustOf(loaded, of, { environment: env, trust }).asks.map(({ what }) => what);
  expect(asked()).toEqual(["tcp://host:1", "DB"]);
  expect(asked("none")).toEqual(["tcp://host:1", "DB"]);
  // A digest stands for all that the project asks, so targets are part of it.
  expect(asked({ digests: [] })).toEqual(["tcp://host:1", "DB", "TOKEN"]);
  expect(trustOf(loaded, undefined, { environment: env }).asks.map(({ what }) => what)).toEqual(["tcp://host:1"]);
});

test("invalid targets do not fail a command that runs none of them", () => {
  const { loaded, module, env } = project(buildkit, { test: { call: "no-such-function" } });
  expect(trustOf(loaded, module, { environment: env, trust: { digests: [] } }).asks).toEqual([engine]);
});

test("without a module the consent is that of the configuration's folder", () => {
  const { loaded, module, env, root, store } = project(buildkit);
  store.write(root, [engine]);
  for (const of of [undefined, module]) {
    expect(trustOf(loaded, of, { environment: env }).missing()).toEqual([]);
    expect(trustOf(loaded, of, { environment: env, trust: "none" }).missing()).toEqual([engine]);
  }
});
