import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  loadModule,
  startFunctionRuntime,
  type FunctionRuntime,
  type ModuleInfo,
  type RuntimeLog,
} from "../../../src/module/index.ts";
import { removeCache, useBuiltPrograms } from "./built.ts";
import { startFakeSession, type FakeSession } from "./fake-session.ts";

const fixture = path.resolve(import.meta.dirname, "../../fixtures/modules/dependencies");
let root: string;
let session: FakeSession;
const runtimes: FunctionRuntime[] = [];

beforeAll(() => useBuiltPrograms(), 60_000);

beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), "fastloop-dependencies-"));
  cpSync(fixture, root, { recursive: true });
  mkdirSync(path.join(root, ".git"));
  session = await startFakeSession();
});

afterEach(async () => {
  await Promise.all(runtimes.splice(0).map((runtime) => runtime.close()));
  await session.close();
  rmSync(root, { recursive: true, force: true });
});

afterAll(removeCache);

const load = (): Promise<ModuleInfo> => loadModule(path.join(root, "app"));

function depend(folder: string, dependencies: { name: string; source: string }[]): void {
  const file = path.join(root, folder, "dagger.json");
  const manifest = JSON.parse(readFileSync(file, "utf8")) as object;
  writeFileSync(file, JSON.stringify({ ...manifest, dependencies }, undefined, 2));
}

async function call(name: string, signal?: AbortSignal): Promise<unknown> {
  const runtime = startFunctionRuntime({ module: await load(), session });
  runtimes.push(runtime);
  return runtime.call({ function: name, args: {}, callId: name, ...(signal === undefined ? {} : { signal }) });
}

describe("a module with dependencies", { timeout: 120_000 }, () => {
  it("has their digests in its own, so that an edit in the deepest one counts", async () => {
    const before = await load();
    expect(
      before.digest
        .split(" ")
        .slice(1)
        .map((each) => each.split("@")[0]),
    ).toEqual(["base", "basis", "lib"]);
    writeFileSync(path.join(root, "base/src/more.ts"), "export const more = 1;\n");
    const after = await load();
    expect(after.ownDigest).toBe(before.ownDigest);
    expect(after.digest).not.toBe(before.digest);
  });

  it.each(["dependencies", "toolchains"])("is read once each, however many ways of %s lead to it", async (kind) => {
    const count = 40;
    for (let index = 0; index < count; index++) {
      const source = index === count - 1 ? "../base" : `../m${index + 1}`;
      // Without code, so that nothing has to be scanned.
      const manifest = {
        name: `m${index}`,
        engineVersion: "v0.21.4",
        toolchains: [{ name: "base", source: "../base" }],
        [kind]: ["one", "two"].map((name) => ({ name, source })),
      };
      mkdirSync(path.join(root, `m${index}`));
      writeFileSync(path.join(root, `m${index}/dagger.json`), JSON.stringify(manifest));
    }
    const module = await loadModule(path.join(root, "m0"));
    expect(module.digest.length).toBeLessThan(20_000);
    writeFileSync(path.join(root, "base/src/more.ts"), "export const more = 1;\n");
    expect((await loadModule(path.join(root, "m0"))).digest).not.toBe(module.digest);
  });

  it("is refused where they lead in a circle, with the place and the way round", async () => {
    depend("base", [{ name: "app", source: "../app" }]);
    await expect(load()).rejects.toMatchObject({
      code: "module",
      message: expect.stringContaining("app -> lib -> base -> app") as string,
      place: expect.stringMatching(/base\/dagger\.json:\d+:\d+$/) as string,
    });
  });

  it.each(["", "entrypoint = true\n"])("is refused at its line of a dagger.toml, %j", async (more) => {
    mkdirSync(path.join(root, "project"));
    const file = path.join(root, "project/dagger.toml");
    writeFileSync(file, `[modules.base]\nsource = "../base"\n\n[modules.out]\nsource = "../.."\n${more}`);
    const refused = { message: expect.stringContaining("leads out of the repository") as string, place: `${file}:4` };
    await expect(loadModule(path.join(root, "project"))).rejects.toMatchObject(refused);
  });

  it("is refused where one lies outside of the repository, also by a link", async () => {
    const outside = mkdtempSync(path.join(tmpdir(), "fastloop-outside-"));
    cpSync(path.join(fixture, "base"), outside, { recursive: true });
    symlinkSync(outside, path.join(root, "linked"));
    for (const source of [path.relative(path.join(root, "app"), outside), "../linked"]) {
      depend("app", [{ name: "base", source }]);
      await expect(load()).rejects.toMatchObject({
        code: "module",
        message: expect.stringContaining("leads out of the repository") as string,
      });
    }
    rmSync(outside, { recursive: true, force: true });
  });

  it("names the file where one does not exist", async () => {
    depend("app", [{ name: "gone", source: "../gone" }]);
    await expect(load()).rejects.toMatchObject({ place: path.join(root, "gone") });
  });

  it("loads with one in another language or on another machine, whose functions can't be called", async () => {
    expect((await load()).dependencies.map((each) => [each.name, "refused" in each])).toEqual([
      ["lib", false],
      ["basis", false],
      ["far", true],
      ["snake", true],
    ]);
    await expect(call("snake")).rejects.toThrow(/dag\.snake\(\): a module in python needs a Dagger engine/);
    await expect(call("far")).rejects.toThrow(
      /dag\.far\(\): github\.com\/example\/far@v1 can lead to another commit later: give it a "pin"/,
    );
  });
});

describe("a call into another module", { timeout: 120_000 }, () => {
  it("tells what was thrown there", async () => {
    await expect(call("throws")).rejects.toThrow("the base says no");
  });

  it("knows no object by an id that it was not given", async () => {
    await expect(call("forged")).rejects.toThrow("no object of lib has this id");
  });

  it("ends when the call ends that asked for it", async () => {
    const controller = new AbortController();
    const waiting = call("wait", controller.signal);
    setTimeout(() => controller.abort(new Error("enough")), 100);
    await expect(waiting).rejects.toThrow("enough");
  });

  it("starts what the function asked the last time beside its own process, and nothing else", async () => {
    for (const name of ["base", "lib"]) {
      const file = path.join(root, name, "src/index.ts");
      writeFileSync(file, `${readFileSync(file, "utf8")}\nconsole.log("${name} is here");\n`);
    }
    const module = await load();
    const begin = (expects?: string): { runtime: FunctionRuntime; here: Promise<string[]> } => {
      const texts: string[] = [];
      let seen = (): void => {};
      const here = new Promise<string[]>((resolve) => (seen = () => resolve(texts)));
      const onLog = ({ text }: RuntimeLog): void => {
        texts.push(text.trim());
        seen();
      };
      const runtime = startFunctionRuntime({
        module,
        session,
        onLog,
        ...(expects === undefined ? {} : { expects: { function: expects } }),
      });
      runtimes.push(runtime);
      return { runtime, here };
    };
    const first = begin("throws");
    await expect(first.runtime.call({ function: "throws", args: {}, callId: "one" })).rejects.toThrow("says no");
    await first.runtime.close();
    // Nobody calls anything: the process is there by what is known of the function.
    expect(await begin("throws").here).toEqual(["base is here"]);
  });

  it("starts nothing any more once it is closed", async () => {
    const module = await load();
    const started: string[] = [];
    const runtime = startFunctionRuntime({ module, session, onLog: ({ text }) => started.push(text) });
    runtimes.push(runtime);
    await runtime.close();
    const below = module.dependencies.flatMap((each) => ("module" in each ? each.module : []))[0]!;
    for (const of of [undefined, below])
      await expect(runtime.call({ of, function: "throws", args: {}, callId: "late" })).rejects.toThrow("is closed");
    expect(started).toEqual([]);
  });
});
