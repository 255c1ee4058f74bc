import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
// @ts-expect-error: a plain script without types
import { bundleConfig, bundleTypes, schemaText } from "../../../tools/generate.mjs";

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
