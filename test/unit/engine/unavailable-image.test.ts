import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { unavailableImage } from "../../../src/engine/unavailable-image.ts";

const folder = mkdtempSync(path.join(tmpdir(), "fastloop-images-"));
afterAll(() => rmSync(folder, { recursive: true }));

function said(reference: string, reason: string, where = ""): { message?: string; hint?: string } {
  const text = `${where}failed to resolve image "${reference}" (platform: "linux/amd64"): failed to resolve source metadata for ${reference}: ${reason}`;
  const error = unavailableImage(new Error(text), folder);
  return { message: error?.message, hint: error?.hint };
}

test("a registry's answer is told in one sentence, with what to do", () => {
  expect(said("quay.io/a/b:1", "failed to do request: Head: dial tcp: lookup quay.io: no such host")).toEqual({
    message: "the image quay.io/a/b:1 is not available: quay.io can't be reached (no such host)",
    hint: "name another one in fastloop.yaml (`image:` of a suite, `from:` of a base), or a registry that can be reached; see docs/air-gapped.md",
  });
  expect(said("docker.io/library/node:99", "docker.io/library/node:99: not found").message).toBe(
    "the image node:99 is not available: docker.io has no image of this name and tag",
  );
  expect(said("ghcr.io/a/b:1", "unexpected status: 403 Forbidden").message).toContain("wants a login");
  expect(said("docker.io/library/node:22", "no match for platform in manifest: not found").message).toContain(
    "no variant for linux/amd64",
  );
  expect(said("docker.io/library/node:22", "something else", "web fast: ").message).toBe(
    "web fast: the image node:22 is not available: failed to resolve source metadata for docker.io/library/node:22: something else",
  );
});

test("a machine without a registry names the images that it has", () => {
  const tags = path.join(folder, "registry/docker/registry/v2/repositories/library/node/_manifests/tags");
  for (const tag of ["22-slim", "22-bookworm-slim"]) mkdirSync(path.join(tags, tag), { recursive: true });
  writeFileSync(
    path.join(folder, "decision.json"),
    JSON.stringify({ mode: "local", why: "docker.io can't be reached (ENOTFOUND)" }),
  );
  const { message, hint } = said("docker.io/library/golang:1-bookworm", "golang:1-bookworm: not found");
  expect(message).toBe(
    "the image golang:1-bookworm is not available: docker.io can't be reached (ENOTFOUND), and it is not one of this machine's own images",
  );
  expect(hint).toMatch(/^this machine has node:22-bookworm-slim; name another one/);
});

test("other errors are none of an image", () => {
  expect(unavailableImage(new Error("exit code 1"), folder)).toBeUndefined();
});
