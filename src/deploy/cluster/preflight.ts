import pMap from "p-map";
import { printable } from "../../text/index.ts";
import { ApiError, Cluster, isForbidden, isMissing } from "./client.ts";
import type { Resource } from "./discovery.ts";
import type { Access } from "./kubeconfig.ts";
import { at, groupOf, textAt } from "../objects/objects.ts";
import { DeployError, refuse } from "../objects/problem.ts";
import type { Environment, Request } from "../objects/request.ts";

/**
 * Checks the connection: the server has to show its certificate within five seconds, to answer, and to accept the
 * credentials. Returns the Kubernetes version. Throws a `DeployError` otherwise.
 */
export async function checkReachable(cluster: Cluster): Promise<string> {
  try {
    const version = await cluster.get("/version", { patienceMs: 4000, timeoutMs: 5000, connectedTimeoutMs: 15_000 });
    return printable(textAt(version, "gitVersion") ?? "unknown version");
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      throw new DeployError(
        "refused",
        `the API server does not accept the credentials of ${printable(cluster.access.context)}: ${error.message}`,
      );
    }
    // Users who may not read the version are not refused here; the later checks say what is missing.
    if (isForbidden(error)) return "unknown version";
    throw error;
  }
}

/**
 * Returns the identity of a cluster, independent of its name and address: the UID of its kube-system namespace, which
 * is unique and never changes, or for users who may not read that the digest of the certificate authority. Throws a
 * refusal when neither is available.
 */
export async function clusterIdentity(cluster: Cluster): Promise<string> {
  try {
    const namespace = await cluster.get("/api/v1/namespaces/kube-system");
    const uid = textAt(namespace, "metadata", "uid");
    if (uid !== undefined && /^[\w-]+$/.test(uid)) return uid;
  } catch (error) {
    if (!isForbidden(error) && !isMissing(error)) throw error;
  }
  if (cluster.caDigest === undefined) {
    throw refuse(
      "the cluster can't be told from others: this user may not read the namespace kube-system, and the kubeconfig names no certificate authority",
    );
  }
  return `ca:${cluster.caDigest}`;
}

/** Asks the cluster behind an access for its identity, from the user's machine. */
export async function identityOf(access: Access): Promise<string> {
  const cluster = new Cluster(access);
  try {
    await checkReachable(cluster);
    return await clusterIdentity(cluster);
  } finally {
    cluster.close();
  }
}

/**
 * Compares the cluster with the one that the environment is pinned to, and returns notices. Throws a refusal for a
 * different one, and for production that is not pinned.
 */
export function checkIdentity(environment: Environment, identity: string): string[] {
  const { name, cluster, production } = environment;
  if (cluster === undefined) {
    const line = `\`cluster: ${identity}\` in \`deploy.environments.${name}\` of fastloop.yaml, or \`"clusters": {"${name}": "${identity}"}\` in fastloop.lock`;
    if (production)
      throw refuse(`${name} is production and pinned to no cluster: if this is the right one, write ${line}`);
    return [`${name} is pinned to no cluster: ${line} makes sure that it is never another one`];
  }
  if (cluster !== identity) {
    throw refuse(
      `this is not the cluster of ${name}: it is pinned to ${printable(cluster)}, and this is ${identity}; nothing was changed`,
    );
  }
  return [];
}

/** Checks that context and confirmation agree, before any request is sent. Throws a refusal otherwise. */
export function checkAsked({ environment, context, yes, action }: Request): void {
  const { name, production } = environment;
  if (environment.context !== undefined && context !== undefined && context !== environment.context) {
    throw refuse(
      `${name} is in the context ${printable(environment.context)}, and --context says ${printable(context)}; nothing was changed`,
    );
  }
  if (production && (environment.context ?? context) === undefined) {
    throw refuse(`${name} is production: name its \`context\` in \`deploy.environments.${name}\` of fastloop.yaml`);
  }
  const changes = action !== "diff" && action !== "status";
  if (changes && production && yes !== name) {
    throw refuse(
      yes === undefined
        ? `${name} is production: say --yes ${name} to change it`
        : `${name} is production, and --yes says ${printable(yes)}: say --yes ${name} to change it`,
    );
  }
}

/** Reports whether the namespace exists. Throws a refusal while it is being deleted. */
export async function namespaceExists(cluster: Cluster, namespace: string): Promise<boolean> {
  try {
    const found = await cluster.get(`/api/v1/namespaces/${encodeURIComponent(namespace)}`);
    if (textAt(found, "status", "phase") === "Terminating")
      throw refuse(`the namespace ${printable(namespace)} is being deleted; wait until it is gone`);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    // A user may have rights in a namespace without the right to read the namespace itself.
    if (isForbidden(error)) return true;
    throw error;
  }
}

/** A permission that the user needs. */
export interface Right {
  verb: string;
  resource: Pick<Resource, "apiVersion" | "plural" | "isNamespaced">;
  namespace: string | undefined;
}

/** Asks the server for each right. Throws one refusal that lists all missing ones. */
export async function checkRights(cluster: Cluster, rights: readonly Right[]): Promise<void> {
  const distinct = new Map(rights.map((right) => [JSON.stringify(right), right]));
  const missing = await pMap(
    distinct.values(),
    async ({ verb, resource, namespace }) => {
      const group = groupOf(resource.apiVersion);
      const review = await cluster.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
        body: {
          apiVersion: "authorization.k8s.io/v1",
          kind: "SelfSubjectAccessReview",
          spec: {
            resourceAttributes: {
              verb,
              group,
              resource: resource.plural,
              ...(resource.isNamespaced ? { namespace } : {}),
            },
          },
        },
      });
      if (at(review, "status", "allowed") === true) return [];
      const where = resource.isNamespaced ? ` in ${printable(namespace ?? "")}` : "";
      return [`${verb} ${printable(resource.plural)}${group === "" ? "" : `.${printable(group)}`}${where}`];
    },
    { concurrency: 8 },
  );
  if (missing.flat().length > 0) {
    throw refuse(
      `the user of ${printable(cluster.access.context)} may not ${missing.flat().join(", ")}; nothing was changed`,
    );
  }
}

/** Returns the user name that the cluster sees; `unknown` when it does not say. */
export async function userName(cluster: Cluster): Promise<string> {
  try {
    const review = await cluster.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {
      body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
    });
    return printable(textAt(review, "status", "userInfo", "username") ?? "unknown");
  } catch (error) {
    if (error instanceof ApiError) return "unknown";
    throw error;
  }
}
