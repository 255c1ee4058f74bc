/** What controllers and a node do with what was written, as far as a deploy looks at it: worked out anew at each request. */
import { randomUUID } from "node:crypto";
import { at, listAt, numberAt, textAt } from "../../src/deploy/objects/objects.ts";
import type { KubeObject, Stored } from "./small-objects.ts";

/** What a pod does is read from its image's tag, as tools/cluster has it: slow3, unready, crash, nopull, fail. */
type Doing = "ready" | "starting" | "unready" | "crash" | "nopull" | "fail" | "unschedulable";

const slowUnitMs = 1000;

function doing(template: unknown, sinceMs: number): Doing {
  if (textAt(template, "spec", "nodeSelector", "stub") === "unschedulable") return "unschedulable";
  const image = textAt(template, "spec", "containers", 0, "image") ?? "";
  const word = /:[^-]*-(slow|unready|crash|nopull|fail)(\d*)$/.exec(image);
  if (word?.[1] === "slow") return sinceMs >= Number(word[2]) * slowUnitMs ? "ready" : "starting";
  return (word?.[1] as Doing | undefined) ?? (sinceMs > 20 ? "ready" : "starting");
}

/** The state that a deploy sees of one pod. */
function podStatus(what: Doing): unknown {
  if (what === "unschedulable") {
    const why = { type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/1 nodes are available" };
    return { phase: "Pending", conditions: [why] };
  }
  const waiting = (reason: string, message: string): unknown => ({ waiting: { reason, message } });
  const state = {
    ready: { running: {} },
    starting: { running: {} },
    unready: { running: {} },
    fail: { terminated: { exitCode: 1, reason: "Error" } },
    crash: waiting("CrashLoopBackOff", "back-off 10s restarting failed container"),
    nopull: waiting("ImagePullBackOff", "Back-off pulling image"),
  }[what];
  const restartCount = what === "crash" ? 3 : 0;
  return {
    phase: what === "fail" ? "Failed" : "Running",
    containerStatuses: [{ name: "main", ready: what === "ready", restartCount, state }],
  };
}

/** What is there beside the objects that somebody wrote: replica sets and pods, by `PLURAL NAMESPACE/NAME`. */
export type Made = Map<string, KubeObject>;

/** Gives a workload the status that it has by now, and makes its pods. */
export function work(stored: Stored, made: Made, isQuotaUsedUp: boolean): void {
  const { object } = stored;
  const rule = rules[object.kind];
  if (rule !== undefined) object["status"] = rule(stored, made, isQuotaUsedUp);
}

const template = (object: KubeObject): unknown => at(object, "spec", "template");
const sinceMs = ({ changedMs }: Stored): number => performance.now() - changedMs;

function owned(owner: KubeObject, kind: string, name: string, more: object): KubeObject {
  const { namespace = "", uid } = owner.metadata;
  const ownerReferences = [{ kind: owner.kind, name: owner.metadata.name, uid }];
  const { metadata = {}, ...rest } = more as { metadata?: object };
  return {
    apiVersion: kind === "Pod" ? "v1" : "apps/v1",
    kind,
    metadata: { name, namespace, uid: randomUUID(), resourceVersion: "1", ownerReferences, ...metadata },
    ...rest,
  };
}

function pods(owner: KubeObject, count: number, labels: unknown, what: Doing, made: Made): void {
  for (let index = 0; index < count; index++) {
    const name = `${owner.metadata.name}-${index}`;
    const key = `pods ${owner.metadata.namespace}/${name}`;
    const pod = made.get(key) ?? owned(owner, "Pod", name, { metadata: { labels } });
    made.set(key, { ...pod, status: podStatus(what) });
  }
}

function forget(owner: KubeObject, made: Made): void {
  for (const [key, each] of made)
    if (
      listAt(each, "metadata", "ownerReferences").some((reference) => textAt(reference, "uid") === owner.metadata.uid)
    )
      made.delete(key);
}

const revisionKey = "deployment.kubernetes.io/revision";

const rules: Readonly<Record<string, (stored: Stored, made: Made, isQuotaUsedUp: boolean) => unknown>> = {
  Deployment(stored, made, isQuotaUsedUp) {
    const { object } = stored;
    const wanted = numberAt(object, "spec", "replicas") ?? 1;
    const annotations = (object.metadata["annotations"] ??= {}) as Record<string, string>;
    const sets = [...made.values()].filter(
      (each) =>
        each.kind === "ReplicaSet" && textAt(each, "metadata", "ownerReferences", 0, "uid") === object.metadata.uid,
    );
    const same = JSON.stringify(template(object));
    let set = sets.find((each) => JSON.stringify(template(each)) === same);
    if (set === undefined) {
      annotations[revisionKey] = String(sets.length + 1);
      const metadata = {
        labels: at(object, "spec", "selector", "matchLabels"),
        annotations: { [revisionKey]: annotations[revisionKey] },
      };
      const name = `${object.metadata.name}-${sets.length + 1}`;
      set = owned(object, "ReplicaSet", name, { metadata, spec: { template: template(object) } });
      made.set(`replicasets ${object.metadata.namespace}/${name}`, set);
    } else {
      annotations[revisionKey] = textAt(set, "metadata", "annotations", revisionKey) ?? "";
    }
    const what = doing(template(object), sinceMs(stored));
    const updated = isQuotaUsedUp ? 0 : wanted;
    pods(set, updated, at(template(object), "metadata", "labels"), what, made);
    const available = what === "ready" ? updated : 0;
    // Old pods go when the new ones are there.
    if (available === updated) for (const old of sets) if (old !== set) forget(old, made);
    const deadlineMs = 1000 * (numberAt(object, "spec", "progressDeadlineSeconds") ?? 600);
    const isLate = available < wanted && sinceMs(stored) > deadlineMs;
    const progress = { type: "Progressing", status: String(!isLate), reason: isLate ? "ProgressDeadlineExceeded" : "" };
    const message = 'pods "web" is forbidden: exceeded quota: few, requested: pods=1, used: pods=0, limited: pods=0';
    const refusal = { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message };
    return {
      observedGeneration: object.metadata["generation"],
      replicas: updated,
      updatedReplicas: updated,
      readyReplicas: available,
      availableReplicas: available,
      conditions: isQuotaUsedUp ? [refusal] : [progress],
    };
  },
  StatefulSet(stored) {
    const wanted = numberAt(stored.object, "spec", "replicas") ?? 1;
    const revision = String(stored.object.metadata["generation"]);
    return {
      observedGeneration: stored.object.metadata["generation"],
      replicas: wanted,
      readyReplicas: doing(template(stored.object), sinceMs(stored)) === "ready" ? wanted : 0,
      updatedReplicas: wanted,
      currentRevision: revision,
      updateRevision: revision,
    };
  },
  DaemonSet(stored) {
    const available = doing(template(stored.object), sinceMs(stored)) === "ready" ? 1 : 0;
    return {
      observedGeneration: stored.object.metadata["generation"],
      desiredNumberScheduled: 1,
      updatedNumberScheduled: 1,
      numberAvailable: available,
    };
  },
  Job(stored, made) {
    const { object } = stored;
    const { name, uid } = object.metadata;
    const labels = { "batch.kubernetes.io/controller-uid": uid };
    (object["spec"] as { selector?: unknown }).selector = { matchLabels: labels };
    const what = doing(template(object), sinceMs(stored));
    if (what === "ready") return { conditions: [{ type: "Complete", status: "True" }] };
    pods({ ...object, metadata: { ...object.metadata, name } }, 1, labels, what, made);
    if (what === "fail")
      return { conditions: [{ type: "Failed", status: "True", reason: "BackoffLimitExceeded", message: "failed" }] };
    return { active: 1 };
  },
  Namespace: () => ({ phase: "Active" }),
  CustomResourceDefinition: () => ({ conditions: [{ type: "Established", status: "True" }] }),
};
