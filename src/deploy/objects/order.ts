import type { KubeObject } from "./objects.ts";

/**
 * Order of applying; deletion goes in reverse. First what others are in, then what they read, what sends them work, and
 * what runs; last what checks other objects when they are created.
 */
const phases: readonly (readonly string[])[] = [
  ["Namespace"],
  ["CustomResourceDefinition"],
  ["PriorityClass", "StorageClass", "RuntimeClass", "IngressClass", "NetworkPolicy", "ResourceQuota", "LimitRange"],
  ["ServiceAccount", "ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding"],
  ["Secret", "ConfigMap", "PersistentVolume", "PersistentVolumeClaim", "PodDisruptionBudget"],
  ["Service"],
  // Everything else, including custom resources.
  [],
  ["HorizontalPodAutoscaler", "Ingress", "HTTPRoute", "APIService"],
  ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicyBinding"],
];
const anything = phases.findIndex((kinds) => kinds.length === 0);

/** Returns the index of an object's phase; lower phases are applied first. */
export const phaseOf = ({ kind }: Pick<KubeObject, "kind">): number => {
  const found = phases.findIndex((kinds) => kinds.includes(kind));
  return found < 0 ? anything : found;
};

/** Groups objects by phase, first phase first. Within a group the order is kept. */
export function inPhases<T>(items: readonly T[], objectOf: (item: T) => Pick<KubeObject, "kind">): T[][] {
  return phases
    .map((_, phase) => items.filter((item) => phaseOf(objectOf(item)) === phase))
    .filter((group) => group.length > 0);
}

/** Reports whether an object must exist and be settled before objects that depend on it can even be checked. */
export const isFoundation = ({ kind }: Pick<KubeObject, "kind">): boolean =>
  kind === "Namespace" || kind === "CustomResourceDefinition";
