import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { canonicalHost, fetchToken, isTokenServiceOf } from "./token.ts";
import type { RegistryAuth, RegistryToken, TokenRequest } from "../../buildkit/types.ts";
import { homeFolder } from "../../paths/index.ts";
import { ApiError } from "../values/errors.ts";
import type { SecretVault } from "../secret/vault.ts";
import type { RegistryCredential } from "../values/values.ts";

interface DockerConfig {
  auths?: Record<string, { auth?: string; username?: string; password?: string; identitytoken?: string }>;
  credHelpers?: Record<string, string>;
  credsStore?: string;
}

/** Sources of a session's credentials. */
interface CredentialSources {
  /** Credentials from `withRegistryAuth`; the last one for a host wins. */
  readonly own: readonly RegistryCredential[];
  readonly secrets: SecretVault;
  /** The client's environment. */
  readonly env: Record<string, string>;
  /** Reports, once per reason, why a registry is asked without a password that may exist. */
  onProblem(text: string): void;
  /** Resolves to the host's CA certificates as PEM. */
  ca(): Promise<string | undefined>;
}

interface Found extends RegistryAuth {
  /** Place where it was found, for errors. */
  origin: string;
}

/**
 * Registry passwords of a session: those of `withRegistryAuth` first, then those of the client's Docker configuration.
 */
export class RegistryPasswords {
  private readonly sources: CredentialSources;
  /** Description of the credentials that each host was last asked with. */
  private readonly asked = new Map<string, string>();
  private readonly said = new Set<string>();
  /** Hosts named by images and caches, and texts of Dockerfiles that name more hosts. */
  private readonly named = new Set<string>();
  private readonly texts: string[] = [];

  constructor(sources: CredentialSources) {
    this.sources = sources;
  }

  /**
   * Marks a registry as named by the run itself. Passwords of the user's own configuration are used for no other
   * registry.
   */
  name(host: string): void {
    this.named.add(canonicalHost(host));
  }

  /** Adds a Dockerfile with its arguments: registries that occur in it count as named by the run. */
  nameIn(text: string): void {
    this.texts.push(text);
    this.named.add("docker.io");
  }

  /**
   * Exchanges the password for a token at the token service that a registry names, provided the service belongs to the
   * registry. Throws an `ApiError` otherwise.
   */
  async token(request: TokenRequest): Promise<RegistryToken> {
    const found = await this.of(request.host);
    if (found === undefined) throw new ApiError(`no password is known for ${request.host}`);
    const realm = URL.parse(request.realm);
    if (realm === null || !isTokenServiceOf(realm, request.host)) {
      throw new ApiError(
        `${request.host} names ${realm?.host ?? "no URL"} as its token service, which is not its own: the password of ${request.host} is not given to it`,
      );
    }
    const ca = await this.sources.ca();
    return await fetchToken(request, found, {
      env: this.sources.env,
      guarded: false,
      ...(ca === undefined ? {} : { ca }),
    });
  }

  /** Returns the credentials for BuildKit, which asks again for each pull and push. */
  async of(host: string): Promise<RegistryAuth | undefined> {
    const found = await this.find(host);
    const key = canonicalHost(host);
    const who = found?.username === "" ? "the token" : `the user ${JSON.stringify(found?.username)}`;
    this.asked.set(
      key,
      found === undefined
        ? `no password is known for ${key}: see withRegistryAuth, or docker login`
        : `${key} refused ${who} of ${found.origin}`,
    );
    return found === undefined ? undefined : { username: found.username, secret: found.secret };
  }

  /** Appends to a registry's refusal whose credentials were refused. */
  explain(message: string): string {
    if (!/\b401 Unauthorized|\b403 Forbidden|authorization failed|authentication required|access denied/i.test(message))
      return message;
    const asked = [...this.asked].find(([host]) => message.includes(`${host}/`))?.[1];
    return asked === undefined || message.includes(asked) ? message : `${message} (${asked})`;
  }

  private async find(host: string): Promise<Found | undefined> {
    const { own, secrets, env } = this.sources;
    const known = own.findLast((credential) => sameHost(credential.host, host));
    if (known === undefined && !this.isNamed(host)) {
      this.tell(`no password is given to ${canonicalHost(host)}: no image of this run is named there`);
      return undefined;
    }
    if (known === undefined) return await fromDockerConfig(host, env, (text) => this.tell(text));
    const { plaintext } = await secrets.resolve(known.secret);
    return { username: known.username, secret: plaintext.toString("utf8"), origin: "withRegistryAuth" };
  }

  private isNamed(host: string): boolean {
    const name = canonicalHost(host);
    return this.named.has(name) || this.texts.some((text) => text.includes(name));
  }

  private tell(problem: string): void {
    if (!this.said.has(problem)) this.sources.onProblem(problem);
    this.said.add(problem);
  }
}

/**
 * Looks up a host's password. `DOCKER_AUTH_CONFIG`, in which CI systems keep such a file's text, takes precedence over
 * the user's own file.
 */
async function fromDockerConfig(
  host: string,
  env: Record<string, string>,
  onProblem: (text: string) => void,
): Promise<Found | undefined> {
  const variable = configOf(env["DOCKER_AUTH_CONFIG"] ?? "");
  const given = variable === undefined ? undefined : entryOf(variable, host, "DOCKER_AUTH_CONFIG");
  if (given !== undefined) return given;
  const folder = env["DOCKER_CONFIG"] ?? path.join(homeFolder(env), ".docker");
  const file = path.join(folder, "config.json");
  const config = configOf(await readFile(file, "utf8").catch(() => ""));
  if (config === undefined) return undefined;
  const helper =
    Object.entries(config.credHelpers ?? {}).find(([name]) => sameHost(name, host))?.[1] ?? config.credsStore;
  if (helper !== undefined && /^[\w.-]+$/.test(helper)) {
    const found = await askHelper(helper, host, env, onProblem);
    if (found !== undefined) return found;
  }
  return entryOf(config, host, file);
}

function configOf(text: string): DockerConfig | undefined {
  try {
    return (JSON.parse(text) as DockerConfig | null) ?? undefined;
  } catch {
    return undefined;
  }
}

function entryOf({ auths }: DockerConfig, host: string, origin: string): Found | undefined {
  const entry = Object.entries(auths ?? {}).find(([name]) => sameHost(name, host))?.[1];
  if (entry === undefined) return undefined;
  if (entry.identitytoken !== undefined && entry.identitytoken !== "")
    return { username: "", secret: entry.identitytoken, origin };
  if (entry.auth !== undefined && entry.auth !== "") {
    const [username = "", ...password] = Buffer.from(entry.auth, "base64").toString("utf8").split(":");
    return { username, secret: password.join(":"), origin };
  }
  return entry.username === undefined ? undefined : { username: entry.username, secret: entry.password ?? "", origin };
}

/** Docker Hub's key in credential helpers and configurations. */
const dockerHubKey = "https://index.docker.io/v1/";
const helperTimeoutMs = 20_000;

/** Runs `docker-credential-NAME get`. Without an answer, or after a failure, the registry is asked anonymously. */
function askHelper(
  name: string,
  host: string,
  env: Record<string, string>,
  onProblem: (text: string) => void,
): Promise<Found | undefined> {
  const program = `docker-credential-${name}`;
  return new Promise((resolve) => {
    const fail = (reason: string): void => {
      onProblem(`${program} of the Docker configuration gave no password for ${host}: ${reason}`);
      resolve(undefined);
    };
    const child = execFile(program, ["get"], { env, timeout: helperTimeoutMs }, (error, stdout) => {
      // A helper that has no credentials prints this message, which the protocol prescribes, to stdout and exits with
      // 1.
      if (error !== null && /credentials not found/i.test(stdout)) return resolve(undefined);
      if (error?.code === "ENOENT") return fail("it is not on the PATH");
      if (error !== null)
        return fail(
          error.killed === true
            ? `no answer within ${helperTimeoutMs / 1000} s`
            : `it ended with ${error.code ?? error.signal ?? "an error"}`,
        );
      const answer = parsed(stdout);
      if (answer?.Secret === undefined) return fail("its answer is no credential");
      resolve({
        username: answer.Username === "<token>" ? "" : (answer.Username ?? ""),
        secret: answer.Secret,
        origin: program,
      });
    });
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(canonicalHost(host) === "docker.io" ? dockerHubKey : host);
  });
}

function parsed(text: string): { Username?: string; Secret?: string } | undefined {
  try {
    return JSON.parse(text) as { Username?: string; Secret?: string };
  } catch {
    return undefined;
  }
}

/** Compares registry hosts; Docker Hub has several names. */
function sameHost(a: string, b: string): boolean {
  return canonicalHost(a) === canonicalHost(b);
}
