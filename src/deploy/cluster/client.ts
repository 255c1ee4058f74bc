import https from "node:https";
import { createHash, X509Certificate } from "node:crypto";
import type { PeerCertificate, TLSSocket } from "node:tls";
import { checkServerIdentity } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";
import { isIP } from "node:net";
import { printable } from "../../text/index.ts";
import { isLoopback } from "./kubeconfig.ts";
import type { Access } from "./kubeconfig.ts";
import { listAt, textAt } from "../objects/objects.ts";
import { DeployError } from "../objects/problem.ts";

/** A refusal by the API server, in its own words. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  /** `Conflict`, `Invalid`, `Forbidden`, … */
  readonly reason: string;
  /** Details for single fields. */
  readonly causes: { reason: string; field: string; message: string }[];

  constructor(status: number, body: unknown) {
    super(printable(textAt(body, "message") ?? `the API server answered ${status}`));
    this.status = status;
    this.reason = textAt(body, "reason") ?? "";
    this.causes = listAt(body, "details", "causes").map((cause) => ({
      reason: printable(textAt(cause, "reason") ?? ""),
      field: printable(textAt(cause, "field") ?? ""),
      message: printable(textAt(cause, "message") ?? ""),
    }));
  }
}

export interface RequestOptions {
  query?: Record<string, string>;
  body?: unknown;
  contentType?: string;
  /** How long requests are repeated while the server does not answer. */
  patienceMs?: number;
  /** Time limit for one answer. */
  timeoutMs?: number;
  /** Time limit once the server has shown its certificate: it is there, and only busy. Default: `timeoutMs`. */
  connectedTimeoutMs?: number;
  /** Whether the answer is text instead of JSON. */
  asText?: boolean;
}

const applyType = "application/apply-patch+yaml";
const largestAnswer = 128 * 1024 * 1024;
const answerTimeoutMs = 30_000;
/** Statuses after which the same request may succeed a moment later. */
const passing = new Set([429, 502, 503, 504]);

/** Returns TLS options for a connection to the server, including the name that its certificate must have. */
export function tlsOptions({ server, tlsServerName, ca, insecure, certificate }: Access) {
  const named = server.hostname.replace(/^\[|\]$/g, "");
  // k3d writes 0.0.0.0, which no certificate names.
  const expected = tlsServerName ?? (named === "0.0.0.0" ? "127.0.0.1" : named);
  return {
    ca,
    cert: certificate?.cert,
    key: certificate?.key,
    rejectUnauthorized: !insecure,
    servername: isIP(expected) === 0 ? expected : "",
    checkServerIdentity: (_host: string, peer: PeerCertificate) => checkServerIdentity(expected, peer),
  };
}

/** Client of one API server. Throws `ApiError` for refusals, `DeployError` when it can't be reached or trusted. */
export class Cluster {
  readonly access: Access;
  readonly #agent: https.Agent;
  readonly #host: string;
  readonly #onNotice: (text: string) => void;
  #lost = false;
  #isClosed = false;
  /** Digest of the CA certificate: the cluster's identity for users who may not read kube-system. */
  caDigest: string | undefined;

  constructor(
    access: Access,
    { host, onNotice = () => {} }: { host?: string; onNotice?: (text: string) => void } = {},
  ) {
    this.access = access;
    this.#onNotice = onNotice;
    const { server, ca } = access;
    const named = server.hostname.replace(/^\[|\]$/g, "");
    this.#host = host ?? named;
    if (host === undefined && isLoopback(server) && process.env["FASTLOOP_DEPLOYER_IN_CONTAINER"] === "1") {
      throw new DeployError(
        "refused",
        `the API server of ${printable(access.context)} is on your own machine (${server.host}), which a container reaches ` +
          `only as a service: add --cluster tcp://127.0.0.1:${server.port === "" ? "443" : server.port}`,
      );
    }
    this.#agent = new https.Agent({ keepAlive: true, maxSockets: 16, ...tlsOptions(access) });
    if (ca !== undefined) this.caDigest = digestOfCa(ca);
  }

  get(path: string, options: RequestOptions = {}): Promise<unknown> {
    return this.request("GET", path, options);
  }

  /** Server-side apply. Resolves with the object as it is, or with `dryRun` would be, afterwards. */
  apply(
    path: string,
    object: unknown,
    options: { dryRun?: boolean; force?: boolean; manager: string },
  ): Promise<unknown> {
    return this.request("PATCH", path, {
      query: {
        fieldManager: options.manager,
        force: String(options.force ?? false),
        fieldValidation: "Strict",
        ...(options.dryRun === true ? { dryRun: "All" } : {}),
      },
      body: object,
      contentType: applyType,
    });
  }

  /** Sends a request; repeats it while the server does not answer, for up to `patienceMs`. */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<unknown> {
    const { patienceMs = 60_000 } = options;
    const startedMs = performance.now();
    for (;;) {
      try {
        const answer = await this.#once(method, path, options);
        if (this.#lost) this.#onNotice("the API server answers again");
        this.#lost = false;
        return answer;
      } catch (error) {
        // Closing breaks what is still being asked; nobody waits for that.
        if (this.#isClosed || !isPassing(error)) throw error;
        if (performance.now() - startedMs >= patienceMs) {
          if (error instanceof ApiError) throw error;
          throw new DeployError("unreachable", `the API server ${this.#where()} can't be reached: ${error.message}`);
        }
        if (!this.#lost) this.#onNotice(`the API server does not answer (${error.message}); waiting for it`);
        this.#lost = true;
        await sleep(500);
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#agent.destroy();
  }

  #where(): string {
    return `of ${printable(this.access.context)} (${this.access.server.host})`;
  }

  #once(
    method: string,
    path: string,
    {
      query = {},
      body,
      contentType,
      asText,
      timeoutMs = answerTimeoutMs,
      connectedTimeoutMs = timeoutMs,
    }: RequestOptions,
  ): Promise<unknown> {
    const { server, token } = this.access;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const search = new URLSearchParams(query).toString();
    const base = server.pathname.replace(/\/$/, "");
    return new Promise((resolve, reject) => {
      const request = https.request(
        {
          agent: this.#agent,
          host: this.#host,
          port: server.port === "" ? 443 : Number(server.port),
          method,
          path: `${base}${path}${search === "" ? "" : `?${search}`}`,
          timeout: timeoutMs,
          headers: {
            accept: asText === true ? "*/*" : "application/json",
            "user-agent": "fastloop-deploy",
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            // Node sends no length for a DELETE by itself. The server would then ignore the body, with its
            // preconditions, and read it as the next request.
            ...(text === undefined
              ? {}
              : { "content-type": contentType ?? "application/json", "content-length": Buffer.byteLength(text) }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          let size = 0;
          response.on("data", (chunk: Buffer) => {
            size += chunk.length;
            if (size > largestAnswer) response.destroy(new Error("the answer is larger than 128 MiB"));
            else chunks.push(chunk);
          });
          response.once("error", (error) => reject(new ConnectionLost(error.message)));
          response.once("end", () => {
            const received = Buffer.concat(chunks).toString("utf8");
            const status = response.statusCode ?? 0;
            try {
              const answer: unknown = asText === true && status < 400 ? received : parseJson(received, status);
              if (status >= 200 && status < 300) resolve(answer);
              else reject(new ApiError(status, answer));
            } catch (error) {
              reject(error);
            }
          });
        },
      );
      let limitMs = timeoutMs;
      request.once("timeout", () => request.destroy(new Error(`no answer in ${limitMs / 1000} s`)));
      request.once("socket", (socket) => {
        const tls = socket as TLSSocket;
        const connected = (): void => void request.setTimeout((limitMs = connectedTimeoutMs));
        // A reused connection has completed its handshake already.
        if (tls.connecting) tls.once("secureConnect", connected);
        else connected();
        const patient = setTimeout(() => tls.connecting && request.destroy(new Error("no connection in 5 s")), 5000);
        request.once("close", () => clearTimeout(patient));
      });
      request.once("error", (error) => reject(this.#explained(error)));
      request.end(text);
    });
  }

  /** Certificate errors are permanent; a broken connection may come back. */
  #explained(error: NodeJS.ErrnoException): Error {
    const code = error.code ?? "";
    if (/CERT|SELF_SIGNED|UNABLE_TO|ALTNAME|ERR_SSL|ERR_TLS/.test(code)) {
      const why = /ALTNAME/.test(code)
        ? "its certificate is for another name"
        : /EXPIRED/.test(code)
          ? "its certificate has expired"
          : "its certificate is not signed by the authority that the kubeconfig names: this may be another cluster";
      return new DeployError("unreachable", `the API server ${this.#where()} is not trusted: ${why} (${code})`);
    }
    return new ConnectionLost(code === "" ? error.message : code);
  }
}

const isPassing = (error: unknown): error is Error =>
  error instanceof ConnectionLost || (error instanceof ApiError && passing.has(error.status));

/** The connection could not be made, or broke. */
class ConnectionLost extends Error {}

function parseJson(text: string, status: number): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    if (status >= 400) return undefined;
    throw new DeployError("unreachable", "what answers at the server's address is no API server of Kubernetes");
  }
}

function digestOfCa(pem: string): string | undefined {
  try {
    return createHash("sha256").update(new X509Certificate(pem).raw).digest("hex");
  } catch {
    throw new DeployError("refused", "the kubeconfig's certificate authority is not a certificate");
  }
}

/** Returns an error of a deploy as a `DeployError`; undefined for a bug of fastloop. */
export function deployErrorOf(thrown: unknown): DeployError | undefined {
  if (thrown instanceof DeployError) return thrown;
  if (!(thrown instanceof ApiError)) return undefined;
  const kind = isForbidden(thrown) ? "refused" : "failed";
  return new DeployError(kind, `the API server refused: ${thrown.message}`, { cause: thrown });
}

/** Reports whether the server answered 404. */
export const isMissing = (error: unknown): boolean => error instanceof ApiError && error.status === 404;
/** Reports whether the server answered 401 or 403. */
export const isForbidden = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 403 || error.status === 401);
/** Reports whether the server answered 409. */
export const isConflict = (error: unknown): boolean => error instanceof ApiError && error.status === 409;

/** Returns all items of a list, page after page. */
export async function listAll(cluster: Cluster, path: string, query: Record<string, string> = {}): Promise<unknown[]> {
  const items: unknown[] = [];
  let next: string | undefined;
  do {
    const page = await cluster.get(path, {
      query: { ...query, limit: "500", ...(next === undefined ? {} : { continue: next }) },
    });
    items.push(...listAt(page, "items"));
    next = textAt(page, "metadata", "continue");
  } while (next !== undefined && next !== "");
  return items;
}
