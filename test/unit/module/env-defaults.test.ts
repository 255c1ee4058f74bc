/** Defaults of arguments in a `.env`, by Dagger's names. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseCall } from "../../../src/call/index.ts";
import { loadModule, type ModuleInfo } from "../../../src/module/index.ts";
import { moduleSources } from "../../../src/plan/index.ts";
import { removeCache, useBuiltPrograms } from "./built.ts";
import { removeTemporaryModules, temporaryModule } from "./temporary-module.ts";

const source = `
  @object() export class MyCi {
    @func() registry: string
    constructor(registry: string) { this.registry = registry }
    @func() pushImage(tag: string, tries: number = 1, names: string[] = [], isDry: boolean = false, dir?: Directory): string { return tag }
  }`;
const manifest = (name: string): string => `{"name":"${name}","engineVersion":"v0.21.4","sdk":"typescript"}`;

beforeAll(useBuiltPrograms, 60_000);
afterAll(() => {
  removeTemporaryModules();
  removeCache();
});

function defaults(module: ModuleInfo): Record<string, unknown> {
  const main = module.objects[module.mainObject];
  const args = [...(main?.constructorArguments ?? []), ...(main?.functions["pushImage"]?.arguments ?? [])];
  return Object.fromEntries(args.map(({ name, defaultValue }) => [name, defaultValue]));
}

describe("a .env", () => {
  it("beside dagger.json sets plain defaults of the constructor and of functions", async () => {
    const root = temporaryModule("my-ci", source);
    const before = await loadModule(root);
    expect(() => parseCall(["push-image"], { module: before, cwd: root })).toThrow("--registry is missing");
    writeFileSync(
      path.join(root, ".env"),
      'REGISTRY="ghcr.io/me"\npushImage_TAG=v1 # a comment\nPUSH_IMAGE_TRIES=3\npushimage_names=a,b\nPUSH_IMAGE_IS_DRY=true\nPUSHIMAGE_DIR=/etc\nOTHER=1\n',
    );
    const module = await loadModule(root);
    expect(defaults(module)).toEqual({ registry: "ghcr.io/me", tag: "v1", tries: 3, names: ["a", "b"], isDry: true });
    expect(module.digest).not.toBe(before.digest);
    expect(parseCall(["push-image"], { module, cwd: root }).own).toHaveLength(2);
    expect(moduleSources(module)).toContainEqual({ kind: "file", path: path.join(root, ".env"), filter: {} });
  });

  it("above the module needs the module's name, and none above the repository is read", async () => {
    const top = temporaryModule("other", source, {
      ".env": "REGISTRY=unread\nMY_CI_REGISTRY=above\nMYCI_PUSHIMAGE_TAG=v2\n",
      "repository/.git/HEAD": "ref: refs/heads/main\n",
      "repository/ci/dagger.json": manifest("my-ci"),
      "repository/ci/src/index.ts": `import { func, object, Directory } from "@dagger.io/dagger"\n${source}`,
    });
    const folder = path.join(top, "repository/ci");
    expect(defaults(await loadModule(folder))).toMatchObject({ registry: undefined, tag: undefined });
    writeFileSync(path.join(top, "repository/.env"), "REGISTRY=unread\nMY_CI_REGISTRY=above\nMYCI_PUSHIMAGE_TAG=v2\n");
    expect(defaults(await loadModule(folder))).toMatchObject({ registry: "above", tag: "v2" });
  });

  it("with a value of another type is an error that names the file", async () => {
    const root = temporaryModule("my-ci", source, { ".env": "PUSHIMAGE_TRIES=many\n" });
    await expect(loadModule(root)).rejects.toMatchObject({ code: "module", place: ".env" });
  });
});
