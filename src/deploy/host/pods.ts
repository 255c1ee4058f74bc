import { applySetId, partOf } from "../apply/applyset.ts";
import { isMissing, listAll } from "../cluster/client.ts";
import type { Cluster } from "../cluster/client.ts";
import { at, listAt, nameOf, numberAt, objectSchema, textAt } from "../objects/objects.ts";
import { podsOf, selectorText } from "../cluster/pods-of.ts";

const workloadPaths = { deployment: "apis/apps/v1", statefulset: "apis/apps/v1", daemonset: "apis/apps/v1" } as const;
const kindNames = { deployment: "Deployment", statefulset: "StatefulSet", daemonset: "DaemonSet" } as const;

/** Parsed `forward` entry: `8080:80`, or `8080:service/web:80`. */
export interface ForwardTarget {
  localPort: number;
  /** `service`, `deployment`, …; undefined: the app's workload that has the port. */
  kind?: string;
  name?: string;
  port: number;
}

/** Parses a `forward` entry, whose form the configuration schema has checked. */
export function parseForward(text: string): ForwardTarget {
  const [local = "", ...rest] = text.split(":");
  const [kind, name] = rest.length > 1 ? (rest[0] ?? "").split("/") : [];
  return { localPort: Number(local), port: Number(rest.at(-1)), kind, name };
}

/** Returns the workloads that are members of an app, sorted by name. */
export async function workloadsOf(cluster: Cluster, app: string, namespace: string): Promise<unknown[]> {
  const query = { labelSelector: `${partOf}=${applySetId(app, namespace)}` };
  const lists = await Promise.all(
    (["deployment", "statefulset", "daemonset"] as const).map(async (kind) => {
      const path = `/${workloadPaths[kind]}/namespaces/${encodeURIComponent(namespace)}/${kind}s`;
      // Items of a list have no `apiVersion` and `kind`.
      const items = await listAll(cluster, path, query);
      return items.map((item) => ({ ...(item as object), apiVersion: "apps/v1", kind: kindNames[kind] }));
    }),
  );
  return lists.flat().toSorted((a, b) => label(a).localeCompare(label(b)));
}

const label = (object: unknown): string => {
  const parsed = objectSchema.safeParse(object);
  return parsed.success ? nameOf(parsed.data) : "";
};

/** Returns a ready pod for connections of a forward, and the port to connect to; undefined when no pod is ready. */
export async function podFor(
  cluster: Cluster,
  app: string,
  namespace: string,
  { kind, name, port }: ForwardTarget,
): Promise<{ pod: string; port: number } | undefined> {
  const base = `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
  const get = async (path: string): Promise<unknown> => {
    try {
      return await cluster.get(path, { patienceMs: 5000 });
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  };
  if (kind === "service") {
    const service = await get(`${base}/services/${name}`);
    const selector = selectorText({
      matchLabels: (service as { spec?: { selector?: unknown } } | undefined)?.spec?.selector,
    });
    if (selector === undefined) return undefined;
    const ready = (await listAll(cluster, `${base}/pods`, { labelSelector: selector })).find(isReady);
    const entry = listAt(service, "spec", "ports").find((each) => numberAt(each, "port") === port);
    return ready === undefined ? undefined : { pod: podName(ready), port: targetPort(entry, ready) ?? port };
  }
  const path = kind === undefined ? undefined : kind === "pod" ? `${base}/pods/${name}` : pathOf(kind, name, namespace);
  const found = path === undefined ? await workloadsOf(cluster, app, namespace) : [await get(path)];
  const workloads = found.filter((each) => each !== undefined);
  const chosen = workloads.find((each) => hasPort(each, port)) ?? (workloads.length === 1 ? workloads[0] : undefined);
  if (chosen === undefined) return undefined;
  const ready =
    (await podsOf(cluster, chosen)).find(isReady) ?? (await selectedPods(cluster, base, chosen)).find(isReady);
  return ready === undefined ? undefined : { pod: podName(ready), port };
}

/** Includes pods of earlier versions: while no new pod is ready, they serve. */
async function selectedPods(cluster: Cluster, base: string, workload: unknown): Promise<unknown[]> {
  const selector = selectorText(at(workload, "spec", "selector"));
  return selector === undefined ? [] : listAll(cluster, `${base}/pods`, { labelSelector: selector });
}

function pathOf(kind: string, name: string | undefined, namespace: string): string {
  const group = workloadPaths[kind as keyof typeof workloadPaths];
  return `/${group}/namespaces/${encodeURIComponent(namespace)}/${kind}s/${name}`;
}

const podName = (pod: unknown): string => textAt(pod, "metadata", "name") ?? "";

/** Reports whether a pod is ready and not being deleted. */
export const isReady = (pod: unknown): boolean =>
  textAt(pod, "metadata", "deletionTimestamp") === undefined &&
  listAt(pod, "status", "conditions").some(
    (each) => textAt(each, "type") === "Ready" && textAt(each, "status") === "True",
  );

const hasPort = (workload: unknown, port: number): boolean =>
  listAt(workload, "spec", "template", "spec", "containers").some((container) =>
    listAt(container, "ports").some((each) => numberAt(each, "containerPort") === port),
  );

/** Resolves a service's target port, which is a number or the name of a container's port. */
function targetPort(entry: unknown, pod: unknown): number | undefined {
  const number = numberAt(entry, "targetPort");
  if (number !== undefined) return number;
  const name = textAt(entry, "targetPort");
  const ports = listAt(pod, "spec", "containers").flatMap((container) => listAt(container, "ports"));
  return numberAt(
    ports.find((each) => textAt(each, "name") === name),
    "containerPort",
  );
}
