import { createServer } from "node:http";
import { expect, test } from "vitest";
import { RegistryClient } from "../../../pipelines/src/registry-client.ts";

test("a registry that wants a token gets the password once, and the token from then on", async () => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const { port } = server.address() as { port: number };
    seen.push(`${request.url} ${request.headers.authorization}`);
    if (request.url?.startsWith("/token") === true) return response.end(JSON.stringify({ token: "T" }));
    if (request.headers.authorization === "Bearer T") return response.end(JSON.stringify({ tags: null }));
    return response
      .writeHead(401, { "www-authenticate": `Bearer realm="http://127.0.0.1:${port}/token",service="reg"` })
      .end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as { port: number };
    const client = new RegistryClient(`127.0.0.1:${port}/acme/base`, { username: "u", password: "p" });
    expect(await client.content()).toEqual({ tags: {}, manifests: {} });
    expect(seen).toEqual([
      `/v2/acme/base/tags/list Basic ${btoa("u:p")}`,
      `/token?service=reg&scope=repository%3Aacme%2Fbase%3Apull%2Cdelete Basic ${btoa("u:p")}`,
      "/v2/acme/base/tags/list Bearer T",
    ]);
  } finally {
    server.close();
  }
});

test("a wrong password is told with the registry's answer", async () => {
  const refuse = () => Promise.resolve(new Response("no", { status: 401 }));
  await expect(new RegistryClient("registry.example/a/b", undefined, refuse).content()).rejects.toThrow(
    "GET https://registry.example/v2/a/b/tags/list: 401 no",
  );
});

test("on GitHub's registry a digest is deleted as the package version of that name, of a user where there is no such organisation", async () => {
  const asked: string[] = [];
  const api = (url: string, init?: { method?: string; headers?: Record<string, string> }): Promise<Response> => {
    asked.push(`${init?.method ?? "GET"} ${url} ${init?.headers?.["authorization"]}`);
    if (url.includes("/orgs/")) return Promise.resolve(new Response("", { status: 404 }));
    return Promise.resolve(
      init?.method === "DELETE"
        ? new Response(null, { status: 204 })
        : Response.json([
            { id: 1, name: "sha256:a" },
            { id: 2, name: "sha256:b" },
          ]),
    );
  };
  await new RegistryClient("ghcr.io/acme/shop/base", { username: "u", password: "token" }, api).remove("sha256:b");
  expect(asked).toEqual([
    "GET https://api.github.com/orgs/acme/packages/container/shop%2Fbase/versions?per_page=100&page=1 Bearer token",
    "GET https://api.github.com/users/acme/packages/container/shop%2Fbase/versions?per_page=100&page=1 Bearer token",
    "DELETE https://api.github.com/users/acme/packages/container/shop%2Fbase/versions/2 Bearer token",
  ]);
});
