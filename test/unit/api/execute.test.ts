import { expect, it } from "vitest";
import { openApiSession } from "../../../src/engine/embedded/api/index.ts";
import { nesting } from "../../../src/engine/embedded/api/execute.ts";
import type { ApiResponse } from "../../../src/engine/embedded/api/index.ts";
import type { Build, BuildkitClient } from "../../../src/engine/embedded/buildkit/types.ts";

/** A session whose requests never reach BuildKit: what is tested here ends before. */
async function ask(query: string, variables?: Record<string, unknown>): Promise<ApiResponse & { errors?: { message: string }[] }> {
  const refuse = (): never => {
    throw new Error("BuildKit was asked");
  };
  const build = new Proxy({}, { get: (_target, name) => (name === "then" ? undefined : refuse) }) as Build;
  const buildkit = { info: async () => ({ version: "", platforms: ["linux/amd64"] }), openBuild: async () => build } as unknown as BuildkitClient;
  const session = await openApiSession({
    buildkit,
    workdir: "/",
    project: "0",
    shimDirectory: refuse,
    hostTrust: refuse,
    onEvent: () => undefined,
    env: {},
  });
  const response = await session.execute({ query, ...(variables === undefined ? {} : { variables }) }, { signal: new AbortController().signal });
  return response as ApiResponse & { errors?: { message: string }[] };
}

it("answers without BuildKit what needs no evaluation", async () => {
  expect(await ask(`{version defaultPlatform container{withEnvVariable(name:"A",value:"1"){envVariable(name:"A")}}}`)).toEqual({
    data: { version: expect.stringMatching(/^v0\.21\./) as string, defaultPlatform: "linux/amd64", container: { withEnvVariable: { envVariable: "1" } } },
  });
});

it("makes ids without evaluating", async () => {
  const { data } = await ask(`{directory{withNewFile(path:"a",contents:"b"){directory(path:"nope"){id}}}}`);
  expect(JSON.stringify(data)).toMatch(/Directory@sha256:[0-9a-f]{64}/);
});

it("gives equal objects equal ids, however they were asked for", async () => {
  const { data } = await ask(`query($p:String!){a:directory{withNewFile(path:"x",contents:"1"){id}} b:directory{withNewFile(path:$p,contents:"1",permissions:420){id}}}`, { p: "x" });
  const { a, b } = data as { a: object; b: object };
  expect(a).toEqual(b);
});

it("answers malformed requests with errors", async () => {
  const bad = ["", "   ", "{", "{nope}", "{version{x}}", "{container}", "query A{version} query B{version}", "mutation{x}", "fragment F on Query{version}", "{...F}", "{container(platform:\"a/b/c/d\"){id}}", "{node(id:1){id}}", `{"`];
  for (const query of bad) expect((await ask(query)).errors?.length, query).toBeGreaterThan(0);
});

it("says in one sentence what a Dagger engine would serve", async () => {
  const { errors } = await ask("{directory{asModule{id}}}");
  expect(errors?.[0]?.message).toContain("Directory.asModule is not served by the embedded engine; use a Dagger engine");
});

it("takes a chain of two thousand calls and refuses ten thousand", async () => {
  const chain = (depth: number): string => `{directory${'{withNewFile(path:"f",contents:"x")'.repeat(depth)}{id}${"}".repeat(depth)}}`;
  expect((await ask(chain(2000))).errors).toBeUndefined();
  expect((await ask(chain(10_000))).errors?.[0]?.message).toMatch(/nested 10002 levels deep; the limit is/);
});

it("refuses values that are nested without end", async () => {
  const { errors } = await ask(`{container{withExec(args:${"[".repeat(2000)}${"]".repeat(2000)}){id}}}`);
  expect(errors?.length).toBeGreaterThan(0);
});

it("counts nesting outside of strings and comments only", () => {
  expect(nesting(`{a(b:"{{{\\"{")}`)).toBe(1);
  expect(nesting(`{a # {{{\n}`)).toBe(1);
  expect(nesting(`{a(b:"""{{ " {{""") {c}}`)).toBe(2);
});

it("keeps enum members that mean the same apart from the wire", async () => {
  const { data } = await ask(`{__type(name:"ImageMediaTypes"){enumValues{name}}}`);
  expect(data).toEqual({ __type: { enumValues: ["OCIMediaTypes", "DockerMediaTypes", "OCI", "DOCKER"].map((name) => ({ name })) } });
});
