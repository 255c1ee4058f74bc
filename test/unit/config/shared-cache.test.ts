import { describe, expect, it } from "vitest";
import { cacheOfEnvironment, sharedCacheOf } from "../../../src/config/index.ts";
import { parseConfig } from "../../../src/config/parse.ts";
import { parseCacheLocation } from "../../../src/config/schema/shared-cache.ts";

describe("a place of a shared cache", () => {
  it("is an image reference alone, or BuildKit's notation", () => {
    expect(parseCacheLocation("registry.example/app:cache")).toEqual({
      type: "registry",
      attrs: { ref: "registry.example/app:cache" },
    });
    expect(parseCacheLocation("type=registry,ref=localhost:5000/a/b,mode=min,registry.insecure=true")).toEqual({
      type: "registry",
      attrs: { ref: "localhost:5000/a/b", mode: "min", "registry.insecure": "true" },
    });
  });

  it.each([
    ["type=local,src=/tmp/x", "unknown option `src`"],
    ["type=gha", "a shared cache is in a registry"],
    ["type=registry", "`` is no image reference with a host"],
    ["app", "`app` is no image reference with a host"],
    ["type=registry,ref=r.example/a,mode=most", "`mode` is min or max"],
    ["type=registry,ref=r.example/a,registry.insecure=yes", "`registry.insecure` is true or false"],
  ])("%s is refused: %s", (text, problem) => {
    expect(() => parseCacheLocation(text)).toThrow(problem);
  });

  it("that is wrong in fastloop.yaml is told with its line", () => {
    const { problems } = parseConfig("version: 1\ncache:\n  from:\n    - type=gha\n");
    expect(problems).toMatchObject([
      { line: 4, message: expect.stringContaining("a shared cache is in a registry") as string },
    ]);
  });

  it("is nothing where nothing is configured", () => {
    expect(sharedCacheOf({ version: 1 })).toBeUndefined();
    expect(sharedCacheOf({ version: 1, cache: { to: ["r.example/a"] } })).toEqual({
      from: [],
      to: [{ type: "registry", attrs: { ref: "r.example/a" } }],
    });
  });

  it("is named by the environment as well, several with spaces, none by an empty text", () => {
    expect(cacheOfEnvironment({})).toEqual({});
    expect(cacheOfEnvironment({ FASTLOOP_CACHE_FROM: "r.example/a r.example/b:c", FASTLOOP_CACHE_TO: "" })).toEqual({
      from: ["r.example/a", "r.example/b:c"].map((ref) => ({ type: "registry", attrs: { ref } })),
      to: [],
    });
    expect(() => cacheOfEnvironment({ FASTLOOP_CACHE_TO: "/cache:latest" })).toThrow(
      "`/cache:latest` is no image reference with a host",
    );
  });
});
