import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { loadModule } from "../../../src/module/index.ts";
import type { FunctionInfo, ModuleInfo } from "../../../src/module/index.ts";

let module: ModuleInfo;
let functions: FunctionInfo[];
beforeAll(async () => {
  module = await loadModule(fileURLToPath(new URL("../../..", import.meta.url)));
  functions = Object.values(module.objects.Fastloop!.functions);
}, 60_000);

describe("the module, read as an engine would read it", () => {
  test("has no constructor: it would cost a second start at every call", () => {
    expect(module.objects.Fastloop!.constructorArguments ?? []).toEqual([]);
  });

  test("every directory that it takes has a default and leaves things out", () => {
    const directories = functions.flatMap((fn) =>
      fn.arguments
        .filter((arg) => arg.type.kind === "object" && arg.type.name === "Directory")
        .map((arg) => ({ fn: fn.name, ...arg })),
    );
    expect(directories.length).toBeGreaterThan(5);
    for (const { fn, defaultPath, ignore } of directories) {
      expect({ fn, defaultPath }).toEqual({ fn, defaultPath: "/" });
      expect(ignore?.length, fn).toBeGreaterThan(0);
    }
  });

  test("what acts on the world is never answered from the cache, and a scan grows old", () => {
    const policies = Object.fromEntries(
      functions.filter((fn) => fn.cache !== undefined).map((fn) => [fn.name, fn.cache]),
    );
    expect(policies).toEqual({
      publishBase: "never",
      verifyBase: "session",
      outdatedBase: "1h",
      lockBase: "never",
      pruneBase: "never",
      buildDev: "session",
      devTarball: "session",
      explainDev: "never",
      shell: "never",
      sbom: "24h",
      scan: "1h",
      publish: "never",
      render: "session",
      diff: "never",
      deploy: "never",
      rollback: "never",
      undeploy: "never",
      deployStatus: "never",
      release: "never",
      service: "session",
    });
  });

  test("the tiers are checks, so that `dagger check` runs them", () => {
    expect(functions.filter((fn) => fn.isCheck).map((fn) => fn.name)).toEqual(["smoke", "fast", "full"]);
  });

  test("its signature is the one that callers know (vitest -u after a change that is meant)", async () => {
    const signature = functions.map((fn) => ({
      name: fn.name,
      cache: fn.cache,
      check: fn.isCheck,
      returns: fn.returns,
      arguments: fn.arguments.map(({ name, type, optional, defaultValue, defaultPath, ignore }) => ({
        name,
        type,
        optional,
        defaultValue,
        defaultPath,
        ignore,
      })),
    }));
    await expect(`${JSON.stringify(signature, null, 1)}\n`).toMatchFileSnapshot("module.golden.json");
  });

  test("every function says in words what it does", () => {
    for (const fn of functions) expect(fn.description, fn.name).toMatch(/\w{3,}/);
  });
});
