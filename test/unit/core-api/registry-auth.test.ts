import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { RegistryPasswords } from "../../../src/core-api/registry/auth.ts";
import { fetchToken, isTokenServiceOf } from "../../../src/core-api/registry/token.ts";
import { SecretVault } from "../../../src/core-api/secret/vault.ts";
import type { RegistryAuth } from "../../../src/buildkit/types.ts";

let folder = "";
let problems: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "registry-auth-"));
  problems = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const passwords = (more: Record<string, string> = {}): RegistryPasswords => {
  const env = { DOCKER_CONFIG: folder, PATH: `${folder}:${process.env["PATH"]}`, ...more };
  const made = new RegistryPasswords({
    own: [],
    secrets: new SecretVault({ env, workdir: folder }, () => undefined),
    env,
    onProblem: (text) => problems.push(text),
    ca: async () => undefined,
  });
  for (const host of ["docker.io", "ghcr.io", "quay.io", "a", "b", "c"]) made.name(host);
  return made;
};
const ask = (host: string): Promise<RegistryAuth | undefined> => passwords().of(host);
const configure = (config: object): void => writeFileSync(path.join(folder, "config.json"), JSON.stringify(config));
const helper = (name: string, script: string): void =>
  writeFileSync(path.join(folder, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

it("asks a helper for Docker Hub by the name that Docker saved it under, for others by their host", async () => {
  configure({ credsStore: "echo" });
  helper("echo", `printf '{"Username":"me","Secret":"for %s"}' "$(cat)"`);
  expect(await ask("registry-1.docker.io")).toEqual({ username: "me", secret: "for https://index.docker.io/v1/" });
  expect(await ask("ghcr.io")).toEqual({ username: "me", secret: "for ghcr.io" });
});

it("prefers the helper of a registry to the general one, and takes its identity token", async () => {
  configure({ credsStore: "nobody", credHelpers: { "https://ghcr.io": "token" } });
  helper("token", `echo '{"Username":"<token>","Secret":"t"}'`);
  expect(await ask("ghcr.io")).toEqual({ username: "", secret: "t" });
});

it("goes on without a password, in silence, where a helper knows none; a configured one counts then", async () => {
  configure({ credsStore: "empty", auths: { "quay.io": { auth: Buffer.from("me:a:b").toString("base64") } } });
  helper("empty", "echo credentials not found in native keychain; exit 1");
  expect(await ask("ghcr.io")).toBeUndefined();
  expect(await ask("quay.io")).toEqual({ username: "me", secret: "a:b" });
  expect(problems).toEqual([]);
});

it("takes what CI systems keep in DOCKER_AUTH_CONFIG first, and the user's own configuration for other hosts", async () => {
  configure({
    auths: { "ghcr.io": { username: "mine", password: "m" }, "quay.io": { username: "me", password: "q" } },
  });
  const ci = { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { "ghcr.io": { username: "ci", password: "p" } } }) };
  expect(await passwords(ci).of("ghcr.io")).toEqual({ username: "ci", secret: "p" });
  expect(await passwords(ci).of("quay.io")).toEqual({ username: "me", secret: "q" });
  expect(await passwords({ DOCKER_AUTH_CONFIG: "null" }).of("ghcr.io")).toEqual({ username: "mine", secret: "m" });
});

it("says why a helper gave no answer, and nothing of what it printed", async () => {
  configure({ credHelpers: { a: "absent", b: "broken", c: "babbling" } });
  helper("broken", "echo hidden; echo hidden >&2; exit 3");
  helper("babbling", "echo hidden");
  for (const host of ["a", "b", "c"]) expect(await ask(host)).toBeUndefined();
  const said = (name: string, host: string, reason: string): string =>
    `docker-credential-${name} of the Docker configuration gave no password for ${host}: ${reason}`;
  expect(problems).toEqual([
    said("absent", "a", "it is not on the PATH"),
    said("broken", "b", "it ended with 3"),
    said("babbling", "c", "its answer is no credential"),
  ]);
});

it("says a helper's problem once, however often BuildKit asks", async () => {
  configure({ credsStore: "absent" });
  const asked = passwords();
  for (const host of ["a", "a", "b"]) await asked.of(host);
  expect(problems).toHaveLength(2);
});

it("says whom a registry refused, and leaves other errors alone", async () => {
  configure({ auths: { "quay.io": { username: "me", password: "hidden" } } });
  const asked = passwords();
  for (const host of ["quay.io", "registry-1.docker.io"]) await asked.of(host);
  const unauthorized = (host: string): string => `failed to push ${host}/a/b:1: 401 Unauthorized`;
  expect(asked.explain(unauthorized("quay.io"))).toBe(
    `${unauthorized("quay.io")} (quay.io refused the user "me" of ${folder}/config.json)`,
  );
  expect(asked.explain(unauthorized("docker.io"))).toBe(
    `${unauthorized("docker.io")} (no password is known for docker.io: see withRegistryAuth, or docker login)`,
  );
  for (const other of [unauthorized("ghcr.io"), "failed to push quay.io/a/b:1: connection refused"])
    expect(asked.explain(other)).toBe(other);
});

it("has no password for a registry that the run does not name, as one that a redirect leads to", async () => {
  configure({
    auths: {
      "corp.example": { username: "me", password: "hidden" },
      "named.example:5000": { username: "me", password: "p" },
    },
  });
  const asked = passwords();
  expect(await asked.of("corp.example")).toBeUndefined();
  expect(problems).toEqual(["no password is given to corp.example: no image of this run is named there"]);
  asked.nameIn("FROM named.example:5000/base AS x\n");
  expect(await asked.of("named.example:5000")).toEqual({ username: "me", secret: "p" });
  asked.name("corp.example");
  expect(await asked.of("corp.example")).toEqual({ username: "me", secret: "hidden" });
});

it.each([
  ["https://auth.docker.io/token", "registry-1.docker.io"],
  ["https://ghcr.io/token", "ghcr.io"],
  ["https://gitlab.com/jwt/auth", "registry.gitlab.com"],
  ["https://auth.registry.example/token", "registry.example"],
  ["https://registry.example/token", "registry.example:5000"],
  ["http://127.0.0.1:5000/token", "127.0.0.1:5000"],
  ["https://dockerauth.cn-hangzhou.aliyuncs.com/auth", "registry.cn-hangzhou.aliyuncs.com"],
])("gives a password to %s of %s", (realm, registry) => expect(isTokenServiceOf(new URL(realm), registry)).toBe(true));

it.each([
  ["https://evil.example/token", "registry.example"],
  ["https://evilregistry.example/token", "registry.example"],
  ["https://example/token", "registry.example"],
  ["https://com/token", "registry.gitlab.com"],
  ["https://github.io/token", "deep.user.github.io"],
  ["http://registry.example/token", "registry.example:5000"],
  ["http://auth.docker.io/token", "docker.io"],
  ["https://registry.example:9999/token", "registry.example"],
  ["http://127.0.0.1:5001/token", "127.0.0.1:5000"],
  ["https://0.0.1/token", "127.0.0.1"],
  ["https://evil.example/auth.docker.io", "docker.io"],
  ["ftp://ghcr.io/token", "ghcr.io"],
])("does not give a password to %s of %s", (realm, registry) =>
  expect(isTokenServiceOf(new URL(realm), registry)).toBe(false),
);

it("asks a token service with the password, by OAuth's form where it wants that or a token of an identity is what there is", async () => {
  const asked: string[] = [];
  const server = http.createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk))).on("end", () => answer(request, response, body));
  });
  const answer = (request: http.IncomingMessage, response: http.ServerResponse, body: string): void => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? ""} ${body}`.trim());
    if (request.url?.startsWith("/post") === true && request.method === "GET")
      return void response.writeHead(405).end();
    if (request.url?.startsWith("/no") === true)
      return void response.writeHead(request.method === "GET" ? 403 : 500).end();
    if (request.url?.startsWith("/moved") === true) return void response.writeHead(302, { location: "/token" }).end();
    response.end(JSON.stringify({ token: "t", expires_in: 300, issued_at: "2026-01-01T00:00:00Z" }));
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const of = (path: string, username: string): Promise<unknown> =>
    fetchToken(
      { host, realm: `http://${host}${path}`, service: "s", scopes: ["repository:a:pull"] },
      { username, secret: "pw" },
      { env: {}, guarded: false },
    );
  try {
    expect(await of("/token", "me")).toEqual({ token: "t", expiresInSeconds: 300, issuedAtSeconds: 1_767_225_600 });
    await of("/post", "me");
    await of("/token", "");
    await expect(of("/no", "me")).rejects.toThrow("answered 403 Forbidden");
    await expect(of("/moved", "me")).rejects.toThrow("answered 302");
  } finally {
    server.close();
  }
  const basic = `Basic ${Buffer.from("me:pw").toString("base64")}`;
  const query = "service=s&scope=repository%3Aa%3Apull";
  expect(asked.slice(0, 4)).toEqual([
    `GET /token?${query} ${basic}`,
    `GET /post?${query} ${basic}`,
    `POST /post  client_id=buildkit-client&grant_type=password&username=me&password=pw&${query}`,
    `POST /token  client_id=buildkit-client&grant_type=refresh_token&refresh_token=pw&${query}`,
  ]);
});
