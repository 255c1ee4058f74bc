import { createHash } from "node:crypto";
import { nextPage } from "./registry-pages.ts";
import type { RegistryContent } from "./retention.ts";
import { UserError } from "./user-error.ts";

const indexTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];
const manifestTypes = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];

interface RegistryManifest {
  mediaType?: string;
  config?: { digest: string };
  manifests?: { digest: string }[];
}

const anyManifest = [...indexTypes, ...manifestTypes].join(", ");

interface RequestOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer>;
}

/** Sends an HTTP request, like `fetch`. */
export type RegistrySend = (url: string, init?: RequestOptions) => Promise<Response>;

/**
 * A client for the parts of the OCI distribution API that tagging and retention need. Uses plain HTTP for loopback
 * addresses and HTTPS otherwise. Methods throw a `UserError` for answers that are not successful.
 */
export class RegistryClient {
  readonly repository: string;
  readonly base: string;
  readonly #basic: Record<string, string>;
  readonly #send: RegistrySend;
  readonly #actions: string;
  #headers: Record<string, string>;

  constructor(
    repository: string,
    auth?: { username: string; password: string },
    send: RegistrySend = fetch,
    actions = "pull,delete",
  ) {
    const slash = repository.indexOf("/");
    const host = repository.slice(0, slash);
    const scheme = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host) ? "http" : "https";
    this.repository = repository;
    this.base = `${scheme}://${host}/v2/${repository.slice(slash + 1)}`;
    this.#basic = auth === undefined ? {} : { authorization: `Basic ${btoa(`${auth.username}:${auth.password}`)}` };
    this.#headers = this.#basic;
    this.#send = send;
    this.#actions = actions;
  }

  /** Returns all tags with their manifests, and the manifests below `pinned` digests that exist. */
  async content(pinned: readonly string[] = []): Promise<RegistryContent> {
    const content: RegistryContent = { tags: {}, manifests: {} };
    for (const tag of await this.tags()) content.tags[tag] = await this.#read(tag, content);
    for (const digest of pinned) if (await this.#names(digest, digest)) await this.#read(digest, content);
    return content;
  }

  /** Returns all tags, from all pages. Throws if a page is not available, because the tags on it would be unknown. */
  async tags(): Promise<string[]> {
    const tags = new Set<string>();
    const seen = new Set<string>();
    for (let path: string | undefined = "tags/list"; path !== undefined;) {
      seen.add(path);
      const response: Response = await this.request(path);
      for (const tag of ((await response.json()) as { tags: string[] | null }).tags ?? []) tags.add(tag);
      path = nextPage(response.headers.get("link"), `${this.base}/${path}`, this.base);
      if (path !== undefined && seen.has(path))
        throw new UserError(`${this.base}/tags/list: the registry's pages form a loop`);
      if (seen.size > maxPages) throw new UserError(`${this.base}/tags/list: the registry has no last page`);
    }
    return [...tags];
  }

  /** Tags an existing manifest. Returns false if it already has the tag. */
  async tag(digest: string, tag: string): Promise<boolean> {
    if (await this.#names(tag, digest)) return false;
    const manifest = await this.request(`manifests/${digest}`, { headers: { accept: anyManifest } });
    const headers = { "content-type": manifest.headers.get("content-type") ?? indexTypes[0]! };
    await this.request(`manifests/${tag}`, {
      method: "PUT",
      headers,
      body: new Uint8Array(await manifest.arrayBuffer()),
    });
    return true;
  }

  /** Returns whether a tag or digest exists and refers to this digest. */
  async #names(reference: string, digest: string): Promise<boolean> {
    const response = await this.#ask(`manifests/${reference}`, { headers: { accept: anyManifest } });
    if (response.status === 404) return false;
    if (!response.ok) throw await refusal(response, "GET", `${this.base}/manifests/${reference}`);
    return digestOfBody(await response.arrayBuffer()) === digest;
  }

  /** Deletes a manifest. */
  async remove(digest: string): Promise<void> {
    if (this.repository.startsWith("ghcr.io/")) return this.#removeFromGitHub(digest);
    await this.request(`manifests/${digest}`, { method: "DELETE" });
  }

  /** Deletes through GitHub's API, as ghcr.io has no DELETE for manifests. A package version's name is its digest. */
  async #removeFromGitHub(digest: string): Promise<void> {
    const [, owner = "", ...name] = this.repository.split("/");
    const headers = {
      authorization:
        this.#basic["authorization"]?.replace(
          /^Basic (.*)$/,
          (_, pair: string) => `Bearer ${atob(pair).replace(/^[^:]*:/, "")}`,
        ) ?? "",
      accept: "application/vnd.github+json",
    };
    for (const kind of ["orgs", "users"]) {
      const versions = `https://api.github.com/${kind}/${owner}/packages/container/${encodeURIComponent(name.join("/"))}/versions`;
      for (let page = 1; ; page++) {
        const response = await this.#send(`${versions}?per_page=100&page=${page}`, { headers });
        if (response.status === 404) break;
        if (!response.ok) throw new UserError(`GET ${versions}: ${response.status} ${await response.text()}`);
        const list = (await response.json()) as { id: number; name: string }[];
        const found = list.find((version) => version.name === digest);
        if (found !== undefined) {
          const deleted = await this.#send(`${versions}/${found.id}`, { method: "DELETE", headers });
          if (!deleted.ok)
            throw new UserError(`DELETE ${versions}/${found.id}: ${deleted.status} ${await deleted.text()}`);
          return;
        }
        if (list.length < 100) return; // Already deleted.
      }
    }
  }

  /** Reads a manifest and those below it into `content` and returns its digest. */
  async #read(reference: string, content: RegistryContent): Promise<string> {
    const body = await (
      await this.request(`manifests/${reference}`, { headers: { accept: anyManifest } })
    ).arrayBuffer();
    const digest = digestOfBody(body);
    if (content.manifests[digest] !== undefined) return digest;
    const manifest = JSON.parse(new TextDecoder().decode(body)) as RegistryManifest;
    const children = (manifest.manifests ?? []).map((child) => child.digest);
    content.manifests[digest] = { createdMs: 0, children };
    for (const child of children) await this.#read(child, content);
    const createdMs =
      manifest.config === undefined
        ? Math.max(0, ...children.map((child) => content.manifests[child]?.createdMs ?? 0))
        : await this.#createdMs(manifest.config.digest);
    content.manifests[digest] = { createdMs, children };
    return digest;
  }

  async #createdMs(configDigest: string): Promise<number> {
    const config = (await (await this.request(`blobs/${configDigest}`)).json()) as {
      created?: string;
      config?: { Labels?: Record<string, string> };
    };
    const created = config.config?.Labels?.["org.opencontainers.image.created"] ?? config.created;
    return created === undefined ? 0 : Date.parse(created) || 0;
  }

  /** Sends a request for a path of the repository. Throws a `UserError` if the answer is not successful. */
  async request(path: string, init: RequestOptions = {}): Promise<Response> {
    const response = await this.#ask(path, init);
    if (!response.ok) throw await refusal(response, init.method ?? "GET", `${this.base}/${path}`);
    return response;
  }

  async #ask(path: string, init: RequestOptions): Promise<Response> {
    const send = (): Promise<Response> =>
      this.#send(`${this.base}/${path}`, { ...init, headers: { ...this.#headers, ...init.headers } });
    const response = await send();
    return response.status === 401 && (await this.#askToken(response.headers.get("www-authenticate") ?? ""))
      ? send()
      : response;
  }

  /** Exchanges the password for a token, as GHCR and Docker Hub require. Returns false if the registry offers none. */
  async #askToken(challenge: string): Promise<boolean> {
    const parameters = Object.fromEntries(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, value]),
    );
    const { realm, service = "" } = parameters;
    if (!/^bearer /i.test(challenge) || realm === undefined) return false;
    const url = new URL(realm);
    url.searchParams.set("service", service);
    url.searchParams.set(
      "scope",
      `repository:${this.repository.slice(this.repository.indexOf("/") + 1)}:${this.#actions}`,
    );
    const answer = await this.#send(url.href, { headers: this.#basic });
    if (!answer.ok) return false;
    const { token, access_token: access } = (await answer.json()) as { token?: string; access_token?: string };
    this.#headers = { authorization: `Bearer ${token ?? access}` };
    return true;
  }
}

/** Limit against registries whose pages never end: a million tags at 100 per page. */
const maxPages = 10_000;

/** Returns the digest of the bytes, not the one in the registry's headers. */
const digestOfBody = (body: ArrayBuffer): string =>
  `sha256:${createHash("sha256").update(new Uint8Array(body)).digest("hex")}`;

async function refusal(response: Response, method: string, url: string): Promise<Error> {
  const hint = response.status === 401 || response.status === 403 ? " (pass --username and --password)" : "";
  return new UserError(`${method} ${url}: ${response.status} ${(await response.text()).trim()}${hint}`);
}
