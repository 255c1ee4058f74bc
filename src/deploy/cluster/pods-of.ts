import { listAll } from "./client.ts";
import type { Cluster } from "./client.ts";
import { at, listAt, numberAt, textAt } from "../objects/objects.ts";

/**
 * Returns the pods of the current rollout: those of a Deployment's newest ReplicaSet, of the newest revision of a
 * StatefulSet or DaemonSet, or of a Job. Older pods say nothing about it.
 */
export async function podsOf(cluster: Cluster, workload: unknown): Promise<unknown[]> {
  const kind = textAt(workload, "kind") ?? "";
  const namespace = textAt(workload, "metadata", "namespace") ?? "";
  const uid = textAt(workload, "metadata", "uid");
  const selector = selectorText(at(workload, "spec", "selector"));
  const base = `/namespaces/${encodeURIComponent(namespace)}`;
  if (kind === "Pod") return [workload];
  if (selector === undefined || uid === undefined) return [];
  const pods = (): Promise<unknown[]> => listAll(cluster, `/api/v1${base}/pods`, { labelSelector: selector });
  if (kind === "Deployment") {
    const sets = await listAll(cluster, `/apis/apps/v1${base}/replicasets`, { labelSelector: selector });
    const revision = textAt(workload, "metadata", "annotations", revisionKey);
    const newest = sets.find(
      (set) => isOwnedBy(set, uid) && textAt(set, "metadata", "annotations", revisionKey) === revision,
    );
    const owner = textAt(newest, "metadata", "uid");
    return owner === undefined ? [] : (await pods()).filter((pod) => isOwnedBy(pod, owner));
  }
  if (kind === "StatefulSet" || kind === "DaemonSet") {
    const hash = textAt(workload, "status", "updateRevision") ?? (await newestHash(cluster, base, selector, uid));
    return (await pods()).filter(
      (pod) => isOwnedBy(pod, uid) && (hash === undefined || hashOf(pod) === hash || hash.endsWith(`-${hashOf(pod)}`)),
    );
  }
  return kind === "Job" ? (await pods()).filter((pod) => isOwnedBy(pod, uid)) : [];
}

const revisionKey = "deployment.kubernetes.io/revision";
const hashOf = (object: unknown): string => textAt(object, "metadata", "labels", "controller-revision-hash") ?? "";

async function newestHash(cluster: Cluster, base: string, selector: string, uid: string): Promise<string | undefined> {
  const all = await listAll(cluster, `/apis/apps/v1${base}/controllerrevisions`, { labelSelector: selector });
  const own = all.filter((each) => isOwnedBy(each, uid));
  const newest = own.toSorted((a, b) => (numberAt(b, "revision") ?? 0) - (numberAt(a, "revision") ?? 0))[0];
  return newest === undefined ? undefined : hashOf(newest);
}

const isOwnedBy = (object: unknown, uid: string): boolean =>
  listAt(object, "metadata", "ownerReferences").some((owner) => textAt(owner, "uid") === uid);

/** Returns a label selector as query text; undefined when it has no terms. */
export function selectorText(selector: unknown): string | undefined {
  const labels = Object.entries((at(selector, "matchLabels") ?? {}) as Record<string, unknown>).map(
    ([key, value]) => `${key}=${String(value)}`,
  );
  const expressions = listAt(selector, "matchExpressions").map((expression) => {
    const key = textAt(expression, "key") ?? "";
    const values = listAt(expression, "values").map(String).join(",");
    switch (textAt(expression, "operator")) {
      case "In":
        return `${key} in (${values})`;
      case "NotIn":
        return `${key} notin (${values})`;
      case "DoesNotExist":
        return `!${key}`;
      default:
        return key;
    }
  });
  const all = [...labels, ...expressions];
  return all.length === 0 ? undefined : all.join(",");
}
