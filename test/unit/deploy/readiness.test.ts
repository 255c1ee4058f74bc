import { describe, expect, test } from "vitest";
import { differenceLines, differences } from "../../../src/deploy/objects/differences.ts";
import { readinessOf, podTroubles } from "../../../src/deploy/apply/readiness.ts";
import { rollbackTarget } from "../../../src/deploy/releases.ts";
import type { Outcome, Release } from "../../../src/deploy/releases.ts";
import { applySetId } from "../../../src/deploy/apply/applyset.ts";

const workload = (kind: string, spec: object, status: object, generation = 2) => ({
  apiVersion: kind === "Job" ? "batch/v1" : "apps/v1",
  kind,
  metadata: { name: "a", generation },
  spec,
  status: { observedGeneration: 2, ...status },
});
const condition = (type: string, status: string, reason = "", message = "") => ({
  conditions: [{ type, status, reason, message }],
});

describe("an object is ready by the rule of its kind", () => {
  test.each([
    ["a Deployment of 0", workload("Deployment", { replicas: 0 }, {}), "ready"],
    ["a Deployment that its controller has not seen", workload("Deployment", { replicas: 0 }, {}, 3), "waiting"],
    [
      "a Deployment with old pods",
      workload("Deployment", { replicas: 1 }, { replicas: 2, updatedReplicas: 1, availableReplicas: 2 }),
      "waiting",
    ],
    [
      "a Deployment that is there",
      workload("Deployment", { replicas: 1 }, { replicas: 1, updatedReplicas: 1, availableReplicas: 1 }),
      "ready",
    ],
    [
      "a Deployment over its quota",
      workload("Deployment", {}, condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota: q")),
      "failed",
    ],
    [
      "a Deployment whose account is made right now",
      workload("Deployment", {}, condition("ReplicaFailure", "True", "FailedCreate", "serviceaccount not found")),
      "waiting",
    ],
    ["a paused Deployment", workload("Deployment", { paused: true }, {}), "ready"],
    [
      "a StatefulSet with a partition",
      workload(
        "StatefulSet",
        { replicas: 3, updateStrategy: { rollingUpdate: { partition: 2 } } },
        { readyReplicas: 3, updatedReplicas: 1, currentRevision: "a", updateRevision: "b" },
      ),
      "ready",
    ],
    [
      "a StatefulSet under way",
      workload(
        "StatefulSet",
        { replicas: 3 },
        { readyReplicas: 3, updatedReplicas: 3, currentRevision: "a", updateRevision: "b" },
      ),
      "waiting",
    ],
    [
      "a StatefulSet that is updated by hand",
      workload("StatefulSet", { updateStrategy: { type: "OnDelete" } }, {}, 3),
      "ready",
    ],
    ["a DaemonSet without nodes", workload("DaemonSet", {}, { desiredNumberScheduled: 0 }), "ready"],
    [
      "a DaemonSet under way",
      workload("DaemonSet", {}, { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 1 }),
      "waiting",
    ],
    ["a Job that is done", workload("Job", {}, condition("Complete", "True")), "ready"],
    ["a Job that failed", workload("Job", {}, condition("Failed", "True", "BackoffLimitExceeded")), "failed"],
    ["a suspended Job", workload("Job", { suspend: true }, {}), "ready"],
    ["a running Job", workload("Job", {}, { active: 1 }), "waiting"],
    ["a CronJob", { apiVersion: "batch/v1", kind: "CronJob" }, "ready"],
    [
      "a definition that is not served",
      { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", status: {} },
      "waiting",
    ],
    [
      "a definition with another's names",
      {
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        status: condition("NamesAccepted", "False"),
      },
      "failed",
    ],
    ["a custom resource without conditions", { apiVersion: "example.org/v1", kind: "Widget" }, "ready"],
    [
      "a custom resource that is not ready",
      { apiVersion: "example.org/v1", kind: "Widget", status: condition("Ready", "False", "Making") },
      "waiting",
    ],
    ["an answer that is nothing", undefined, "ready"],
  ])("%s: %s", (_, object, state) => {
    expect(readinessOf(object).state).toBe(state);
  });

  test("a passed progress deadline is not final", () => {
    const late = workload("Deployment", { replicas: 1 }, condition("Progressing", "False", "ProgressDeadlineExceeded"));
    expect(readinessOf(late)).toMatchObject({ state: "failed", mayStillPass: true });
  });
});

describe("what keeps a pod from being ready", () => {
  const pod = (state: object, more: object = {}) => ({
    metadata: { name: "p" },
    status: { containerStatuses: [{ name: "c", ready: false, state, ...more }] },
  });
  test("is final where it can't heal, and told where it can", () => {
    expect(podTroubles(pod({ waiting: { reason: "ImagePullBackOff", message: "no" } }))).toMatchObject([
      { isFinal: true, why: "ImagePullBackOff: no" },
    ]);
    expect(podTroubles(pod({ waiting: { reason: "CrashLoopBackOff" } }, { restartCount: 3 }))).toMatchObject([
      { isFinal: false, why: "CrashLoopBackOff (3 restarts)" },
    ]);
    expect(podTroubles(pod({ terminated: { exitCode: 1, reason: "Error" } }))).toMatchObject([
      { isFinal: false, why: "Error, exit code 1" },
    ]);
    expect(podTroubles(pod({ waiting: { reason: "ContainerCreating" } }))).toEqual([]);
    expect(podTroubles(pod({ running: {} }, { ready: true }))).toEqual([]);
    const unschedulable = {
      metadata: { name: "p" },
      status: condition("PodScheduled", "False", "Unschedulable", "0/1 nodes\u001b[2J"),
    };
    expect(podTroubles(unschedulable)).toMatchObject([
      { isFinal: false, why: "can't be scheduled: Unschedulable: 0/1 nodes\\u001b[2J" },
    ]);
  });
});

describe("differences", () => {
  test("leave out what the server writes, and what we do", () => {
    const object = {
      kind: "A",
      metadata: { name: "a", resourceVersion: "1", generation: 1, labels: { "applyset.kubernetes.io/part-of": "x" } },
      status: { a: 1 },
    };
    const other = {
      kind: "A",
      metadata: { name: "a", resourceVersion: "2", generation: 2, managedFields: [] },
      status: { a: 2 },
    };
    expect(differences(object, other)).toEqual([]);
  });

  test("name each field, and no value of a Secret", () => {
    const found = differences(
      { data: { a: "b2xk" }, spec: { list: [1, 2] } },
      { data: { a: "bmV3" }, spec: { list: [1, 3, 4] } },
    );
    expect(differenceLines("Secret", found)).toEqual([
      "- data.a: (secret)",
      "+ data.a: (secret)",
      "- spec.list[1]: 2",
      "+ spec.list[1]: 3",
      "+ spec.list[2]: 4",
    ]);
    expect(differenceLines("ConfigMap", found)[0]).toBe("- data.a: b2xk");
  });
});

describe("a rollback", () => {
  const release = (number: number, outcome: Outcome): Release => ({
    outcome,
    record: {
      version: 1,
      app: "web",
      release: number,
      environment: "e",
      cluster: "c",
      at: "",
      by: "",
      images: [],
      manifests: [],
    },
  });
  const releases = [
    release(5, "failed"),
    release(4, "interrupted"),
    release(3, "deployed"),
    release(2, "failed"),
    release(1, "deployed"),
  ];
  test("goes to the last release that was deployed, never to one that failed", () => {
    expect(rollbackTarget(releases, "web").record.release).toBe(3);
    expect(rollbackTarget(releases.slice(2), "web").record.release).toBe(1);
    expect(rollbackTarget(releases, "web", 1).record.release).toBe(1);
  });
  test("to a release that failed or is not there is refused, with what there is", () => {
    expect(() => rollbackTarget(releases, "web", 2)).toThrow(
      "release 2 of web is failed; there are: 5 (failed), 4 (interrupted), 3 (deployed)",
    );
    expect(() => rollbackTarget(releases, "web", 9)).toThrow("no release 9");
    expect(() => rollbackTarget(releases.slice(4), "web")).toThrow("no earlier release");
  });
});

test("an ApplySet has the id that kubectl gives it", () => {
  // `fastloop-web.shop.ConfigMap.`, SHA-256, base64url.
  expect(applySetId("web", "shop")).toMatch(/^applyset-[\w-]{43}-v1$/);
  expect(applySetId("web", "shop")).not.toBe(applySetId("web", "shop2"));
});
