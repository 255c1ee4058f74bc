import { expect, it } from "vitest";
import { sizeBytes } from "../../../src/core-api/schema/engine.ts";
import { canonicalHost } from "../../../src/core-api/registry/token.ts";

it("reads sizes with decimal and binary units", () => {
  expect(["10", "1kB", "1.5GB", "2GiB", "3M", ""].map(sizeBytes)).toEqual([
    10,
    1000,
    1_500_000_000,
    2_147_483_648,
    3_000_000,
    undefined,
  ]);
});

it("refuses sizes that are none", () => {
  expect(() => sizeBytes("80%")).toThrow(/takes no percentages/);
  expect(() => sizeBytes("many")).toThrow(/invalid size/);
});

it("knows Docker Hub by all of its names", () => {
  expect(["https://index.docker.io/v1/", "registry-1.docker.io", "docker.io/library/x"].map(canonicalHost)).toEqual([
    "docker.io",
    "docker.io",
    "docker.io",
  ]);
  expect(canonicalHost("localhost:5000/a")).toBe("localhost:5000");
});
