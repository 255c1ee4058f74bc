import * as z from "zod/mini";
import english from "zod/v4/locales/en.js";
import { printable } from "../../text/index.ts";

z.config(english());

/** A name that is a single segment of a URL's path without encoding. */
const pathSegment = z.string().check(
  z.minLength(1),
  z.maxLength(253),
  z.regex(/^[^/%\p{C}]+$/u, "a name without `/`, `%` and control characters"),
  z.refine((name) => name !== "." && name !== "..", "a name that is no path"),
);
const texts = z.record(z.string(), z.string());

/** Fields that every Kubernetes object has. The API server checks all others, as it knows their schema. */
export const objectSchema = z.looseObject({
  apiVersion: z
    .string()
    .check(z.regex(/^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?v[a-z0-9]+$/, "an API version such as apps/v1")),
  kind: z.string().check(z.regex(/^[A-Za-z][A-Za-z0-9]*$/, "a kind such as Deployment")),
  metadata: z.looseObject({
    name: pathSegment,
    namespace: z.optional(pathSegment),
    labels: z.nullish(texts),
    annotations: z.nullish(texts),
  }),
});
export type KubeObject = z.infer<typeof objectSchema>;

/** An object and where it was written, e.g. `deploy/web.yaml:12`. */
export interface Manifest {
  object: KubeObject;
  place: string;
}

/** Returns the group of an API version: `apps` of `apps/v1`, empty for the core's `v1`. */
export const groupOf = (apiVersion: string): string =>
  apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";

/** Returns a kind with its group, `Deployment.apps` or `Service`, as ApplySets and fastloop's messages write it. */
export const groupKind = ({ apiVersion, kind }: Pick<KubeObject, "apiVersion" | "kind">): string => {
  const group = groupOf(apiVersion);
  return group === "" ? kind : `${kind}.${group}`;
};

/** Returns an object's name in messages: `Deployment/web`. */
export const nameOf = (object: KubeObject): string => printable(`${object.kind}/${object.metadata.name}`);

/** Returns a key that identifies an object, whatever version of its kind it is written in. */
export const identityOf = (object: KubeObject): string =>
  `${groupKind(object)} ${object.metadata.namespace ?? ""} ${object.metadata.name}`;

/** Returns the value at a path of keys; undefined when any of them is missing. */
export function at(value: unknown, ...keys: (string | number)[]): unknown {
  let found = value;
  for (const key of keys) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string | number, unknown>)[key];
  }
  return found;
}

/**
 * Returns the text (below: number, list) at a path of an unchecked object; undefined (an empty list) for any other
 * type.
 */
export const textAt = (value: unknown, ...keys: (string | number)[]): string | undefined => {
  const found = at(value, ...keys);
  return typeof found === "string" ? found : undefined;
};
export const numberAt = (value: unknown, ...keys: (string | number)[]): number | undefined => {
  const found = at(value, ...keys);
  return typeof found === "number" ? found : undefined;
};
export const listAt = (value: unknown, ...keys: (string | number)[]): unknown[] => {
  const found = at(value, ...keys);
  return Array.isArray(found) ? found : [];
};

/** Returns a condition of an object's status by type. */
export const conditionOf = (object: unknown, type: string): unknown =>
  listAt(object, "status", "conditions").find((condition) => textAt(condition, "type") === type);

/** Reports whether the controller has seen the latest generation of an object. */
export const isObserved = (object: unknown): boolean => {
  const generation = numberAt(object, "metadata", "generation");
  const observed = numberAt(object, "status", "observedGeneration");
  return at(object, "status") !== undefined && (generation === undefined || (observed ?? 0) >= generation);
};
