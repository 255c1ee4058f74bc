import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseCall, type ParsedCall } from "../../../src/call/index.ts";
import { loadModule, type ModuleInfo } from "../../../src/module/index.ts";
import {
  digestOf,
  fingerprintOf,
  fingerprintOfCall,
  inputsOfCall,
  ProjectScanner,
  resolveTargets,
} from "../../../src/plan/index.ts";
import { ContentHasher } from "../../../src/tree/index.ts";
import { useBuiltPrograms } from "../module/built.ts";
import { configAt } from "./fixture.ts";

let module: ModuleInfo;
let folder: string;

beforeAll(async () => {
  await useBuiltPrograms();
  module = await loadModule(path.resolve(import.meta.dirname, "../../fixtures/modules/everything"));
}, 60_000);
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-key-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const words = (line: string): string[] => line.split(" ");
const key = (
  line: string,
  env: NodeJS.ProcessEnv = {},
  changes: { module?: ModuleInfo; engine?: string; secretKey?: string } = {},
): Promise<string> => keyOf(parseCall(words(line), { module, cwd: folder }), env, changes);

async function keyOf(
  call: ParsedCall,
  environment: NodeJS.ProcessEnv,
  changes: { module?: ModuleInfo; engine?: string; secretKey?: string },
): Promise<string> {
  const inputs = inputsOfCall(call, module);
  return digestOf(
    await fingerprintOfCall(call, inputs, {
      snapshot: new ProjectScanner(inputs, new ContentHasher()).scan(),
      moduleDigest: (changes.module ?? module).digest,
      secretKey: Buffer.from(changes.secretKey ?? "key"),
      engine: changes.engine ?? "embedded",
      environment,
      cwd: folder,
    }),
  );
}

describe("the digest of a call", () => {
  it("is made of what that of a target is made of: the same inputs by the same rules, module and engine", async () => {
    const site = path.join(folder, "site");
    mkdirSync(site);
    writeFileSync(path.join(site, "a.txt"), "a");
    const line = "shout-it --site site";
    const config = configAt(folder, { shout: { call: line } });
    const [target] = resolveTargets(config, module);
    const call = parseCall(words(line), { module, cwd: folder });
    const inputs = inputsOfCall(call, module);
    const snapshot = new ProjectScanner([...target!.inputs, ...inputs], new ContentHasher()).scan();
    const shared = { snapshot, moduleDigest: module.digest, engine: "embedded", environment: {} };
    const ofCall = await fingerprintOfCall(call, inputs, { ...shared, secretKey: Buffer.from("key"), cwd: folder });
    const ofTarget = fingerprintOf(target!, { ...shared, root: folder, environmentKey: Buffer.from("key") }, {});
    expect(Object.keys(ofCall).sort()).toEqual(Object.keys(ofTarget).sort());
    expect(ofCall).toMatchObject({ function: ofTarget.function, module: ofTarget.module, engine: ofTarget.engine });
    expect(ofCall.inputs.map(({ digest }) => digest)).toEqual(ofTarget.inputs.map(({ digest }) => digest));
  });

  it("is that of what the words mean, not of how they are written", async () => {
    expect(await key("greet --greeting=hi --times 2")).toBe(await key("greet --times=2 --greeting hi"));
    expect(await key("join --words a,b")).toBe(await key("join --words a --words b"));
  });

  it("moves with the arguments, the function, the chain, the module's code and the engine", async () => {
    const keys = await Promise.all([
      key("greet --greeting hi"),
      key("greet --greeting ho"),
      key("--who ada greet --greeting hi"),
      key("inferred --image hi"),
      key("inferred --image hi stdout"),
      key("inferred --image hi stderr"),
      key("inferred --image hi file --path /a contents"),
      key("inferred --image hi file --path /b contents"),
      key("greet --greeting hi", {}, { engine: "dagger" }),
      key("greet --greeting hi", {}, { module: { ...module, digest: "other" } }),
    ]);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("moves with the content of a given directory, not with its place, its times or what is ignored", async () => {
    const site = path.join(folder, "site");
    mkdirSync(site);
    writeFileSync(path.join(site, "a.txt"), "a");
    const before = await key("shout-it --site site");
    utimesSync(path.join(site, "a.txt"), 1, 1);
    writeFileSync(path.join(site, "noise.log"), "ignored by the signature");
    expect(await key("shout-it --site site")).toBe(before);
    // A call is sent all that Dagger would send, and what is sent counts.
    writeFileSync(path.join(site, ".a.txt.swp"), "an editor's");
    expect(await key("shout-it --site site")).not.toBe(before);
    rmSync(path.join(site, ".a.txt.swp"));
    renameSync(site, path.join(folder, "moved"));
    expect(await key("shout-it --site moved")).toBe(before);
    writeFileSync(path.join(folder, "moved/a.txt"), "b");
    expect(await key("shout-it --site moved")).not.toBe(before);
  });

  it("moves with a secret's value, which cannot be guessed from it", async () => {
    const before = await key("secretly --token env://T", { T: "one" });
    expect(await key("secretly --token env://T", { T: "two" })).not.toBe(before);
    expect(await key("secretly --token env://T", { T: "one" }, { secretKey: "another project's" })).not.toBe(before);
    expect(await key("secretly --token env://T", { T: "one" })).toBe(before);
  });
});
