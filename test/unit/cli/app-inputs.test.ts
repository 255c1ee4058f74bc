import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { inputsOfApp } from "../../../src/cli/deploy/app-inputs.ts";

const folder = mkdtempSync(path.join(tmpdir(), "fastloop-app-inputs-"));
const root = path.join(folder, "project");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const write = (file: string, text: string): void => {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
};
const patternsOf = (kustomize: string): string[] =>
  inputsOfApp({ kustomize }, "dev", root, {}).flatMap(({ filter: { include = [] } }) => include);

describe("inputs of a kustomization", () => {
  test("are its folder, its bases and the files that they name, once each", () => {
    write("k/dev/kustomization.yaml", "resources: [../base]\npatches:\n  - path: ../patches/a.yaml\n");
    write("k/base/kustomization.yml", "resources: [web.yaml, ../dev, ../../../outside]\n");
    write("k/patches/a.yaml", "x: 1\n");
    write("../outside/kustomization.yaml", "resources: []\n");
    const patterns = patternsOf("k/{env}");
    expect(patterns.filter((one) => one.includes("/")).toSorted()).toEqual(["k/base/", "k/dev/", "k/patches/a.yaml"]);
  });

  test("follow a chain of ten thousand bases without a stack of calls", () => {
    for (let index = 0; index < 10_000; index++)
      write(`chain/${index}/kustomization.yaml`, `resources: [../${index + 1}]\n`);
    expect(patternsOf("chain/0").length).toBeGreaterThanOrEqual(10_000);
  });
});
