import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import * as z from "zod/mini";
import { printable, yamlDocument } from "../../text/index.ts";
import { refuse } from "../objects/problem.ts";
import type { DeployError } from "../objects/problem.ts";

/**
 * One cluster and one user of a kubeconfig, with everything that a connection needs. It is read once and used for every
 * request.
 */
export interface Access {
  context: string;
  server: URL;
  /** Name that the server's certificate must have, when it is not the server's host. */
  tlsServerName?: string;
  /** PEM; undefined: the system's authorities. */
  ca?: string;
  insecure: boolean;
  token?: string;
  /** PEM; both or neither. */
  certificate?: { cert: string; key: string };
  /** Namespace of the context. */
  namespace?: string;
}

const text = z.string().check(z.minLength(1));
const cluster = z.looseObject({
  server: text,
  "tls-server-name": z.optional(text),
  "certificate-authority": z.optional(text),
  "certificate-authority-data": z.optional(text),
  "insecure-skip-tls-verify": z.optional(z.boolean()),
  "proxy-url": z.optional(text),
});
const user = z.looseObject({
  token: z.optional(text),
  tokenFile: z.optional(text),
  "client-certificate": z.optional(text),
  "client-certificate-data": z.optional(text),
  "client-key": z.optional(text),
  "client-key-data": z.optional(text),
  username: z.optional(text),
  password: z.optional(text),
  as: z.optional(text),
  exec: z.optional(
    z.looseObject({
      command: text,
      apiVersion: z.optional(text),
      args: z.nullish(z.array(z.string())),
      env: z.nullish(z.array(z.looseObject({ name: text, value: z.string() }))),
      installHint: z.optional(z.string()),
      interactiveMode: z.optional(z.string()),
      provideClusterInfo: z.optional(z.boolean()),
    }),
  ),
  "auth-provider": z.optional(z.looseObject({})),
});
const kubeconfigSchema = z.looseObject({
  "current-context": z.optional(z.string()),
  clusters: z.nullish(z.array(z.looseObject({ name: text, cluster }))),
  users: z.nullish(z.array(z.looseObject({ name: text, user: z.nullish(user) }))),
  contexts: z.nullish(
    z.array(
      z.looseObject({
        name: text,
        context: z.looseObject({ cluster: text, user: z.optional(z.string()), namespace: z.optional(text) }),
      }),
    ),
  ),
});

/** Contexts that tools for local clusters create. */
const local = /^(kind-.+|k3d-.+|minikube|docker-desktop|rancher-desktop|orbstack)$/;
const loopback = /^(localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0)$/;

/** Reports whether this is a cluster on the user's own machine, by its context's name and its server's address. */
export const isLocalCluster = ({ context, server }: Pick<Access, "context" | "server">): boolean =>
  local.test(context) && loopback.test(server.hostname);

/** Reports whether the server is on loopback, which in a container is the container itself. */
export const isLoopback = (server: URL): boolean => loopback.test(server.hostname);

/**
 * Returns the access of one context. Without a name, the current context counts only when it is a known local cluster.
 * Throws a refusal with a workaround for anything that is not in the text itself: files, plugins, proxies. Messages
 * contain names of the file, but no other values.
 */
export function readKubeconfig(source: string, context: string | undefined): Access {
  const config = parseKubeconfig(source);
  const names = (config.contexts ?? []).map(({ name }) => name);
  const name = context ?? config["current-context"] ?? "";
  const found = config.contexts?.find((each) => each.name === name)?.context;
  if (context === undefined && name === "") {
    throw refuse(`no context is named: add \`context\` to the environment in fastloop.yaml; there are: ${list(names)}`);
  }
  if (found === undefined) throw refuse(`the kubeconfig has no context ${printable(name)}; it has: ${list(names)}`);
  const access = accessOf(config, name, found);
  if (context === undefined && !isLocalCluster(access)) throw notNamed(name);
  return access;
}

/** Returns the refusal of a current context that the user has not named. */
export const notNamed = (context: string): DeployError =>
  refuse(
    `the current context ${printable(context)} is no cluster of this machine, and is not taken unless it is named: ` +
      "add `context` to the environment in fastloop.yaml, or say --context",
  );

/** A parsed kubeconfig, including unknown keys. */
export type Kubeconfig = z.infer<typeof kubeconfigSchema>;

/** Parses a kubeconfig. Errors give the place and nothing of the text. */
export function parseKubeconfig(source: string): Kubeconfig {
  const result = kubeconfigSchema.safeParse(parsedJson(source) ?? parsedYaml(source));
  if (result.success) return result.data;
  const path = result.error.issues[0]?.path.map(String).join(".") ?? "";
  throw refuse(`the kubeconfig is not valid${path === "" ? "" : ` at \`${printable(path)}\``}`);
}

/** The command line hands over JSON, which needs no YAML parser. */
function parsedJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}

function parsedYaml(source: string): unknown {
  try {
    const document = yamlDocument(source);
    if (document.errors.length > 0) throw refuse("the kubeconfig is not YAML");
    return document.toJS();
  } catch {
    // The library's message quotes the text, which contains credentials.
    throw refuse("the kubeconfig is not YAML");
  }
}

function accessOf(
  config: Kubeconfig,
  context: string,
  { cluster: clusterName, user: userName, namespace }: { cluster: string; user?: string; namespace?: string },
): Access {
  const here = `context ${printable(context)}`;
  const cluster = config.clusters?.find(({ name }) => name === clusterName)?.cluster;
  if (cluster === undefined) throw refuse(`${here} names the cluster ${printable(clusterName)}, which is not there`);
  const user =
    userName === undefined || userName === "" ? {} : config.users?.find(({ name }) => name === userName)?.user;
  if (user == null) throw refuse(`${here} names the user ${printable(userName ?? "")}, which is not there`);
  const server = URL.canParse(cluster.server) ? new URL(cluster.server) : undefined;
  if (server?.protocol !== "https:") throw refuse(`${here}: the server's address must begin with https://`);
  if (cluster["proxy-url"] !== undefined)
    throw refuse(`${here} goes through a proxy (proxy-url), which is not supported`);
  const flat = `kubectl config view --raw --minify --flatten --context ${printable(context)}`;
  const file = [cluster["certificate-authority"], user["client-certificate"], user["client-key"], user.tokenFile];
  if (file.some((path) => path !== undefined)) {
    throw refuse(`${here} names files, which a container can't read; hand over what this prints: ${flat}`);
  }
  if (user.exec !== undefined) {
    throw refuse(
      `${here} gets its credentials from the program ${printable(user.exec.command)}, which is not in the container; ` +
        "hand over a kubeconfig with a token, e.g. of `kubectl create token`",
    );
  }
  if (user["auth-provider"] !== undefined || user.password !== undefined || user.as !== undefined) {
    throw refuse(`${here} has credentials of a kind that is not supported; use a token or a client certificate`);
  }
  const certificate = pem(user["client-certificate-data"]);
  const key = pem(user["client-key-data"]);
  const ca = pem(cluster["certificate-authority-data"]);
  checkCredentials(here, { token: user.token, ca, certificate, key });
  if (user.token === undefined && (certificate === undefined || key === undefined)) {
    throw refuse(`${here} has no credentials: no token and no client certificate with its key`);
  }
  return {
    context,
    server,
    tlsServerName: cluster["tls-server-name"],
    ca,
    insecure: cluster["insecure-skip-tls-verify"] ?? false,
    token: user.token,
    certificate: certificate === undefined || key === undefined ? undefined : { cert: certificate, key },
    namespace,
  };
}

/** Refuses credentials that would fail, or silently be ignored, when connecting. Messages contain no values. */
function checkCredentials(
  here: string,
  { token, ca, certificate, key }: { token?: string; ca?: string; certificate?: string; key?: string },
): void {
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw refuse(`${here}: the token has a space, a line break or another character in it that no token has`);
  const wrong = (what: string, isRight: () => unknown): void => {
    try {
      isRight();
    } catch {
      throw refuse(`${here}: ${what}`);
    }
  };
  if (ca !== undefined)
    wrong("certificate-authority-data is no certificate in PEM, encoded as base64", () => new X509Certificate(ca));
  if (certificate !== undefined)
    wrong(
      "client-certificate-data is no certificate in PEM, encoded as base64",
      () => new X509Certificate(certificate),
    );
  if (key !== undefined)
    wrong("client-key-data is no private key in PEM, encoded as base64", () => createPrivateKey(key));
  if (certificate !== undefined && key !== undefined)
    wrong("the client's certificate and key do not belong together", () =>
      createSecureContext({ cert: certificate, key }),
    );
}

const pem = (data: string | undefined): string | undefined =>
  data === undefined ? undefined : Buffer.from(data, "base64").toString("utf8");

const list = (names: readonly string[]): string =>
  names.length === 0 ? "none" : names.slice(0, 20).map(printable).join(", ");
