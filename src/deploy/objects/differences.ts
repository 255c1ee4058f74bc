import { printable } from "../../text/index.ts";
import { at } from "./objects.ts";

/** A field that differs; a side is undefined when it lacks the field. */
export interface Difference {
  path: string;
  before: unknown;
  after: unknown;
}

/** Metadata that the API server writes itself. */
const volatile = ["managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink"];
/** Labels and annotations that fastloop writes at each deploy. */
const ours = /^(applyset\.kubernetes\.io|fastloop\.dev)\//;
/** Copy of the whole object that a client-side `kubectl apply` writes; of a Secret it includes the data. */
const wholeObject = "kubectl.kubernetes.io/last-applied-configuration";
/** Fields of a Secret that hold values, or copies that other tools keep of the object. */
const secretPlaces = /^(data|stringData|metadata\.annotations)\b/;

/** Returns the fields in which two states of an object differ, in the order of the fields. `status` is not compared. */
export function differences(before: unknown, after: unknown): Difference[] {
  const found: Difference[] = [];
  compare(stripped(before), stripped(after), "", found);
  return found;
}

/**
 * Formats differences as lines such as `- spec.replicas: 2` and `+ spec.replicas: 3`. Values and annotations of a
 * Secret are never shown.
 */
export function differenceLines(kind: string, list: readonly Difference[]): string[] {
  return list.flatMap(({ path, before, after }) => {
    const isSecret = kind === "Secret" && secretPlaces.test(path);
    const line = (sign: string, value: unknown): string[] =>
      value === undefined ? [] : [`${sign} ${printable(path)}: ${isSecret ? "(secret)" : shown(value)}`];
    return [...line("-", before), ...line("+", after)];
  });
}

function shown(value: unknown): string {
  const text = printable(typeof value === "string" ? value : JSON.stringify(value));
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

function stripped(object: unknown): unknown {
  if (typeof object !== "object" || object === null) return object;
  const { status: _status, ...rest } = object as Record<string, unknown>;
  const metadata = { ...(at(rest, "metadata") as Record<string, unknown> | undefined) };
  for (const key of volatile) delete metadata[key];
  for (const key of ["labels", "annotations"]) {
    const kept = Object.entries(metadata[key] ?? {}).filter(([name]) => !ours.test(name) && name !== wholeObject);
    metadata[key] = kept.length === 0 ? undefined : Object.fromEntries(kept);
  }
  return { ...rest, metadata };
}

function compare(before: unknown, after: unknown, path: string, found: Difference[]): void {
  if (Object.is(before, after)) return;
  if (isPlain(before) && isPlain(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      compare(at(before, key), at(after, key), joined(path, key), found);
    }
  } else if (Array.isArray(before) && Array.isArray(after)) {
    for (let index = 0; index < Math.max(before.length, after.length); index++) {
      compare(before[index], after[index], `${path}[${index}]`, found);
    }
  } else found.push({ path, before, after });
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const joined = (path: string, key: string): string =>
  path === "" ? key : /^[\w-]+$/.test(key) ? `${path}.${key}` : `${path}["${key}"]`;
