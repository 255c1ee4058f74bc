import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { RegistryPasswords } from "../../../src/engine/embedded/api/registry-auth.ts";
import { SecretVault } from "../../../src/engine/embedded/api/secret-vault.ts";
import type { RegistryAuth } from "../../../src/engine/embedded/buildkit/types.ts";

let folder = "";
let problems: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "registry-auth-"));
  problems = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const passwords = (): RegistryPasswords => {
  const env = { DOCKER_CONFIG: folder, PATH: `${folder}:${process.env["PATH"]}` };
  return new RegistryPasswords({ own: [], secrets: new SecretVault(env, folder), env, onProblem: (text) => problems.push(text) });
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

it("says why a helper gave no answer, and nothing of what it printed", async () => {
  configure({ credHelpers: { a: "absent", b: "broken", c: "babbling" } });
  helper("broken", "echo hidden; echo hidden >&2; exit 3");
  helper("babbling", "echo hidden");
  for (const host of ["a", "b", "c"]) expect(await ask(host)).toBeUndefined();
  const said = (name: string, host: string, reason: string): string => `docker-credential-${name} of the Docker configuration gave no password for ${host}: ${reason}`;
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
  expect(asked.explain(unauthorized("quay.io"))).toBe(`${unauthorized("quay.io")} (quay.io refused the user "me" of ${folder}/config.json)`);
  expect(asked.explain(unauthorized("docker.io"))).toBe(`${unauthorized("docker.io")} (no password is known for docker.io: see withRegistryAuth, or docker login)`);
  for (const other of [unauthorized("ghcr.io"), "failed to push quay.io/a/b:1: connection refused"]) expect(asked.explain(other)).toBe(other);
});
