import http from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { knownImagesIn } from "../../../src/engine-daemon/known-images.ts";

let state: string;
beforeEach(() => (state = mkdtempSync(path.join(tmpdir(), "fastloop-images-"))));
afterEach(() => rmSync(state, { recursive: true, force: true }));

const image = (digest: string) => ({ digest, config: { os: "linux", architecture: "amd64" } as never });
const node = "docker.io/library/node:22";

test("what a tag led to is found by the next daemon, for its platform", () => {
  const images = knownImagesIn(state, () => undefined);
  images.keep(node, "linux/amd64", image("sha256:1"));
  images.keep(node, "linux/amd64", image("sha256:2"));
  const next = knownImagesIn(state, () => undefined);
  expect(next.find(node, "linux/amd64")).toEqual(image("sha256:2"));
  expect(next.find(node, "linux/arm64")).toBeUndefined();
});

test("a damaged file is as none", () => {
  writeFileSync(path.join(state, "images.json"), '{"docker.io/lib');
  const images = knownImagesIn(state, () => undefined);
  expect(images.find(node, "linux/amd64")).toBeUndefined();
  images.keep(node, "linux/amd64", image("sha256:1"));
  expect(knownImagesIn(state, () => undefined).find(node, "linux/amd64")).toEqual(image("sha256:1"));
});

test("what the registry of this machine has is there, whatever was resolved before", async () => {
  const server = http.createServer((request, response) => {
    response.statusCode = request.url === "/v2/library/node/manifests/22" ? 200 : 404;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const images = knownImagesIn(state, () => `127.0.0.1:${port}`);
  expect(await images.isServedHere(node)).toBe(true);
  expect(await images.isServedHere("docker.io/library/other:1")).toBe(false);
  expect(await images.isServedHere("ghcr.io/library/node:22")).toBe(false);
  server.close();
  expect(await images.isServedHere(node)).toBe(false);
});
