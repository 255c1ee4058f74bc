import { printable } from "../../text/index.ts";
import { isObserved, at, conditionOf, groupOf, listAt, numberAt, textAt } from "../objects/objects.ts";

/** State of an object during a rollout; `failed` means that waiting does not help. */
export interface Readiness {
  state: "ready" | "waiting" | "failed";
  why: string;
  /** The controller continues in spite of it, so the failure counts only if it persists. */
  mayStillPass?: boolean;
}

const ready = (why = "ready"): Readiness => ({ state: "ready", why });
const waiting = (why: string): Readiness => ({ state: "waiting", why });
const failed = (why: string): Readiness => ({ state: "failed", why });

/**
 * Refusals that no retry of a controller gets past. Others pass: a missing service account, for example, exists a
 * moment later.
 */
const isFinalRefusal = /exceeded quota|violates PodSecurity|denied the request/;

/** Judges whether an object is ready by the rule of its kind. Kinds without such a state are ready once applied. */
export function readinessOf(object: unknown): Readiness {
  const kind = textAt(object, "kind") ?? "";
  const group = groupOf(textAt(object, "apiVersion") ?? "");
  const rule = rules[group === "" ? kind : `${kind}.${group}`];
  if (rule !== undefined) return rule(object);
  return group.includes(".") && !group.endsWith(".k8s.io") ? byReadyCondition(object) : ready("applied");
}

/** Rules by kind, `KIND` or `KIND.GROUP`. */
const rules: Readonly<Record<string, (object: unknown) => Readiness>> = {
  "Deployment.apps": (object) => {
    if (at(object, "spec", "paused") === true) return ready("paused: nothing is rolled out");
    const refusal = condition(object, "ReplicaFailure", "True");
    if (refusal !== undefined && isFinalRefusal.test(refusal)) return failed(refusal);
    if (!isObserved(object)) return waiting("not yet seen by its controller");
    const wanted = numberAt(object, "spec", "replicas") ?? 1;
    const status = counts(object);
    if (textAt(conditionOf(object, "Progressing"), "reason") === "ProgressDeadlineExceeded") {
      const so = `its progress deadline has passed with ${status.available} of ${wanted} available`;
      return { ...failed(so), mayStillPass: true };
    }
    if (status.updated < wanted) return waiting(refusal ?? `${status.updated} of ${wanted} updated`);
    if (status.replicas > status.updated) return waiting(`${status.replicas - status.updated} old pods are ending`);
    if (status.available < status.updated) return waiting(`${status.available} of ${wanted} available`);
    return ready(`${wanted} of ${wanted} available`);
  },
  "StatefulSet.apps": (object) => {
    if (textAt(object, "spec", "updateStrategy", "type") === "OnDelete")
      return ready("updated when its pods are deleted");
    if (!isObserved(object)) return waiting("not yet seen by its controller");
    const wanted = numberAt(object, "spec", "replicas") ?? 1;
    const partition = numberAt(object, "spec", "updateStrategy", "rollingUpdate", "partition") ?? 0;
    const toUpdate = Math.max(0, wanted - partition);
    const status = counts(object);
    if (status.readyReplicas < wanted) return waiting(`${status.readyReplicas} of ${wanted} ready`);
    if (status.updated < toUpdate) return waiting(`${status.updated} of ${toUpdate} updated`);
    const [current, update] = [textAt(object, "status", "currentRevision"), textAt(object, "status", "updateRevision")];
    if (partition === 0 && wanted > 0 && current !== update) return waiting("the last pods are being updated");
    return ready(`${wanted} of ${wanted} ready`);
  },
  "DaemonSet.apps": (object) => {
    if (textAt(object, "spec", "updateStrategy", "type") === "OnDelete")
      return ready("updated when its pods are deleted");
    if (!isObserved(object)) return waiting("not yet seen by its controller");
    const wanted = numberAt(object, "status", "desiredNumberScheduled") ?? 0;
    const updated = numberAt(object, "status", "updatedNumberScheduled") ?? 0;
    const available = numberAt(object, "status", "numberAvailable") ?? 0;
    if (updated < wanted) return waiting(`${updated} of ${wanted} updated`);
    return available < wanted
      ? waiting(`${available} of ${wanted} available`)
      : ready(`${wanted} of ${wanted} available`);
  },
  "Job.batch": (object) => {
    const why = condition(object, "Failed", "True");
    if (why !== undefined) return failed(why);
    if (condition(object, "Complete", "True") !== undefined) return ready("complete");
    if (at(object, "spec", "suspend") === true) return ready("suspended");
    return waiting(`${numberAt(object, "status", "active") ?? 0} active`);
  },
  Pod: (object) => {
    const phase = textAt(object, "status", "phase");
    if (phase === "Succeeded" || condition(object, "Ready", "True") !== undefined) return ready();
    return phase === "Failed" ? failed(textAt(object, "status", "message") ?? "failed") : waiting(phase ?? "pending");
  },
  Namespace: (object) => (textAt(object, "status", "phase") === "Active" ? ready("active") : waiting("not active yet")),
  "CustomResourceDefinition.apiextensions.k8s.io": (object) => {
    const clash = condition(object, "NamesAccepted", "False");
    if (clash !== undefined) return failed(clash);
    return condition(object, "Established", "True") === undefined
      ? waiting("not established yet")
      : ready("established");
  },
  "APIService.apiregistration.k8s.io": (object) =>
    condition(object, "Available", "True") === undefined
      ? waiting(condition(object, "Available", "False") ?? "not available yet")
      : ready("available"),
};

/** Custom resources report their state in a `Ready` condition; those without one are ready once applied. */
function byReadyCondition(object: unknown): Readiness {
  const found = conditionOf(object, "Ready");
  if (found === undefined) return ready("applied");
  if (!isObserved(object) && numberAt(object, "status", "observedGeneration") !== undefined)
    return waiting("not yet seen by its controller");
  return textAt(found, "status") === "True" ? ready() : waiting(messageOf(found));
}

/** Reports whether objects of this kind may become ready only after they were applied. */
export const isWaitedFor = (object: { apiVersion: string; kind: string }): boolean => {
  const group = groupOf(object.apiVersion);
  return (
    (group === "" ? object.kind : `${object.kind}.${group}`) in rules ||
    (group.includes(".") && !group.endsWith(".k8s.io"))
  );
};

function counts(object: unknown): { replicas: number; updated: number; available: number; readyReplicas: number } {
  const count = (key: string): number => numberAt(object, "status", key) ?? 0;
  return {
    replicas: count("replicas"),
    updated: count("updatedReplicas"),
    available: count("availableReplicas"),
    readyReplicas: count("readyReplicas"),
  };
}

/** Returns the message of a condition, if it has this status. */
function condition(object: unknown, type: string, status: string): string | undefined {
  const found = conditionOf(object, type);
  return textAt(found, "status") === status ? messageOf(found) : undefined;
}

const messageOf = (found: unknown): string =>
  printable([textAt(found, "reason"), textAt(found, "message")].filter((text) => (text ?? "") !== "").join(": ")) ||
  "not ready";

/** Reason that keeps a pod from being ready. */
export interface PodTrouble {
  pod: string;
  container?: string;
  why: string;
  /** Whether the pod can't recover by itself. */
  isFinal: boolean;
  /** Number of restarts of the container. If there were any, the log to show is that of the previous run. */
  restarts: number;
}

const finalReasons = new Set([
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "CreateContainerConfigError",
  "ImageInspectError",
]);
const healing = new Set(["ContainerCreating", "PodInitializing"]);

/** Returns what keeps a pod from being ready, final troubles first; empty when the pod is ready or only starting. */
export function podTroubles(pod: unknown): PodTrouble[] {
  const name = printable(textAt(pod, "metadata", "name") ?? "");
  const scheduled = conditionOf(pod, "PodScheduled");
  if (textAt(scheduled, "status") === "False" && textAt(scheduled, "reason") === "Unschedulable") {
    return [{ pod: name, why: `can't be scheduled: ${messageOf(scheduled)}`, isFinal: false, restarts: 0 }];
  }
  const statuses = [...listAt(pod, "status", "initContainerStatuses"), ...listAt(pod, "status", "containerStatuses")];
  const troubles = statuses.flatMap((status): PodTrouble[] => {
    const container = printable(textAt(status, "name") ?? "");
    const restarts = numberAt(status, "restartCount") ?? 0;
    const reason = textAt(status, "state", "waiting", "reason");
    if (reason !== undefined && !healing.has(reason)) {
      const message = textAt(status, "state", "waiting", "message");
      const why = printable(message === undefined ? reason : `${reason}: ${message}`);
      return [
        {
          pod: name,
          container,
          why: restarts > 0 ? `${why} (${restarts} restarts)` : why,
          isFinal: finalReasons.has(reason),
          restarts,
        },
      ];
    }
    const exitCode = numberAt(status, "state", "terminated", "exitCode");
    if (exitCode !== undefined && exitCode !== 0) {
      const why = `${printable(textAt(status, "state", "terminated", "reason") ?? "ended")}, exit code ${exitCode}`;
      return [{ pod: name, container, why, isFinal: false, restarts }];
    }
    const isRunning = at(status, "state", "running") !== undefined;
    if (isRunning && at(status, "ready") === false && restarts > 0)
      return [{ pod: name, container, why: `running, not ready (${restarts} restarts)`, isFinal: false, restarts }];
    return isRunning && at(status, "ready") === false
      ? [{ pod: name, container, why: "running, not ready", isFinal: false, restarts }]
      : [];
  });
  return troubles.toSorted((a, b) => Number(b.isFinal) - Number(a.isFinal));
}
