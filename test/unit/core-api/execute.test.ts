import { expect, it } from "vitest";
import type { GraphQLFormattedError } from "graphql";
import { openApiSession, type ApiResponse } from "../../../src/core-api/index.ts";
import { parseRequest, queryLimits } from "../../../src/graphql/parse.ts";
import type { Build, BuildkitClient } from "../../../src/buildkit/types.ts";

/** A session whose requests never reach BuildKit: what is tested here ends before. */
async function ask(
  query: string,
  variables?: Record<string, unknown>,
): Promise<ApiResponse & { errors?: { message: string }[] }> {
  const refuse = (): never => {
    throw new Error("BuildKit was asked");
  };
  const build = new Proxy({}, { get: (_target, name) => (name === "then" ? undefined : refuse) }) as Build;
  const buildkit = {
    info: async () => ({ version: "", platforms: ["linux/amd64"] }),
    openBuild: async () => build,
  } as unknown as BuildkitClient;
  const session = await openApiSession({
    buildkit,
    workdir: "/",
    project: "0",
    shimDirectory: refuse,
    hostTrust: refuse,
    onEvent: () => undefined,
    env: {},
  });
  const response = await session.execute(
    { query, ...(variables === undefined ? {} : { variables }) },
    { signal: new AbortController().signal },
  );
  return response as ApiResponse & { errors?: { message: string }[] };
}

it("answers without BuildKit what needs no evaluation", async () => {
  expect(
    await ask(`{version defaultPlatform container{withEnvVariable(name:"A",value:"1"){envVariable(name:"A")}}}`),
  ).toEqual({
    data: {
      version: expect.stringMatching(/^v0\.21\./) as string,
      defaultPlatform: "linux/amd64",
      container: { withEnvVariable: { envVariable: "1" } },
    },
  });
});

it("makes ids without evaluating", async () => {
  const { data } = await ask(`{directory{withNewFile(path:"a",contents:"b"){directory(path:"nope"){id}}}}`);
  expect(JSON.stringify(data)).toMatch(/Directory@sha256:[0-9a-f]{64}/);
});

it("gives equal objects equal ids, however they were asked for", async () => {
  const { data } = await ask(
    `query($p:String!){a:directory{withNewFile(path:"x",contents:"1"){id}} b:directory{withNewFile(path:$p,contents:"1",permissions:420){id}}}`,
    { p: "x" },
  );
  const { a, b } = data as { a: object; b: object };
  expect(a).toEqual(b);
});

function codeOf(errors: readonly GraphQLFormattedError[] | undefined): unknown {
  return errors?.[0]?.extensions?.["code"];
}

it("answers malformed requests with errors", async () => {
  const bad = [
    "",
    "   ",
    "{",
    "{nope}",
    "{version{x}}",
    "{container}",
    "query A{version} query B{version}",
    "mutation{x}",
    "fragment F on Query{version}",
    "{...F}",
    '{container(platform:"a/b/c/d"){id}}',
    "{node(id:1){id}}",
    `{"`,
  ];
  for (const query of bad) expect((await ask(query)).errors?.length, query).toBeGreaterThan(0);
});

it.each([
  ["mutation{x}", 'Schema does not support operation type "mutation"', "GRAPHQL_VALIDATION_FAILED"],
  ["subscription{x}", 'Schema does not support operation type "subscription"', "GRAPHQL_VALIDATION_FAILED"],
  ["{container{workdir{x}}}", 'Cannot query field "x" on type "String".', "GRAPHQL_VALIDATION_FAILED"],
  ["{container}", 'Field "container" of type "Container!" must have a selection', undefined],
])("refuses %s where a Dagger engine does", async (query, message, code) => {
  const { errors } = await ask(query);
  expect(errors?.[0]?.message).toContain(message);
  expect(codeOf(errors)).toBe(code);
});

it("finds the wrong type of a variable where it is used", async () => {
  const { errors } = await ask("query($p:String!){container{withWorkdir(path:$p){workdir}}}", { p: 3 });
  expect(errors?.[0]?.message).toContain("got invalid value 3");
  expect(codeOf(errors)).toBeUndefined();
});

it("says in one sentence what a Dagger engine would serve", async () => {
  const { errors } = await ask("{directory{asModule{id}}}");
  expect(errors?.[0]?.message).toContain(
    "Directory.asModule is not served by the embedded engine; use a Dagger engine",
  );
});

it("takes a chain of two thousand calls and refuses ten thousand", async () => {
  const chain = (depth: number): string =>
    `{directory${'{withNewFile(path:"f",contents:"x")'.repeat(depth)}{id}${"}".repeat(depth)}}`;
  expect((await ask(chain(2000))).errors).toBeUndefined();
  expect((await ask(chain(10_000))).errors?.[0]?.message).toMatch(/nested more than 2100 levels deep/);
});

it("refuses values that are nested without end", async () => {
  const { errors } = await ask(`{container{withExec(args:${"[".repeat(2000)}${"]".repeat(2000)}){id}}}`);
  expect(errors?.length).toBeGreaterThan(0);
});

it("counts what is nested outside of strings and comments only", () => {
  for (const query of [
    `{a(b:"${"{".repeat(3000)}")}`,
    `{a # ${"{".repeat(3000)}\n}`,
    `{a(b:"""${"{[".repeat(3000)}""") {c}}`,
  ])
    expect(() => parseRequest(query, queryLimits)).not.toThrow();
});

it.each([
  ["fields", `{ ${"version ".repeat(20_000)} }`, /more than 4000 fields/],
  [
    "objects under other names",
    `{ ${Array.from({ length: 20_000 }, (_, index) => `a${index}: version`).join(" ")} }`,
    /more than 4000 fields/,
  ],
  ["tokens", `{ container(platform: [${"1 ".repeat(300_000)}]) { id } }`, /100000 tokens/],
  ["types", `query($a: ${"[".repeat(5000)}String${"]".repeat(5000)}) { version }`, /nested too deep/],
  ["fragments that use each other twice", bomb(40), /more than 4000 fields with its fragments/],
  ["fragments that nest", nest(1500), /more than 2100 levels deep with its fragments/],
  [
    "a long document's levels",
    `{ # ${"x".repeat(300_000)}\n ${"directory { ".repeat(5000)} id ${"}".repeat(5000)} }`,
    /more than 2100 levels deep/,
  ],
])("refuses too many %s", async (_what, query, expected) => {
  const startedMs = performance.now();
  expect((await ask(query)).errors?.[0]?.message).toMatch(expected);
  expect(performance.now() - startedMs).toBeLessThan(10_000);
});

function bomb(count: number): string {
  const fragments = Array.from(
    { length: count },
    (_, index) =>
      `fragment f${index} on Directory { a: directory(path: "a") { ...f${index + 1} } b: directory(path: "a") { ...f${index + 1} } }`,
  );
  return `{ directory { ...f0 } } ${fragments.join(" ")} fragment f${count} on Directory { id }`;
}

function nest(count: number): string {
  const fragments = Array.from(
    { length: count },
    (_, index) => `fragment f${index} on Directory { directory(path: "a") { ...f${index + 1} } }`,
  );
  return `{ directory { ...f0 } } ${fragments.join(" ")} fragment f${count} on Directory { id }`;
}

it("parses a long document beside its other work, and answers it as a short one", async () => {
  const value = JSON.stringify(`${"\\n".repeat(300_000)}é"`);
  const chain = (depth: number): string =>
    `{container{withEnvVariable(name:"V",value:${value})${'{withLabel(name:"x",value:"y")'.repeat(depth)}{envVariable(name:"V")}${"}".repeat(depth + 1)}}`;
  const { data, errors } = await ask(chain(2000));
  expect(errors).toBeUndefined();
  expect(JSON.stringify(data)).toContain(`{"envVariable":${JSON.stringify(JSON.parse(value))}}`);
  expect((await ask(`{nope(a:${value})}`)).errors?.[0]?.message).toMatch(/nope/);
  expect((await ask(`{version(a:${value}}`)).errors?.[0]?.message).toMatch(/Expected Name/);
}, 60_000);

it("lets others have their turn while it answers many fields", async () => {
  // Found by what is waited for and not by a clock: on a busy machine each part takes its own time.
  let turns = 0;
  let isDone = false;
  const count = (): void => void (isDone || (turns++, setImmediate(count)));
  const query = `{ ${Array.from({ length: 1200 }, (_, index) => `a${index}: directory { withNewFile(path: "a", contents: "${index}") { id } }`).join(" ")} }`;
  setImmediate(count);
  expect((await ask(query)).errors).toBeUndefined();
  isDone = true;
  expect(turns).toBeGreaterThan(2);
});

it("keeps enum members that mean the same apart from the wire", async () => {
  const { data } = await ask(`{__type(name:"ImageMediaTypes"){enumValues{name}}}`);
  expect(data).toEqual({
    __type: { enumValues: ["OCIMediaTypes", "DockerMediaTypes", "OCI", "DOCKER"].map((name) => ({ name })) },
  });
});

it.each([
  ["myApp", "myApp_A=1 my_app_B=2 MYAPP_C=3 MY_APP_D=4 my_appE=5 myAppF=6", "A=1 B=2 C=3 D=4"],
  ["MY_APP_", "MY_APP_A=1 my_app_b=2 myApp_C=3 MY_AP_D=4", "A=1 C=3 b=2"],
  ["my-app", "my_app_A=1 MY_APPLE_B=2", "A=1"],
  ["v2App", "V_2_APP_A=1 v2app_B=2 V2_APP_C=3", "A=1 B=2"],
  ["HTTPServer", "HTTP_SERVER_A=1", "A=1"],
  ["app", "APP_A=1 app_A=2 A=3", "A=2"],
  ["app", "APP_URL=${HOST}/x HOST=h", "URL=h/x"],
])("the namespace %s of an env file has its variables, however they are spelled", async (prefix, given, expected) => {
  const variables = given.split(" ").map((pair) => pair.split("=") as [string, string]);
  const file = variables.reduce((made, [name, value]) => `${made}{withVariable(name:"${name}",value:"${value}")`, "");
  const { data, errors } = await ask(
    `{envFile${file}{namespace(prefix:"${prefix}"){variables{name value}}}${"}".repeat(variables.length)}}`,
  );
  expect(errors).toBeUndefined();
  let at = data as Record<string, unknown>;
  while (!("variables" in at)) at = Object.values(at)[0] as Record<string, unknown>;
  const found = at["variables"] as { name: string; value: string }[];
  expect(found.map(({ name, value }) => `${name}=${value}`).join(" ")).toBe(expected);
});
