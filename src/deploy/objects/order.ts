import type { KubeObject } from "./objects.ts";

/**
 * In this order objects are applied, and the other way round they are deleted: what others stand in first, then what
 * they read, then what sends them work, then what runs, at last what judges the rest at its arrival.
 */
const phases: readonly (readonly string[])[] = [
  ["Namespace"],
  ["CustomResourceDefinition"],
  ["PriorityClass", "StorageClass", "RuntimeClass", "IngressClass", "NetworkPolicy", "ResourceQuota", "LimitRange"],
  ["ServiceAccount", "ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding"],
  ["Secret", "ConfigMap", "PersistentVolume", "PersistentVolumeClaim", "PodDisruptionBudget"],
  ["Service"],
  // Everything that has no place of its own, custom resources too.
  [],
  ["HorizontalPodAutoscaler", "Ingress", "HTTPRoute", "APIService"],
  ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicyBinding"],
];
const anything = phases.findIndex((kinds) => kinds.length === 0);

/** The phase of an object: a small number is applied first. */
export const phaseOf = ({ kind }: Pick<KubeObject, "kind">): number => {
  const found = phases.findIndex((kinds) => kinds.includes(kind));
  return found < 0 ? anything : found;
};

/** Groups of objects of one phase, the first phase first; in each the order stays. */
export function inPhases<T>(items: readonly T[], objectOf: (item: T) => Pick<KubeObject, "kind">): T[][] {
  return phases
    .map((_, phase) => items.filter((item) => phaseOf(objectOf(item)) === phase))
    .filter((group) => group.length > 0);
}

/** Must be there, and settled, before what comes after can even be checked. */
export const isFoundation = ({ kind }: Pick<KubeObject, "kind">): boolean =>
  kind === "Namespace" || kind === "CustomResourceDefinition";
