import type { RegistryContent } from "./retention.ts";

const indexTypes = ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
const manifestTypes = ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];

interface RegistryManifest {
  mediaType?: string;
  config?: { digest: string };
  manifests?: { digest: string }[];
}

type Send = (url: string, init?: { method?: string; headers?: Record<string, string> }) => Promise<Response>;

/** The few calls of the OCI distribution API that retention needs. Loopback addresses are plain HTTP. */
export class RegistryClient {
  readonly repository: string;
  readonly base: string;
  readonly #basic: Record<string, string>;
  readonly #send: Send;
  #headers: Record<string, string>;

  constructor(repository: string, auth?: { username: string; password: string }, send: Send = fetch) {
    const slash = repository.indexOf("/");
    const host = repository.slice(0, slash);
    const scheme = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host) ? "http" : "https";
    this.repository = repository;
    this.base = `${scheme}://${host}/v2/${repository.slice(slash + 1)}`;
    this.#basic = auth === undefined ? {} : { authorization: `Basic ${btoa(`${auth.username}:${auth.password}`)}` };
    this.#headers = this.#basic;
    this.#send = send;
  }

  async content(): Promise<RegistryContent> {
    const content: RegistryContent = { tags: {}, manifests: {} };
    const { tags } = (await (await this.request("tags/list")).json()) as { tags: string[] | null };
    for (const tag of tags ?? []) content.tags[tag] = await this.#read(tag, content);
    return content;
  }

  async remove(digest: string): Promise<void> {
    if (this.repository.startsWith("ghcr.io/")) return this.#removeFromGitHub(digest);
    await this.request(`manifests/${digest}`, { method: "DELETE" });
  }

  /** GitHub's registry deletes by GitHub's own API: a digest is the name of a package version there. */
  async #removeFromGitHub(digest: string): Promise<void> {
    const [, owner = "", ...name] = this.repository.split("/");
    const headers = { authorization: this.#basic["authorization"]?.replace(/^Basic (.*)$/, (_, pair: string) => `Bearer ${atob(pair).replace(/^[^:]*:/, "")}`) ?? "", accept: "application/vnd.github+json" };
    for (const kind of ["orgs", "users"]) {
      const versions = `https://api.github.com/${kind}/${owner}/packages/container/${encodeURIComponent(name.join("/"))}/versions`;
      for (let page = 1; ; page++) {
        const response = await this.#send(`${versions}?per_page=100&page=${page}`, { headers });
        if (response.status === 404) break;
        if (!response.ok) throw new Error(`GET ${versions}: ${response.status} ${await response.text()}`);
        const list = (await response.json()) as { id: number; name: string }[];
        const found = list.find((version) => version.name === digest);
        if (found !== undefined) {
          const deleted = await this.#send(`${versions}/${found.id}`, { method: "DELETE", headers });
          if (!deleted.ok) throw new Error(`DELETE ${versions}/${found.id}: ${deleted.status} ${await deleted.text()}`);
          return;
        }
        if (list.length < 100) return; // Gone with another digest already.
      }
    }
  }

  async #read(reference: string, content: RegistryContent): Promise<string> {
    const response = await this.request(`manifests/${reference}`, { headers: { accept: [...indexTypes, ...manifestTypes].join(", ") } });
    const digest = response.headers.get("docker-content-digest") ?? reference;
    if (content.manifests[digest] !== undefined) return digest;
    const manifest = (await response.json()) as RegistryManifest;
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
    return created === undefined ? 0 : (Date.parse(created) || 0);
  }

  async request(path: string, init: { method?: string; headers?: Record<string, string> } = {}): Promise<Response> {
    const send = (): Promise<Response> => this.#send(`${this.base}/${path}`, { ...init, headers: { ...this.#headers, ...init.headers } });
    let response = await send();
    if (response.status === 401 && (await this.#askToken(response.headers.get("www-authenticate") ?? ""))) response = await send();
    if (!response.ok) throw new Error(`${init.method ?? "GET"} ${this.base}/${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  /** Registries such as GHCR and Docker Hub change the password for a token; false where this one does not. */
  async #askToken(challenge: string): Promise<boolean> {
    const parameters = Object.fromEntries([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, value]));
    const { realm, service = "" } = parameters;
    if (!/^bearer /i.test(challenge) || realm === undefined) return false;
    const url = new URL(realm);
    url.searchParams.set("service", service);
    url.searchParams.set("scope", `repository:${this.repository.slice(this.repository.indexOf("/") + 1)}:pull,delete`);
    const answer = await this.#send(url.href, { headers: this.#basic });
    if (!answer.ok) return false;
    const { token, access_token: access } = (await answer.json()) as { token?: string; access_token?: string };
    this.#headers = { authorization: `Bearer ${token ?? access}` };
    return true;
  }
}
