import { describe, expect, it } from "vitest";
import { onPlatforms } from "../../../src/core-api/dockerfile/build-platforms.ts";
import type { Call } from "../../../src/core-api/request/call.ts";
import { definition, image } from "../../../src/llb/index.ts";

const debian = "docker.io/library/debian:bookworm-slim";
const made = (platform: string, reference = `${debian}@sha256:0`) => ({
  definition: definition(image(reference, { platform })),
});

/** A session whose images are `variants`; an image is known to the frontend once it was resolved. */
function session(variants: Record<string, string>): { call: Call; resolved: string[] } {
  const resolved: string[] = [];
  const resolve = (address: string, platform: string) => {
    resolved.push(`${address} ${platform}`);
    const found = variants[platform];
    if (found === undefined) return Promise.reject(new Error("no match for platform in manifest: not found"));
    const [os, architecture] = found.split("/");
    return Promise.resolve({ reference: address, config: { os, architecture } });
  };
  return {
    call: { session: { images: { resolve }, defaultPlatform: "linux/amd64", options: {} } } as unknown as Call,
    resolved,
  };
}

describe("the images of a Dockerfile", () => {
  it("are read once for the engine's own platform", async () => {
    const { call, resolved } = session({ "linux/amd64": "linux/amd64" });
    let reads = 0;
    expect(
      await onPlatforms(call, "linux/amd64", () => Promise.resolve({ ...made("linux/amd64"), reads: ++reads })),
    ).toMatchObject({ reads: 1 });
    expect(resolved).toEqual([`${debian}@sha256:0 linux/amd64`]);
  });

  it("are looked up by their digest where they are pinned without a tag, on every platform", async () => {
    const pinned = "localhost:5000/app@sha256:0";
    for (const platform of ["linux/amd64", "linux/arm64"]) {
      const { call, resolved } = session({ [platform]: platform });
      await onPlatforms(call, platform, () => Promise.resolve(made(platform, pinned)));
      expect(resolved).toEqual([`${pinned} ${platform}`]);
    }
  });

  it("are refused where they are of another machine than the engine, unless nothing can be asked", async () => {
    const { call, resolved } = session({ "linux/amd64": "linux/arm64" });
    const build = () => onPlatforms(call, "linux/amd64", () => Promise.resolve(made("linux/amd64")));
    await expect(build()).rejects.toThrow("has no variant for linux/amd64, only for linux/arm64");
    Object.assign(call.session.options, { offline: true });
    expect(await build()).toBeDefined();
    expect(resolved).toHaveLength(1);
  });

  it("are prepared for another platform, and the Dockerfile is read again", async () => {
    const { call, resolved } = session({ "linux/arm64": "linux/arm64" });
    let reads = 0;
    const build = () => {
      reads += 1;
      return reads > 1
        ? Promise.resolve(made("linux/arm64"))
        : Promise.reject(
            new Error(`failed to resolve source metadata for ${debian}: no match for platform in manifest: not found`),
          );
    };
    await onPlatforms(call, "linux/arm64", build);
    expect([reads, resolved]).toEqual([2, [`${debian} linux/arm64`]]);
  });

  it("are prepared for a stage of another platform than that of the build", async () => {
    const { call, resolved } = session({ "linux/arm64": "linux/arm64" });
    let reads = 0;
    await onPlatforms(call, "linux/amd64", () => (reads++, Promise.resolve(made("linux/arm64"))));
    expect([reads, resolved]).toEqual([2, [`${debian} linux/arm64`]]);
  });

  it("are refused where they have no variant for the platform", async () => {
    const { call } = session({ "linux/arm64": "linux/amd64" });
    await expect(onPlatforms(call, "linux/arm64", () => Promise.resolve(made("linux/arm64")))).rejects.toThrow(
      `image "${debian}" has no variant for linux/arm64, only for linux/amd64`,
    );
    const { call: none } = session({});
    const lacking = () =>
      Promise.reject(
        new Error(`failed to resolve source metadata for ${debian}: no match for platform in manifest: not found`),
      );
    await expect(onPlatforms(none, "linux/s390x", lacking)).rejects.toThrow("no match for platform");
  });
});
