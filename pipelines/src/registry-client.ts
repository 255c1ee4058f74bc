import type { RegistryContent } from "./retention.ts";

const indexTypes = ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
const manifestTypes = ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];

interface Manifest {
  mediaType?: string;
  config?: { digest: string };
  manifests?: { digest: string }[];
}

/** The few calls of the OCI distribution API that retention needs. `localhost` and addresses with a port are plain HTTP. */
export class RegistryClient {
  readonly base: string;
  readonly headers: Record<string, string>;

  constructor(repository: string, auth?: { username: string; password: string }) {
    const slash = repository.indexOf("/");
    const host = repository.slice(0, slash);
    const scheme = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host) ? "http" : "https";
    this.base = `${scheme}://${host}/v2/${repository.slice(slash + 1)}`;
    this.headers = auth === undefined ? {} : { authorization: `Basic ${btoa(`${auth.username}:${auth.password}`)}` };
  }

  async content(): Promise<RegistryContent> {
    const content: RegistryContent = { tags: {}, manifests: {} };
    const { tags } = (await (await this.request("tags/list")).json()) as { tags: string[] | null };
    for (const tag of tags ?? []) content.tags[tag] = await this.#read(tag, content);
    return content;
  }

  async remove(digest: string): Promise<void> {
    await this.request(`manifests/${digest}`, { method: "DELETE" });
  }

  async #read(reference: string, content: RegistryContent): Promise<string> {
    const response = await this.request(`manifests/${reference}`, { headers: { accept: [...indexTypes, ...manifestTypes].join(", ") } });
    const digest = response.headers.get("docker-content-digest") ?? reference;
    if (content.manifests[digest] !== undefined) return digest;
    const manifest = (await response.json()) as Manifest;
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
    const response = await fetch(`${this.base}/${path}`, { ...init, headers: { ...this.headers, ...init.headers } });
    if (!response.ok) throw new Error(`${init.method ?? "GET"} ${this.base}/${path}: ${response.status} ${await response.text()}`);
    return response;
  }
}
