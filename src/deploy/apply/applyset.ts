import { createHash } from "node:crypto";
import pMap from "p-map";
import { printable } from "../../text/index.ts";
import { ApiError, isMissing, listAll } from "../cluster/client.ts";
import type { Cluster } from "../cluster/client.ts";
import { collectionPath } from "../cluster/discovery.ts";
import type { Resource, Resources } from "../cluster/discovery.ts";
import { groupKind, identityOf, listAt, nameOf, objectSchema, textAt } from "../objects/objects.ts";
import type { KubeObject, Manifest } from "../objects/objects.ts";
import { phaseOf } from "../objects/order.ts";
import { refuse } from "../objects/problem.ts";

/**
 * Label that marks an app's members, as in an ApplySet (KEP 3659, also `kubectl apply --applyset`): a parent, here a
 * ConfigMap, lists the kinds, and each member has the label. Only members are ever deleted.
 */
export const partOf = "applyset.kubernetes.io/part-of";
export const fieldManager = "fastloop";
const environmentMark = "fastloop.dev/environment";
const containsKinds = "applyset.kubernetes.io/contains-group-kinds";
const furtherNamespaces = "applyset.kubernetes.io/additional-namespaces";

/**
 * Kinds that hold data or objects of others. Members of these kinds that are no longer described are reported, never
 * deleted.
 */
const kept = new Set(["PersistentVolumeClaim", "Namespace", "CustomResourceDefinition", "PersistentVolume"]);

/** Returns the name of the parent ConfigMap, of the lease, and the prefix of release records. */
export const parentName = (app: string): string => `fastloop-${app}`;

/** Returns the parent's id, computed as the specification says. */
export function applySetId(app: string, namespace: string): string {
  const hash = createHash("sha256")
    .update(`${parentName(app)}.${namespace}.ConfigMap.`)
    .digest("base64url");
  return `applyset-${hash}-v1`;
}

export interface Parent {
  environment: string | undefined;
  kinds: string[];
  namespaces: string[];
}

const parentPath = (app: string, namespace: string): string =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${parentName(app)}`;

/** Reads an app's parent; undefined when the app was never deployed. Throws when the ConfigMap is not fastloop's. */
export async function readParent(cluster: Cluster, app: string, namespace: string): Promise<Parent | undefined> {
  let found: unknown;
  try {
    found = await cluster.get(parentPath(app, namespace));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  if (textAt(found, "metadata", "labels", "applyset.kubernetes.io/id") !== applySetId(app, namespace)) {
    throw refuse(
      `the ConfigMap ${parentName(app)} in ${printable(namespace)} was not made by fastloop; rename it or the app`,
    );
  }
  const words = (key: string): string[] =>
    (textAt(found, "metadata", "annotations", key) ?? "").split(",").filter((word) => word !== "");
  return {
    environment: textAt(found, "metadata", "annotations", environmentMark),
    kinds: words(containsKinds),
    namespaces: words(furtherNamespaces),
  };
}

/**
 * Throws when the app was deployed to this namespace as another environment: two environments would undo each other's
 * changes.
 */
export function checkEnvironment(parent: Parent | undefined, app: string, environment: string): void {
  if (parent?.environment !== undefined && parent.environment !== environment) {
    throw refuse(
      `${app} was deployed to this namespace as ${printable(parent.environment)}, not ${environment}; nothing was changed`,
    );
  }
}

/** Records the app's kinds and namespaces, including earlier ones. Called before any member is applied. */
export async function writeParent(
  cluster: Cluster,
  app: string,
  namespace: string,
  environment: string,
  members: readonly KubeObject[],
  before: Pick<Parent, "kinds" | "namespaces"> | undefined,
): Promise<void> {
  const kinds = new Set([...(before?.kinds ?? []), ...members.map(groupKind)]);
  const namespaces = new Set([
    ...(before?.namespaces ?? []),
    ...members.map(({ metadata }) => metadata.namespace ?? ""),
  ]);
  namespaces.delete("");
  namespaces.delete(namespace);
  await cluster.apply(
    parentPath(app, namespace),
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name: parentName(app),
        namespace,
        labels: { "applyset.kubernetes.io/id": applySetId(app, namespace) },
        annotations: {
          "applyset.kubernetes.io/tooling": "fastloop/v1",
          [containsKinds]: [...kinds].toSorted().join(","),
          [furtherNamespaces]: [...namespaces].toSorted().join(","),
          [environmentMark]: environment,
        },
      },
    },
    { manager: fieldManager, force: true },
  );
}

/** Member that no manifest describes any longer. */
export interface Leftover {
  object: KubeObject;
  path: string;
  uid: string;
  /** Reported and never deleted. */
  isKept: boolean;
}

/**
 * Returns the kinds that an app has in the cluster, in the version that the server prefers now; kinds no longer served
 * are left out.
 */
export async function memberResources(resources: Resources, parent: Parent | undefined): Promise<Resource[]> {
  const kinds = await pMap(
    parent?.kinds ?? [],
    async (name) => {
      const [kind = "", ...groups] = name.split(".");
      const apiVersion = await resources.preferredVersion(groups.join("."));
      return apiVersion === undefined ? [] : [{ apiVersion, kind }];
    },
    { concurrency: 8 },
  );
  const served = kinds.flat();
  await resources.learn(served);
  return served.map((each) => resources.of(each)).filter((resource) => resource?.isNamespaced === true) as Resource[];
}

/** Returns all members of the app that are not among the manifests, in reverse order of application. */
export async function leftovers(
  cluster: Cluster,
  resources: Resources,
  app: string,
  namespace: string,
  parent: Parent | undefined,
  manifests: readonly Manifest[],
): Promise<Leftover[]> {
  if (parent === undefined) return [];
  const described = new Set(manifests.map(({ object }) => identityOf(object)));
  const query = { labelSelector: `${partOf}=${applySetId(app, namespace)}` };
  const places = (await memberResources(resources, parent)).flatMap((resource) =>
    [namespace, ...parent.namespaces].map((place) => ({ resource, place })),
  );
  const found = await pMap(
    places,
    async ({ resource, place }) => {
      const items = await listAll(cluster, collectionPath(resource, place), query);
      return items.flatMap((item) => leftoverOf(item, resource, resources) ?? []);
    },
    { concurrency: 8 },
  );
  return found
    .flat()
    .filter(({ object }) => !described.has(identityOf(object)))
    .toSorted((a, b) => phaseOf(b.object) - phaseOf(a.object));
}

/** Returns a listed member; undefined for one that can't be read or that a controller made. */
function leftoverOf(item: unknown, { apiVersion, kind }: Resource, resources: Resources): Leftover | undefined {
  // Items of a list have no `apiVersion` and `kind`.
  const parsed = objectSchema.safeParse({ ...(item as object), apiVersion, kind });
  // A controller may copy a member's labels to objects that it creates; those are deleted with their owner.
  if (!parsed.success || listAt(item, "metadata", "ownerReferences").length > 0) return undefined;
  const uid = textAt(item, "metadata", "uid") ?? "";
  return { object: parsed.data, path: resources.pathOf(parsed.data), uid, isKept: kept.has(kind) };
}

/** Deletes leftovers that hold no data. The UID as precondition makes sure that it is the object that was found. */
export async function prune(
  cluster: Cluster,
  list: readonly Leftover[],
  onLine: (text: string) => void,
): Promise<void> {
  for (const { object, path, uid, isKept } of list) {
    if (isKept) continue;
    try {
      await deleteObject(cluster, path, uid);
      onLine(`${nameOf(object)}: deleted`);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
      onLine(`${nameOf(object)}: is another object of the same name by now; kept`);
    }
  }
}

/** Deletes an object by path and UID, with what it owns. A missing object is no error. */
export async function deleteObject(cluster: Cluster, path: string, uid: string): Promise<void> {
  try {
    await cluster.request("DELETE", path, {
      body: { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid }, propagationPolicy: "Background" },
    });
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
