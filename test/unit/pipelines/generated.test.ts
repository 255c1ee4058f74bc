import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
// @ts-expect-error: a plain script without types
import * as generate from "../../../tools/generate.mjs";

const { bundleConfig, bundleDeploy, bundleDeployer, bundleDeployTypes, bundleTypes, schemaText } = generate;
const committed = (file: string) => readFile(new URL(`../../../${file}`, import.meta.url), "utf8");

test("the module's copy of the configuration room is current (node tools/generate.mjs)", async () => {
  expect((await bundleConfig()) === (await committed("pipelines/vendor/config.mjs"))).toBe(true);
});

test("the schema for editors is current (node tools/generate.mjs)", async () => {
  expect(await schemaText()).toBe(await committed("docs/fastloop.schema.json"));
});

test("the types of the module's copy are current (node tools/generate.mjs)", async () => {
  expect(await bundleTypes()).toBe(await committed("pipelines/vendor/config.d.mts"));
}, 60_000);

test("the module's copy of the deploy room, its types and the deployer are current (node tools/generate.mjs)", async () => {
  expect((await bundleDeploy()) === (await committed("pipelines/vendor/deploy.mjs"))).toBe(true);
  expect((await bundleDeployer()) === (await committed("pipelines/vendor/deployer.mjs"))).toBe(true);
  expect(await bundleDeployTypes()).toBe(await committed("pipelines/vendor/deploy.d.mts"));
}, 60_000);
