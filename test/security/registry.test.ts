import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fastloop, type CliResult } from "../e2e/cli-process.ts";

const moduleSource = `
import { dag, func, object } from "@dagger.io/dagger"

@object()
export class Ci {
  @func({ cache: "never" })
  pull(address: string): Promise<string> {
    return dag.container().from(address).platform()
  }

  @func({ cache: "never" })
  async build(dockerfile: string): Promise<string> {
    return dag.directory().withNewFile("Dockerfile", dockerfile).dockerBuild().platform()
  }
}
`;

const folder = (): string => mkdtempSync(path.join(tmpdir(), "fastloop-registry-"));

/** A registry that wants a token from `realm`, and every Authorization that it or the token service was sent. */
async function serve(answer: http.RequestListener): Promise<{ server: http.Server; host: string; seen: string[] }> {
  const seen: string[] = [];
  const server = http.createServer((request, response) => {
    if (request.headers.authorization !== undefined) seen.push(request.headers.authorization);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, host: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

describe("the password of a registry", () => {
  const basic = `Basic ${Buffer.from("me:of-the-user").toString("base64")}`;
  let project = "";
  let registry: Awaited<ReturnType<typeof serve>>;
  let other: Awaited<ReturnType<typeof serve>>;
  let realm = "";
  let redirects = false;
  beforeEach(async () => {
    redirects = false;
    project = folder();
    mkdirSync(path.join(project, "ci/src"), { recursive: true });
    mkdirSync(path.join(project, "docker"));
    writeFileSync(
      path.join(project, "dagger.json"),
      '{"name":"ci","engineVersion":"v0.21.4","sdk":"typescript","source":"ci"}',
    );
    writeFileSync(path.join(project, "ci/src/index.ts"), moduleSource);
    const challenge = (response: http.ServerResponse, host: string | undefined): void =>
      void response
        .writeHead(401, {
          "www-authenticate": `Bearer realm="${realm.replace("HOST", host ?? "")}",service="s",scope="repository:x:pull"`,
        })
        .end();
    other = await serve(({ url, headers }, response) => {
      if (url?.startsWith("/token") === true) response.end(JSON.stringify({ token: "t" }));
      else challenge(response, headers.host);
    });
    registry = await serve(({ url, headers }, response) => {
      if (url?.startsWith("/token") === true) return void response.end(JSON.stringify({ token: "t" }));
      if (headers.authorization === "Bearer t") return void response.writeHead(404).end();
      if (redirects) return void response.writeHead(307, { location: `http://${other.host}${url}` }).end();
      challenge(response, headers.host);
    });
    writeFileSync(
      path.join(project, "docker/config.json"),
      JSON.stringify({
        auths: {
          [registry.host]: { username: "me", password: "of-the-user" },
          [other.host]: { username: "me", password: "of-the-user" },
        },
      }),
    );
  });
  afterEach(() => {
    for (const { server } of [registry, other]) server.close();
    rmSync(project, { recursive: true, force: true });
  });
  const call = (...words: string[]): Promise<CliResult> =>
    fastloop(["call", ...words], { cwd: project, env: { DOCKER_CONFIG: path.join(project, "docker") } });

  it("is given to the registry's own token service", async () => {
    realm = "http://HOST/token";
    for (const words of [
      ["pull", "--address", `${registry.host}/x:1`],
      ["build", "--dockerfile", `FROM ${registry.host}/x:1`],
    ]) {
      registry.seen.length = 0;
      expect((await call(...words)).exitCode).toBe(1);
      expect(registry.seen).toContain(basic);
      expect(registry.seen).toContain("Bearer t");
    }
  });

  it("is not given to a token service elsewhere, and the error says so", async () => {
    realm = `http://${other.host}/token`;
    const { stderr } = await call("pull", "--address", `${registry.host}/x:1`);
    expect(stderr).toContain(`${registry.host} names ${other.host} as its token service, which is not its own`);
    expect([...registry.seen, ...other.seen]).not.toContain(basic);
  });

  it("is not given to a registry that a redirect leads to", async () => {
    realm = "http://HOST/token";
    redirects = true;
    const { exitCode, stderr } = await call("pull", "--address", `${registry.host}/x:1`);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`no password is given to ${other.host}: no image of this run is named there`);
    expect([...registry.seen, ...other.seen]).not.toContain(basic);
  });
});
