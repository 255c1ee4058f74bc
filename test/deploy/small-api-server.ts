/**
 * A small API server of Kubernetes in the tests' process: TLS, tokens, rights, server-side apply, rollouts, as far as a deploy
 * uses them. It is there for the unit suite, whose coverage is measured; that it answers as the real one is held by the
 * tests themselves, which run on both (`npm run cluster`).
 */
import https from "node:https";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Cluster } from "../../src/deploy/cluster/client.ts";
import { readKubeconfig } from "../../src/deploy/cluster/kubeconfig.ts";
import { at, listAt, textAt } from "../../src/deploy/objects/objects.ts";
import { anotherCertificate, anotherKey, certificate, key } from "../unit/deploy/certificates.ts";
import { kubeconfigText, type KubeconfigOptions } from "./kubeconfig-text.ts";
import { work, type Made } from "./small-controllers.ts";
import { SmallLog, SmallLogs } from "./small-logs.ts";
import { builtIn, group, isAllowed, selects, type Kind } from "./small-kinds.ts";
import { applied, Refusal, written, type KubeObject, type Stored } from "./small-objects.ts";

const tokens: Readonly<Record<string, string>> = { "admin-token": "admin", "limited-token": "limited" };

/** What a request is about. */
interface Asked {
  kind: Kind;
  namespace: string | undefined;
  name: string | undefined;
  part: string | undefined;
  query: URLSearchParams;
}

export class SmallCluster {
  port = 0;
  readonly #objects = new Map<string, Stored>();
  readonly #made: Made = new Map();
  readonly logs = new SmallLogs();
  readonly #tls: { cert: string; key: string };
  #server: https.Server | undefined;

  private constructor(isAnother: boolean) {
    this.#tls = isAnother ? { cert: anotherCertificate, key: anotherKey } : { cert: certificate, key };
    for (const name of ["kube-system", "default"]) {
      const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name } } as KubeObject;
      this.#store("POST", { kind: builtIn["Namespace"]!, namespace: undefined, name }, namespace);
    }
  }

  /** Another one has a certificate of another authority. */
  static async start(isAnother = false): Promise<SmallCluster> {
    const cluster = new SmallCluster(isAnother);
    await cluster.startApi();
    return cluster;
  }

  async startApi(): Promise<void> {
    this.#server = https.createServer(this.#tls, (request, response) => {
      void this.#answer(request, response);
    });
    this.#server.listen(this.port, "127.0.0.1");
    await once(this.#server, "listening");
    this.port = (this.#server.address() as AddressInfo).port;
  }

  /** Ends every connection. What it stored stays. */
  async killApi(): Promise<void> {
    const closed = once(this.#server!, "close");
    this.#server?.close();
    this.#server?.closeAllConnections();
    await closed;
  }

  kubeconfig({ user = "admin", context = "test", ca = this.ca() }: KubeconfigOptions = {}): string {
    return kubeconfigText(this.port, { context, user, ca, token: `${user}-token`, tlsServerName: "test" });
  }

  ca(): string {
    return this.#tls.cert;
  }

  client(): Cluster {
    return new Cluster(readKubeconfig(this.kubeconfig(), "test"));
  }

  stop(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const end = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    };
    try {
      let text = "";
      for await (const chunk of request.setEncoding("utf8")) text += chunk as string;
      const user = tokens[(request.headers.authorization ?? "").replace("Bearer ", "")];
      if (user === undefined) throw new Refusal(401, "Unauthorized", "Unauthorized");
      const url = new URL(request.url ?? "/", "https://server");
      const made = this.#carryOut(user, request, url, text === "" ? undefined : (JSON.parse(text) as KubeObject));
      if (made instanceof SmallLog) made.send(url.searchParams, response);
      else end(200, made);
    } catch (error) {
      if (!(error instanceof Refusal)) return end(500, { message: String(error), reason: "InternalError" });
      const { status, reason, message, causes } = error;
      end(status, { kind: "Status", status: "Failure", reason, message, details: { causes } });
    }
  }

  #carryOut(
    user: string,
    { method = "GET", headers }: IncomingMessage,
    url: URL,
    body: KubeObject | undefined,
  ): unknown {
    const { pathname, searchParams: query } = url;
    if (pathname === "/version") return { gitVersion: "v1.36.3" };
    if (pathname === "/readyz") return "ok";
    if (pathname.endsWith("/selfsubjectreviews")) return { status: { userInfo: { username: user } } };
    if (pathname.endsWith("/selfsubjectaccessreviews")) {
      const asked = at(body, "spec", "resourceAttributes") as Record<string, string>;
      const allowed = isAllowed(
        this.#objects,
        user,
        asked["verb"]!,
        asked["group"]!,
        asked["resource"]!,
        asked["namespace"],
      );
      return { status: { allowed } };
    }
    const [, version, , rest] = /^\/(api\/v1|apis\/([^/]+)(?:\/[^/]+)?)(?:\/(.+))?$/.exec(pathname) ?? [];
    if (version === undefined) throw missing(pathname);
    const kinds = this.#kinds();
    const apiVersion = version.replace(/^apis?\//, "");
    if (rest === undefined && version !== "api/v1" && !apiVersion.includes("/")) {
      const kind = kinds.find((each) => group(each.apiVersion) === apiVersion);
      if (kind === undefined) throw missing(pathname);
      return { preferredVersion: { groupVersion: kind.apiVersion } };
    }
    const served = kinds.filter((each) => each.apiVersion === apiVersion);
    if (rest === undefined) {
      if (served.length === 0) throw missing(pathname);
      return { resources: served.map(({ plural, kind, namespaced }) => ({ name: plural, kind, namespaced })) };
    }
    const [, namespace, plural, name, part] =
      /^(?:namespaces\/([^/]+)\/)?([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(rest) ?? [];
    // `namespaces/NAME` is the namespace itself.
    const kind = served.find((each) => each.plural === plural);
    if (kind === undefined) return this.#carryOutNamespace(user, method, headers, rest, query, body);
    return this.#act(user, method, headers["content-type"], { kind, namespace, name, part, query }, body);
  }

  #carryOutNamespace(
    user: string,
    method: string,
    headers: IncomingMessage["headers"],
    rest: string,
    query: URLSearchParams,
    body: KubeObject | undefined,
  ): unknown {
    const [, name] = /^namespaces\/([^/]+)$/.exec(rest) ?? [];
    if (name === undefined) throw missing(rest);
    const asked = { kind: builtIn["Namespace"]!, namespace: undefined, name, part: undefined, query };
    return this.#act(user, method, headers["content-type"], asked, body);
  }

  #act(
    user: string,
    method: string,
    contentType: string | undefined,
    asked: Asked,
    body: KubeObject | undefined,
  ): unknown {
    const { kind, namespace, name, part, query } = asked;
    const verbs: Readonly<Record<string, string>> = { POST: "create", PATCH: "patch", PUT: "update", DELETE: "delete" };
    const verb = verbs[method] ?? (name === undefined ? "list" : "get");
    if (!isAllowed(this.#objects, user, verb, group(kind.apiVersion), kind.plural, namespace))
      throw new Refusal(
        403,
        "Forbidden",
        `User "${user}" cannot ${verb} resource "${kind.plural}" in the namespace "${namespace}"`,
      );
    if (part === "log") return this.logs.of(`${namespace}/${name}`);
    this.#work();
    if (verb === "list") return this.#list(asked);
    const id = idOf(kind, namespace, name ?? body?.metadata.name ?? "");
    const before = this.#objects.get(id);
    if (method === "GET") return before?.object ?? this.#made.get(id) ?? fail(missing(id));
    if (method === "DELETE") {
      if (before === undefined) throw missing(id);
      const uid = textAt(body, "preconditions", "uid");
      if (uid !== undefined && uid !== before.object.metadata.uid) throw new Refusal(409, "Conflict", "another UID");
      this.#objects.delete(id);
      return { status: "Success" };
    }
    if (method === "POST" && before !== undefined) throw new Refusal(409, "AlreadyExists", `${id} already exists`);
    if (method === "PUT" && before === undefined) throw missing(id);
    const wanted = structuredClone(body!);
    wanted.metadata = {
      ...wanted.metadata,
      name: name ?? wanted.metadata.name,
      ...(namespace === undefined ? {} : { namespace }),
    };
    const { object } = this.#store(
      contentType?.includes("apply-patch") === true ? "APPLY" : method,
      asked,
      wanted,
      query,
    );
    return object;
  }

  /** What a write makes of an object; stored unless it is a dry run. */
  #store(
    way: string,
    { kind, namespace, name }: Pick<Asked, "kind" | "namespace" | "name">,
    wanted: KubeObject,
    query = new URLSearchParams(),
  ): Stored {
    const id = idOf(kind, namespace, name ?? wanted.metadata.name);
    const before = this.#objects.get(id);
    const manager = query.get("fieldManager") ?? "somebody";
    if (kind.namespaced && !this.#objects.has(idOf(builtIn["Namespace"]!, undefined, namespace ?? "")))
      throw new Refusal(404, "NotFound", `namespaces "${namespace}" not found`);
    kind.check?.(wanted, before?.object);
    let after: Stored;
    if (way === "APPLY") after = applied(before, wanted, manager, query.get("force") === "true");
    else if (way !== "PATCH") {
      const version = wanted.metadata.resourceVersion as string | undefined;
      if (before !== undefined && version !== undefined && version !== before.object.metadata.resourceVersion)
        throw new Refusal(409, "Conflict", "the object has been modified");
      after = written(before, wanted, manager);
    } else after = written(before ?? fail(missing(id)), merged(before!.object, wanted) as KubeObject, manager);
    if (query.get("dryRun") !== "All") this.#objects.set(id, after);
    return after;
  }

  #list({ kind, namespace, query }: Asked): unknown {
    const prefix = namespace === undefined ? `${kind.plural} ` : `${kind.plural} ${namespace}/`;
    const all = [...[...this.#objects].map(([id, { object }]) => [id, object] as const), ...this.#made];
    const items = all
      .filter(([id, object]) => id.startsWith(prefix) && selects(query, object))
      .map(([, object]) => object);
    const [from, limit] = [Number(query.get("continue") ?? 0), Number(query.get("limit") ?? items.length)];
    const next = from + limit < items.length ? String(from + limit) : "";
    return { items: items.slice(from, from + limit), metadata: { continue: next } };
  }

  #kinds(): Kind[] {
    const custom = [...this.#objects.values()].flatMap(({ object }) =>
      object.kind !== "CustomResourceDefinition"
        ? []
        : listAt(object, "spec", "versions").map((version) => ({
            apiVersion: `${textAt(object, "spec", "group")}/${textAt(version, "name")}`,
            kind: textAt(object, "spec", "names", "kind") ?? "",
            plural: textAt(object, "spec", "names", "plural") ?? "",
            namespaced: true,
          })),
    );
    return [...Object.values(builtIn), ...custom];
  }

  /** What controllers have done by now. */
  #work(): void {
    const objects = [...this.#objects.values()];
    const owners = new Set([...objects.map(({ object }) => object), ...this.#made.values()].map(uidOf));
    for (const [id, each] of this.#made)
      if (!owners.has(textAt(each, "metadata", "ownerReferences", 0, "uid") ?? "")) this.#made.delete(id);
    const full = new Set(objects.filter(({ object }) => object.kind === "ResourceQuota").map(namespaceOf));
    for (const stored of objects) work(stored, this.#made, full.has(namespaceOf(stored)));
  }
}

const uidOf = ({ metadata }: KubeObject): string => metadata.uid;
const namespaceOf = ({ object }: Stored): string | undefined => object.metadata.namespace;

const idOf = ({ plural }: Kind, namespace: string | undefined, name: string): string =>
  `${plural} ${namespace ?? ""}/${name}`;

const missing = (what: string): Refusal => new Refusal(404, "NotFound", `${what} not found`);

function fail(error: Error): never {
  throw error;
}

/** RFC 7396. */
function merged(before: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(before as Record<string, unknown> | undefined) };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merged(result[name], value);
  }
  return result;
}
