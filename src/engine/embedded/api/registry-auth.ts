import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { RegistryAuth } from "../buildkit/types.ts";
import type { SecretVault } from "./secret-vault.ts";
import type { RegistryCredential } from "./values.ts";

interface DockerConfig {
  auths?: Record<string, { auth?: string; username?: string; password?: string; identitytoken?: string }>;
  credHelpers?: Record<string, string>;
  credsStore?: string;
}

/** Credentials for a registry host: `withRegistryAuth` first, then the client's Docker configuration. */
export async function registryCredentials(
  host: string,
  own: readonly RegistryCredential[],
  secrets: SecretVault,
  env: Record<string, string>,
): Promise<RegistryAuth | undefined> {
  const known = own.findLast((credential) => sameHost(credential.host, host));
  if (known === undefined) return await fromDockerConfig(host, env);
  const { plaintext } = await secrets.resolve(known.secret);
  return { username: known.username, secret: plaintext.toString("utf8") };
}

async function fromDockerConfig(host: string, env: Record<string, string>): Promise<RegistryAuth | undefined> {
  const folder = env["DOCKER_CONFIG"] ?? path.join(env["HOME"] ?? os.homedir(), ".docker");
  let config: DockerConfig;
  try {
    config = JSON.parse(await readFile(path.join(folder, "config.json"), "utf8")) as DockerConfig;
  } catch {
    return undefined;
  }
  const helper = Object.entries(config.credHelpers ?? {}).find(([name]) => sameHost(name, host))?.[1] ?? config.credsStore;
  if (helper !== undefined && /^[\w.-]+$/.test(helper)) {
    const found = await askHelper(helper, host, env);
    if (found !== undefined) return found;
  }
  const entry = Object.entries(config.auths ?? {}).find(([name]) => sameHost(name, host))?.[1];
  if (entry === undefined) return undefined;
  if (entry.identitytoken !== undefined && entry.identitytoken !== "") return { username: "", secret: entry.identitytoken };
  if (entry.auth !== undefined && entry.auth !== "") {
    const [username = "", ...password] = Buffer.from(entry.auth, "base64").toString("utf8").split(":");
    return { username, secret: password.join(":") };
  }
  return entry.username === undefined ? undefined : { username: entry.username, secret: entry.password ?? "" };
}

/** Asks `docker-credential-NAME get`. A helper that is missing or knows nothing means anonymous. */
function askHelper(helper: string, host: string, env: Record<string, string>): Promise<RegistryAuth | undefined> {
  return new Promise((resolve) => {
    const child = execFile(`docker-credential-${helper}`, ["get"], { env, timeout: 20_000 }, (error, stdout) => {
      if (error !== null) return resolve(undefined);
      try {
        const { Username, Secret } = JSON.parse(stdout) as { Username?: string; Secret?: string };
        resolve(Secret === undefined ? undefined : { username: Username === "<token>" ? "" : (Username ?? ""), secret: Secret });
      } catch {
        resolve(undefined);
      }
    });
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(host);
  });
}

/** Docker Hub has several names. */
function sameHost(a: string, b: string): boolean {
  return canonicalHost(a) === canonicalHost(b);
}

export function canonicalHost(text: string): string {
  const host = text.replace(/^https?:\/\//, "").split("/")[0]!;
  return ["index.docker.io", "registry-1.docker.io", "docker.io"].includes(host) ? "docker.io" : host;
}
