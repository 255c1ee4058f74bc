import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { devImageName, imageNames } from "../../../pipelines/src/images.ts";
import { parseConfig } from "../../../pipelines/vendor/config.mjs";

const source = new URL("../../../pipelines/src/", import.meta.url);
const pinnedDebian = `debian@sha256:${"0".repeat(64)}`;

function configOf(text: string) {
  const { config, problems } = parseConfig(`version: 1\nname: it\n${text}`);
  if (config === undefined) throw new Error(JSON.stringify(problems));
  return config;
}

test("the lock names every image that a function starts from, presets and helpers included", () => {
  const config = configOf(`
images:
  base: { from: debian:trixie-slim }
  dev: { base: custom/dev:1 }
  prod: { from: gcr.io/distroless/nodejs22:latest }
tests:
  services:
    db: { preset: postgres }
    cache: { image: valkey/valkey:8, port: 6379 }
    fixed: { image: "${pinnedDebian}", port: 1 }
  suites:
    own: { image: base, tiers: { fast: "true" } }
    dev: { image: dev, tiers: { fast: "true" } }
    npm: { preset: npm, tiers: { fast: "true" } }
    py: { preset: pip, image: python:3.13, tiers: { fast: "true" } }
scan:
  tool: { image: aquasec/trivy:1, run: trivy }
`);
  expect(imageNames(config)).toEqual([
    "aquasec/trivy:1",
    "custom/dev:1",
    "debian:bookworm-slim",
    "debian:trixie-slim",
    "gcr.io/distroless/nodejs22:latest",
    "node:22-bookworm-slim",
    "python:3.13",
    "valkey/valkey:8",
  ]);
});

test("the lock names what runs the deployer, and the image of its tools", () => {
  const deploy = (more: string, apps = "") => configOf(`deploy: { ${more} environments: {}, apps: { ${apps} } }`);
  expect(imageNames(deploy(""))).toEqual(["node:22-bookworm-slim"]);
  expect(imageNames(deploy("image: node:24-slim, tools: alpine/k8s:1.36.0,"))).toEqual([
    "alpine/k8s:1.36.0",
    "node:24-slim",
  ]);
  // Without an image of tools, they are put into ours, whatever runs the deployer.
  const own = "image: node:24-slim,";
  const both = ["node:22-bookworm-slim", "node:24-slim"];
  expect(imageNames(deploy(own, "a: { manifests: [a.yaml] }"))).toEqual(["node:24-slim"]);
  expect(imageNames(deploy(own, "a: { manifests: [a.yaml] }, b: { kustomize: b }"))).toEqual(both);
  expect(imageNames(deploy(own, "c: { helm: { chart: c } }"))).toEqual(both);
});

test("the dev image's own start is named where it has one", () => {
  expect([
    devImageName({}, true),
    devImageName({ base: "base" }, true),
    devImageName({ preset: "go" }, true),
    devImageName({ preset: "go" }, false),
    devImageName({ base: "x:1" }, true),
  ]).toEqual([undefined, undefined, undefined, "golang:1-bookworm", "x:1"]);
  expect(imageNames(configOf("images: { dev: { preset: pip } }"))).toEqual([
    "debian:bookworm-slim",
    "python:3.11-slim-bookworm",
  ]);
  expect(imageNames(configOf(""))).toEqual([]);
});

test("images are taken by name in one place, which asks the lock", () => {
  const found = readdirSync(source).flatMap((name) =>
    readFileSync(new URL(name, source), "utf8")
      .split("\n")
      .flatMap((line) => (/\.from\((?!\{)/.test(line) && !/Object\.|Array\./.test(line) ? [name] : [])),
  );
  // published.ts and verify.ts take what a registry answered or the user named; ladder.ts the resolved base.
  expect(found.toSorted()).toEqual(["images.ts", "ladder.ts", "published.ts", "verify.ts"]);
});
