/** Objects as the small API server keeps them: fields, and who holds each (server-side apply, KEP 555). */
import { createHash, randomUUID } from "node:crypto";

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: Record<string, unknown> & { name: string; namespace?: string; uid: string; resourceVersion: string };
  [field: string]: unknown;
}

/** Path of a leaf, as JSON, and its value. Items of a list that have names are told apart by these. */
type Leaves = Map<string, unknown>;

export interface Stored {
  object: KubeObject;
  /** Leaves that each manager holds, by `MANAGER OPERATION`. */
  held: Map<string, Set<string>>;
  /** When its spec was changed last, in ms of `performance.now()`. */
  changedMs: number;
}

export interface Cause {
  reason: string;
  field: string;
  message: string;
}

/** What the API server refuses, as it says it. */
export class Refusal extends Error {
  readonly status: number;
  readonly reason: string;
  readonly causes: readonly Cause[];

  constructor(status: number, reason: string, message: string, causes: readonly Cause[] = []) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.causes = causes;
  }
}

/** What the server itself writes into metadata. */
const own = ["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "name", "namespace"];

let version = 0;

function leavesOf(value: unknown, path: readonly unknown[] = [], found: Leaves = new Map()): Leaves {
  if (Array.isArray(value) && value.length > 0 && value.every((item) => nameOf(item) !== undefined)) {
    for (const item of value) leavesOf(item, [...path, { name: nameOf(item) }], found);
  } else if (typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0) {
    for (const [key, inner] of Object.entries(value)) leavesOf(inner, [...path, key], found);
  } else if (value !== undefined && value !== null) found.set(JSON.stringify(path), value);
  return found;
}

const nameOf = (item: unknown): unknown =>
  typeof item === "object" && item !== null ? (item as { name?: unknown }).name : undefined;

function fromLeaves(leaves: Leaves): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [key, value] of leaves) {
    const path = JSON.parse(key) as (string | { name: string })[];
    let at: Record<string, unknown> | Record<string, unknown>[] = root;
    for (const [index, step] of path.entries()) {
      if (typeof step === "object") {
        const list = at as unknown as Record<string, unknown>[];
        let item = list.find(({ name }) => name === step.name);
        if (item === undefined) list.push((item = {}));
        at = item;
        continue;
      }
      const object = at;
      if (index === path.length - 1) object[step] = value;
      else object[step] ??= typeof path[index + 1] === "object" ? [] : {};
      at = object[step] as Record<string, unknown>;
    }
  }
  return root;
}

/** The fields that managers hold; what the server writes itself is nobody's. */
function fieldsOf({ apiVersion: _apiVersion, kind: _kind, metadata, status: _status, ...rest }: KubeObject): Leaves {
  const told = Object.fromEntries(Object.entries(metadata).filter(([key]) => !own.includes(key)));
  const secret = rest as { stringData?: Record<string, string>; data?: Record<string, string> };
  if (secret.stringData !== undefined) {
    const packed = Object.entries(secret.stringData).map(([key, text]) => [key, Buffer.from(text).toString("base64")]);
    secret.data = { ...secret.data, ...(Object.fromEntries(packed) as Record<string, string>) };
    delete secret.stringData;
  }
  return leavesOf({ metadata: told, ...rest });
}

/** `.spec.template.spec.containers[name="main"].image`. */
const pathText = (key: string): string =>
  (JSON.parse(key) as (string | { name: string })[])
    .map((step) => (typeof step === "string" ? `.${step}` : `[name="${step.name}"]`))
    .join("");

/** The object after a manager applied its fields; `before` is not changed. Refuses fields of others that differ. */
export function applied(before: Stored | undefined, wanted: KubeObject, manager: string, force: boolean): Stored {
  const fields = fieldsOf(structuredClone(wanted));
  const held = new Map([...(before?.held ?? [])].map(([who, paths]) => [who, new Set(paths)]));
  const leaves = before === undefined ? new Map<string, unknown>() : fieldsOf(structuredClone(before.object));
  const mine = `${manager} Apply`;
  const conflicts: Cause[] = [];
  for (const [key, value] of fields) {
    if (!leaves.has(key) || JSON.stringify(leaves.get(key)) === JSON.stringify(value)) continue;
    for (const [who, paths] of held) {
      if (who === mine || !paths.has(key)) continue;
      const message = `conflict with "${who.split(" ")[0]}" using ${wanted.apiVersion}`;
      if (force) paths.delete(key);
      else conflicts.push({ reason: "FieldManagerConflict", field: pathText(key), message });
    }
  }
  if (conflicts.length > 0)
    throw new Refusal(409, "Conflict", `Apply failed with ${conflicts.length} conflicts`, conflicts);
  for (const key of held.get(mine) ?? []) {
    const isOthers = [...held].some(([who, paths]) => who !== mine && paths.has(key));
    if (!fields.has(key) && !isOthers) leaves.delete(key);
  }
  for (const [key, value] of fields) leaves.set(key, value);
  held.set(mine, new Set(fields.keys()));
  return stored(before, wanted, leaves, held);
}

/** The object after somebody wrote it as a whole or, by a merge patch, in part. */
export function written(before: Stored | undefined, wanted: KubeObject, manager: string): Stored {
  const [old, leaves] = [before === undefined ? new Map() : fieldsOf(structuredClone(before.object)), fieldsOf(wanted)];
  const held = new Map([...(before?.held ?? [])].map(([who, paths]) => [who, new Set(paths)]));
  const mine = `${manager} Update`;
  const changed = [...leaves].filter(([key, value]) => JSON.stringify(old.get(key)) !== JSON.stringify(value));
  for (const [who, paths] of held) if (who !== mine) for (const [key] of changed) paths.delete(key);
  held.set(mine, new Set([...(held.get(mine) ?? []), ...changed.map(([key]) => key)]));
  return stored(before, wanted, leaves, held);
}

function stored(
  before: Stored | undefined,
  { apiVersion, kind, metadata: { name, namespace }, status }: KubeObject,
  leaves: Leaves,
  held: Map<string, Set<string>>,
): Stored {
  const fields = fromLeaves(leaves) as { metadata?: Record<string, unknown>; spec?: unknown };
  const managedFields = [...held]
    .filter(([, paths]) => paths.size > 0)
    .map(([who, paths]) => {
      const [manager, operation] = who.split(" ");
      const digest = createHash("sha256")
        .update([...paths].toSorted().join())
        .digest("hex");
      return { manager, operation, apiVersion, fieldsType: "FieldsV1", fieldsV1: { digest } };
    });
  const isSame = JSON.stringify(before?.object["spec"]) === JSON.stringify(fields.spec);
  const generation = Number(before?.object.metadata["generation"] ?? 0) + (isSame && before !== undefined ? 0 : 1);
  const object: KubeObject = {
    apiVersion,
    kind,
    ...fields,
    metadata: {
      ...fields.metadata,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid: before?.object.metadata.uid ?? randomUUID(),
      resourceVersion: String(++version),
      generation,
      managedFields,
    },
    ...((status ?? before?.object["status"]) === undefined ? {} : { status: status ?? before?.object["status"] }),
  };
  const isUnchanged =
    before !== undefined &&
    text(before.object) === text(object) &&
    JSON.stringify(before.object["status"]) === JSON.stringify(object["status"]);
  if (isUnchanged) return before;
  return { object, held, changedMs: isSame && before !== undefined ? before.changedMs : performance.now() };
}

/** An object less what each write changes. */
const text = ({ metadata: { resourceVersion: _version, ...metadata }, status: _status, ...rest }: KubeObject): string =>
  JSON.stringify([rest, metadata]);
