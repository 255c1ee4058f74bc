/** The kinds that the small API server serves, who may do what with them, and what selects them. */
import { at, listAt, textAt } from "../../src/deploy/objects/objects.ts";
import { Refusal, type KubeObject, type Stored } from "./small-objects.ts";

export interface Kind {
  apiVersion: string;
  kind: string;
  plural: string;
  namespaced: boolean;
  /** Refuses what is not of the kind's schema, or may not become of the object that is there. */
  check?: (wanted: KubeObject, before: KubeObject | undefined) => void;
}

export const group = (apiVersion: string): string => (apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "");

const kind = (apiVersion: string, name: string, check?: Kind["check"], namespaced = true): Kind => ({
  apiVersion,
  kind: name,
  plural: `${name.toLowerCase()}s`,
  namespaced,
  ...(check === undefined ? {} : { check }),
});

const deploymentFields = new Set(["replicas", "selector", "template", "progressDeadlineSeconds", "paused", "strategy"]);

function checkDeployment({ spec }: KubeObject, before: KubeObject | undefined): void {
  const unknown = Object.keys(spec as object).find((key) => !deploymentFields.has(key));
  const message = `failed to create typed patch object: .spec.${unknown}: field not declared in schema`;
  if (unknown !== undefined) throw new Refusal(500, "InternalError", message);
  const [was, is] = [at(before, "spec", "selector"), at(spec, "selector")];
  if (was === undefined || is === undefined || JSON.stringify(was) === JSON.stringify(is)) return;
  const cause = 'Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"app":"x"}}: field is immutable';
  throw new Refusal(422, "Invalid", `Deployment is invalid: spec.selector: ${cause}`, [
    { reason: "FieldValueInvalid", field: "spec.selector", message: cause },
  ]);
}

function checkSecret({ type, stringData }: KubeObject): void {
  if (type === undefined || typeof type === "string") return;
  const quoted = JSON.stringify({ type, stringData });
  throw new Refusal(400, "BadRequest", `Secret in version "v1" cannot be handled: json: cannot unmarshal ${quoted}`);
}

const rbac = "rbac.authorization.k8s.io/v1";
export const builtIn: Readonly<Record<string, Kind>> = Object.fromEntries(
  [
    kind("v1", "Namespace", undefined, false),
    kind("v1", "ConfigMap"),
    kind("v1", "Secret", checkSecret),
    kind("v1", "Service"),
    kind("v1", "Pod"),
    kind("v1", "Event"),
    kind("v1", "PersistentVolumeClaim"),
    kind("v1", "ResourceQuota"),
    kind("apps/v1", "Deployment", checkDeployment),
    kind("apps/v1", "ReplicaSet"),
    kind("apps/v1", "StatefulSet"),
    kind("apps/v1", "DaemonSet"),
    kind("apps/v1", "ControllerRevision"),
    kind("batch/v1", "Job"),
    kind("batch/v1", "CronJob"),
    kind("coordination.k8s.io/v1", "Lease"),
    kind("apiextensions.k8s.io/v1", "CustomResourceDefinition", undefined, false),
    kind(rbac, "Role"),
    kind(rbac, "RoleBinding"),
  ].map((each) => [each.kind, each]),
);

/** Whether a user may do this: the admin everything, another one what a role bound in the namespace allows. */
export function isAllowed(
  objects: ReadonlyMap<string, Stored>,
  user: string,
  verb: string,
  ofGroup: string,
  plural: string,
  namespace: string | undefined,
): boolean {
  if (user === "admin") return true;
  if (!objects.has(`rolebindings ${namespace}/deployer`)) return false;
  const covers = (list: unknown[], word: string): boolean => list.includes("*") || list.includes(word);
  return listAt(objects.get(`roles ${namespace}/deployer`)?.object, "rules").some(
    (rule) =>
      covers(listAt(rule, "apiGroups"), ofGroup) &&
      covers(listAt(rule, "resources"), plural) &&
      covers(listAt(rule, "verbs"), verb),
  );
}

/** Whether an object has the labels and the fields that a query asks for. */
export function selects(query: URLSearchParams, object: KubeObject): boolean {
  const pairs = (name: string): string[][] =>
    (query.get(name) ?? "").split(",").flatMap((pair) => (pair === "" ? [] : [pair.split("=")]));
  return (
    pairs("labelSelector").every(([key = "", value]) => textAt(object, "metadata", "labels", key) === value) &&
    pairs("fieldSelector").every(([key = "", value]) => textAt(object, ...key.split(".")) === value)
  );
}
