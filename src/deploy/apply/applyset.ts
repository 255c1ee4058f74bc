import { createHash } from "node:crypto";
import { printable } from "../../text/index.ts";
import { ApiError, isMissing, listAll } from "../cluster/client.ts";
import type { Cluster } from "../cluster/client.ts";
import { collectionPath, preferredVersion } from "../cluster/discovery.ts";
import type { Resource, Resources } from "../cluster/discovery.ts";
import { groupKind, identityOf, listAt, nameOf, objectSchema, textAt } from "../objects/objects.ts";
import type { KubeObject, Manifest } from "../objects/objects.ts";
import { phaseOf } from "../objects/order.ts";
import { refuse } from "../objects/problem.ts";

/**
 * What belongs to an app in the cluster, as an ApplySet (KEP 3659, also `kubectl apply --applyset`): a parent, here a
 * ConfigMap, that says which kinds there are, and a label on each member. Only members are ever deleted.
 */
export const partOf = "applyset.kubernetes.io/part-of";
export const fieldManager = "fastloop";
const environmentMark = "fastloop.dev/environment";
const containsKinds = "applyset.kubernetes.io/contains-group-kinds";
const furtherNamespaces = "applyset.kubernetes.io/additional-namespaces";

/** Kinds that hold data, or others' objects: a member of them that is no longer described is told, never deleted. */
const kept = new Set(["PersistentVolumeClaim", "Namespace", "CustomResourceDefinition", "PersistentVolume"]);

/** Name of the parent, and of all that we keep about an app. */
export const parentName = (app: string): string => `fastloop-${app}`;

/** The id that the specification gives to a parent. */
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

/** What the cluster has of an app; undefined where it was never deployed. */
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

/** The same namespace for two environments would make each undo the other. */
export function checkEnvironment(parent: Parent | undefined, app: string, environment: string): void {
  if (parent?.environment !== undefined && parent.environment !== environment) {
    throw refuse(
      `${app} was deployed to this namespace as ${printable(parent.environment)}, not ${environment}; nothing was changed`,
    );
  }
}

/** Writes down which kinds and namespaces the app has, those of before too: before anything of it is applied. */
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

/** A member that no manifest describes any longer. */
export interface Leftover {
  object: KubeObject;
  path: string;
  uid: string;
  /** Told and kept. */
  isKept: boolean;
}

/** The kinds that an app has in the cluster, as the server serves them now; what it serves no longer is left out. */
export async function memberResources(
  cluster: Cluster,
  resources: Resources,
  parent: Parent | undefined,
): Promise<(Resource & { kind: string })[]> {
  const found: (Resource & { kind: string })[] = [];
  for (const name of parent?.kinds ?? []) {
    const [kind = "", ...groups] = name.split(".");
    const version = await preferredVersion(cluster, groups.join("."));
    if (version === undefined) continue;
    await resources.learn([version]);
    const resource = resources.of({ apiVersion: version, kind });
    if (resource?.isNamespaced === true) found.push({ ...resource, kind });
  }
  return found;
}

/** All members of the app that are not among the manifests, the last in order first. */
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
  const found: Leftover[] = [];
  for (const resource of await memberResources(cluster, resources, parent)) {
    const { apiVersion, kind } = resource;
    for (const place of [namespace, ...parent.namespaces]) {
      const query = { labelSelector: `${partOf}=${applySetId(app, namespace)}` };
      const items = await listAll(cluster, collectionPath(resource, place), query);
      for (const item of items) {
        // Items of a list do not say what they are.
        const parsed = objectSchema.safeParse({ ...(item as object), apiVersion, kind });
        if (!parsed.success || described.has(identityOf(parsed.data))) continue;
        // What somebody's controller made of a member and labelled alike goes with its owner.
        if (listAt(item, "metadata", "ownerReferences").length > 0) continue;
        const uid = textAt(item, "metadata", "uid") ?? "";
        found.push({ object: parsed.data, path: resources.pathOf(parsed.data), uid, isKept: kept.has(kind) });
      }
    }
  }
  return found.toSorted((a, b) => phaseOf(b.object) - phaseOf(a.object));
}

/** Deletes what is left over and holds no data: exactly the object that was looked at, by its UID. */
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

/** Deletes an object by path and UID, with what it owns. One that is gone is no error. */
export async function deleteObject(cluster: Cluster, path: string, uid: string): Promise<void> {
  try {
    await cluster.request("DELETE", path, {
      body: { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid }, propagationPolicy: "Background" },
    });
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
