import { checkEnvironment, memberResources, readParent } from "./apply/applyset.ts";
import type { Parent } from "./apply/applyset.ts";
import { Cluster } from "./cluster/client.ts";
import { Resources, type Resource } from "./cluster/discovery.ts";
import { readKubeconfig } from "./cluster/kubeconfig.ts";
import type { Manifest } from "./objects/objects.ts";
import { placeManifests, planChanges } from "./apply/plan-changes.ts";
import type { Change } from "./apply/plan-changes.ts";
import {
  checkAsked,
  checkIdentity,
  checkReachable,
  checkRights,
  clusterIdentity,
  namespaceExists,
} from "./cluster/preflight.ts";
import type { Right } from "./cluster/preflight.ts";
import { refuse } from "./objects/problem.ts";
import { readReleases } from "./releases.ts";
import type { Release } from "./releases.ts";
import type { App, Environment, Request } from "./objects/request.ts";

/** Connection to the cluster of an environment, checked when it is opened. */
export interface Session {
  cluster: Cluster;
  resources: Resources;
  environment: Environment;
  namespace: string;
  identity: string;
  isNamespaceThere: boolean;
  /** Host name that reaches the server from here, when it is not the server's own. */
  host: string | undefined;
  /** Receives progress, one line at a time. */
  onLine: (text: string) => void;
}

/** What the cluster has of an app. */
export interface AppState {
  app: string;
  parent: Parent | undefined;
  /** Newest first. */
  releases: Release[];
}

/** Connects and checks that this is the right cluster. Writes nothing. Throws a refusal when a check fails. */
export async function openSession(
  request: Request,
  kubeconfig: string,
  onLine: (text: string) => void,
): Promise<Session> {
  checkAsked(request);
  const { environment } = request;
  const access = readKubeconfig(kubeconfig, environment.context ?? request.context);
  if (access.insecure && environment.production)
    throw refuse(
      `${environment.name} is production, and its kubeconfig does not check who answers (insecure-skip-tls-verify)`,
    );
  const namespace = environment.namespace ?? access.namespace;
  if (namespace === undefined)
    throw refuse(`name the \`namespace\` of \`deploy.environments.${environment.name}\` in fastloop.yaml`);
  const cluster = new Cluster(access, { host: request.host, onNotice: onLine });
  const version = await checkReachable(cluster);
  // Both are asked for at once, and the identity is judged first.
  const lookingForNamespace = namespaceExists(cluster, namespace);
  lookingForNamespace.catch(() => undefined);
  const identity = await clusterIdentity(cluster);
  onLine(
    `${environment.name}: ${access.context}, ${access.server.host}, Kubernetes ${version}, namespace ${namespace}`,
  );
  for (const notice of checkIdentity(environment, identity)) onLine(notice);
  const isNamespaceThere = await lookingForNamespace;
  const { host } = request;
  return {
    cluster,
    resources: new Resources(cluster),
    environment,
    namespace,
    identity,
    isNamespaceThere,
    host,
    onLine,
  };
}

/** Reads what the cluster has of an app; empty when the namespace does not exist yet. */
export async function readState(
  { cluster, namespace, environment, isNamespaceThere, onLine }: Session,
  app: string,
): Promise<AppState> {
  if (!isNamespaceThere) return { app, parent: undefined, releases: [] };
  const [parent, releases] = await Promise.all([
    readParent(cluster, app, namespace),
    readReleases(cluster, app, namespace, onLine),
  ]);
  checkEnvironment(parent, app, environment.name);
  return { app, parent, releases };
}

/**
 * Places the manifests and returns what would become of each object. Throws a refusal that lists everything that can't
 * be done.
 */
export async function plan(
  { cluster, resources, environment, namespace, isNamespaceThere, onLine }: Session,
  { name, manifests }: App,
  options: { force?: boolean } = {},
): Promise<Change[]> {
  await resources.learn(manifests.map(({ object }) => object));
  resources.learnFrom(manifests);
  const placed = placeManifests(manifests, resources, { app: name, namespace, environment });
  const brings = placed.some(({ object }) => object.kind === "Namespace" && object.metadata.name === namespace);
  if (!isNamespaceThere && !brings) {
    throw refuse(`the namespace ${namespace} is not there; create it, or add a manifest of it; nothing was changed`);
  }
  const settings = {
    app: name,
    namespace,
    onNotice: (text: string) => onLine(`${name}: ${text}`),
    environment: { ...environment, ...(options.force ? { forceConflicts: true } : {}) },
  };
  return planChanges(cluster, resources, placed, settings);
}

/**
 * Checks that the user has all rights that deploying these changes takes. `parent` is what the app has in the cluster
 * already. Throws a refusal that lists the missing rights. Those that a dry run has used need no question, unless
 * `isTried` is false.
 */
export async function checkMayDeploy(
  { cluster, resources, environment, namespace }: Session,
  changes: readonly Change[],
  parent: Parent | undefined,
  isTried = true,
): Promise<void> {
  const core = (plural: string, apiVersion = "v1"): Right["resource"] => ({ apiVersion, plural, isNamespaced: true });
  const own = (plural: string, verbs: string[], apiVersion?: string): Right[] =>
    verbs.map((verb) => ({ verb, resource: core(plural, apiVersion), namespace }));
  const described = changes
    .map(({ manifest: { object } }) => resources.of(object))
    .filter((resource) => resource?.isNamespaced === true) as Resource[];
  const rights: Right[] = [
    ...own("configmaps", ["get", "patch", "create"]),
    ...own("secrets", ["get", "list", "create", "patch", "delete"]),
    ...own("leases", ["get", "create", "update"], "coordination.k8s.io/v1"),
    ...changes.flatMap(({ manifest: { object }, action }): Right[] => {
      const resource = resources.of(object);
      const isProven = isTried && (action === "same" || action === "change" || action === "create");
      if (resource === undefined || isProven) return [];
      const verbs = [
        "get",
        "patch",
        ...(action === "same" || action === "change" ? [] : ["create"]),
        ...(action === "recreate" || action === "hook" ? ["delete"] : []),
      ];
      return verbs.map((verb) => ({ verb, resource, namespace: object.metadata.namespace }));
    }),
    // Members are listed, as some may no longer be described; those of this deploy are by the next one.
    ...[...described, ...(await memberResources(resources, parent))].flatMap((resource): Right[] =>
      ["list", ...(environment.prune ? ["delete"] : [])].flatMap((verb) =>
        [namespace, ...(parent?.namespaces ?? [])].map((place) => ({ verb, resource, namespace: place })),
      ),
    ),
  ];
  await checkRights(cluster, rights);
}

/**
 * Checks, after a refusal, all rights that a deploy of this app takes, so that the error lists every missing one and
 * not only the first.
 */
export async function checkMayDeployAll(
  session: Session,
  { name, manifests }: App,
  parent: Parent | undefined,
): Promise<void> {
  const { resources, environment, namespace } = session;
  await resources.learn(manifests.map(({ object }) => object));
  resources.learnFrom(manifests);
  const placed = placeManifests(manifests, resources, { app: name, namespace, environment });
  const changes = placed.map((manifest): Change => ({ manifest, path: "", action: "create", differences: [] }));
  await checkMayDeploy(session, changes, parent, false);
}

/** Throws when the server is a different cluster by now. Called right before each group of writes. */
export async function checkSameCluster({ cluster, identity, environment }: Session): Promise<void> {
  const now = await clusterIdentity(cluster);
  if (now !== identity)
    throw refuse(`what answers is another cluster now (${now}, was ${identity}); ${environment.name} is left as it is`);
}

/** Returns the manifests of changes. */
export const manifestsOf = (changes: readonly Change[]): Manifest[] => changes.map(({ manifest }) => manifest);
