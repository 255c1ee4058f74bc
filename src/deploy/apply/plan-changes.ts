import pMap from "p-map";
import { applySetId, fieldManager, partOf } from "./applyset.ts";
import { ApiError, isMissing } from "../cluster/client.ts";
import type { Cluster } from "../cluster/client.ts";
import { differences } from "../objects/differences.ts";
import type { Difference } from "../objects/differences.ts";
import type { Resources } from "../cluster/discovery.ts";
import { HelmReleases } from "./helm-releases.ts";
import { hookOf } from "../objects/hook-of.ts";
import { at, listAt, nameOf, textAt } from "../objects/objects.ts";
import type { KubeObject, Manifest } from "../objects/objects.ts";
import { isFoundation } from "../objects/order.ts";
import { hasInOrder } from "../../text/index.ts";
import { refuse } from "../objects/problem.ts";
import type { Environment } from "../objects/request.ts";

/**
 * What a deploy would do with one object. `later`: its namespace or kind is created by this deploy. `hook`: it runs
 * whenever anything else is changed.
 */
export type Action = "create" | "change" | "same" | "recreate" | "later" | "hook";

export interface Change {
  manifest: Manifest;
  path: string;
  action: Action;
  /** UID of the existing object. */
  uid?: string;
  differences: Difference[];
}

/** Reports whether the object is written when the set is applied. */
export const isToApply = ({ action }: Pick<Change, "action">): boolean => action !== "same" && action !== "hook";

/** Annotation that allows an object with immutable changes to be deleted and recreated. */
const recreate = "fastloop.dev/recreate";
const parallel = 8;

/**
 * Returns the manifests as they are applied: with their namespaces, and labelled as members of the app. Throws one
 * refusal for everything that the environment does not allow and all kinds that the cluster does not have.
 */
export function placeManifests(
  manifests: readonly Manifest[],
  resources: Resources,
  { app, namespace, environment }: { app: string; namespace: string; environment: Environment },
): Manifest[] {
  const problems: string[] = [];
  const placed = manifests.map(({ object, place }): Manifest => {
    const resource = resources.of(object);
    const wrong = (text: string): number => problems.push(`${place}: ${nameOf(object)} ${text}`);
    if (resource === undefined) {
      problems.push(`${place}: the cluster has no kind ${object.kind} in ${object.apiVersion}`);
      return { object, place };
    }
    if (!resource.isNamespaced) {
      const isOwn =
        object.kind === "Namespace" && [namespace, ...environment.namespaces].includes(object.metadata.name);
      if (!isOwn && !environment.clusterScoped)
        wrong(
          `is outside of namespaces, where others may be; \`clusterScoped: true\` in ${environment.name} allows it`,
        );
      const { namespace: _none, ...metadata } = object.metadata;
      return { object: { ...object, metadata }, place };
    }
    const target = object.metadata.namespace ?? namespace;
    if (target !== namespace && !environment.namespaces.includes(target))
      wrong(`names the namespace ${target}; \`namespaces\` of ${environment.name} can allow it`);
    const labels = { ...object.metadata.labels, [partOf]: applySetId(app, namespace) };
    return { object: { ...object, metadata: { ...object.metadata, namespace: target, labels } }, place };
  });
  if (problems.length > 0) throw refuse(`${problems.join("\n")}\nnothing was changed`);
  return placed;
}

export interface PlanSettings {
  environment: Environment;
  app: string;
  namespace: string;
  onNotice: (text: string) => void;
}

/**
 * Returns what would become of each object, according to the API server: the result of a dry run of server-side apply,
 * compared with the existing object. Throws one refusal with all objects that the server would refuse.
 */
export async function planChanges(
  cluster: Cluster,
  resources: Resources,
  manifests: readonly Manifest[],
  { environment, app, namespace, onNotice }: PlanSettings,
): Promise<Change[]> {
  const foundations = new Set(
    manifests
      .map(({ object }) => object)
      .filter(isFoundation)
      .map(providedBy),
  );
  const problems: string[] = [];
  const helm = new HelmReleases(cluster);
  const taken = new Set<string>();
  const changes = await pMap(
    manifests,
    async (manifest): Promise<Change | undefined> => {
      const { object, place } = manifest;
      const path = resources.pathOf(object);
      const before = await read(cluster, path);
      const owner = textAt(before, "metadata", "labels", partOf);
      if (owner !== undefined && owner !== applySetId(app, namespace)) {
        problems.push(`${place}: ${nameOf(object)} belongs to another app, or to another tool's ApplySet`);
        return undefined;
      }
      const release = owner === undefined ? await helm.ownerOf(before) : undefined;
      if (release !== undefined && !environment.forceConflicts) {
        problems.push(
          `${place}: ${nameOf(object)} belongs to the Helm release ${release}; \`forceConflicts: true\` in the environment takes it over`,
        );
        return undefined;
      }
      if (release !== undefined) taken.add(release);
      const uid = textAt(before, "metadata", "uid");
      const isHook = hookOf(object) !== undefined;
      // A hook is deleted and recreated, so its existing object does not matter.
      if (isHook && before !== undefined) return { manifest, path, uid, action: "hook", differences: [] };
      try {
        const after = await cluster.apply(path, object, {
          dryRun: true,
          force: environment.forceConflicts,
          manager: fieldManager,
        });
        if (isHook) return { manifest, path, action: "hook", differences: [] };
        if (before === undefined) return { manifest, path, action: "create", differences: differences({}, after) };
        const found = differences(before, after);
        // An apply may change only the manager of a field, and no value.
        return {
          manifest,
          path,
          uid,
          action: found.length === 0 && heldFields(before) === heldFields(after) ? "same" : "change",
          differences: found,
        };
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (isMissing(error) && needsFoundation(object, foundations) && isHook)
          return { manifest, path, action: "hook", differences: [] };
        if (isMissing(error) && needsFoundation(object, foundations))
          return { manifest, path, action: "later", differences: differences({}, object) };
        if (isImmutable(error) && object.metadata.annotations?.[recreate] === "true")
          return { manifest, path, uid, action: "recreate", differences: differences(before, object) };
        problems.push(`${place}: ${nameOf(object)}: ${explain(error, object)}`);
        return undefined;
      }
    },
    { concurrency: parallel },
  );
  if (problems.length > 0) throw refuse(`${problems.toSorted().join("\n")}\nnothing was changed`);
  for (const release of taken) {
    const [name = ""] = release.split(" ");
    onNotice(
      `takes over what the Helm release ${release} has; once it is deployed, have Helm forget it: kubectl delete secret -n ${namespace} -l owner=helm,name=${name}`,
    );
  }
  return changes.filter((change) => change !== undefined);
}

async function read(cluster: Cluster, path: string): Promise<unknown> {
  try {
    return await cluster.get(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Returns the fields that fastloop manages in an object, as a string for comparison. */
const heldFields = (object: unknown): string =>
  JSON.stringify(
    listAt(object, "metadata", "managedFields")
      .filter((entry) => textAt(entry, "manager") === fieldManager && textAt(entry, "operation") === "Apply")
      .map((entry) => at(entry, "fieldsV1")),
  );

/** Returns what a foundation provides: `namespace NAME` or `kind GROUP KIND`. */
const providedBy = (object: KubeObject): string =>
  object.kind === "Namespace"
    ? `namespace ${object.metadata.name}`
    : `kind ${textAt(object, "spec", "group") ?? ""} ${textAt(object, "spec", "names", "kind") ?? ""}`;

const needsFoundation = (object: KubeObject, foundations: ReadonlySet<string>): boolean =>
  foundations.has(`namespace ${object.metadata.namespace ?? ""}`) ||
  foundations.has(`kind ${object.apiVersion.split("/")[0] ?? ""} ${object.kind}`);

const immutable = /field is immutable|may not change once set/i;
const saysImmutable = (message: string): boolean =>
  immutable.test(message) || hasInOrder([message], /updates to /i, / forbidden/i);

/** Reports whether the server refused a change of an immutable field. */
export const isImmutable = (error: ApiError): boolean =>
  error.status === 422 && (saysImmutable(error.message) || error.causes.some(({ message }) => saysImmutable(message)));

/**
 * Describes what the server refused about an object in one line, with fields and managers but without dumping values.
 * For a Secret none of the server's words are repeated, as it quotes the values that it rejects.
 */
export function explain(error: ApiError, { kind }: Pick<KubeObject, "kind">): string {
  const conflicts = error.causes.filter(({ reason }) => reason === "FieldManagerConflict");
  if (conflicts.length > 0) {
    const managers = new Map<string, string[]>();
    for (const { field, message } of conflicts) {
      const manager = /conflict with "([^"]+)"/.exec(message)?.[1] ?? message;
      managers.set(manager, [...(managers.get(manager) ?? []), field]);
    }
    const owners = [...managers].map(([manager, fields]) => `${manager} manages ${fields.join(", ")}`).join("; ");
    return `${owners}; \`forceConflicts: true\` in the environment takes them over`;
  }
  if (isImmutable(error)) {
    const fields = error.causes.filter(({ message }) => immutable.test(message)).map(({ field }) => field);
    const what = fields.length === 0 ? "what you changed" : [...new Set(fields)].join(", ");
    return `${what} can't be changed once it is there; the annotation ${recreate}: "true" has it deleted and made anew`;
  }
  if (kind === "Secret") {
    const fields = [...new Set(error.causes.map(({ field }) => field.split("[", 1)[0]!))].filter(
      (field) => field !== "",
    );
    return `the API server does not take it (${error.reason === "" ? error.status : error.reason})${fields.length === 0 ? "" : `: ${fields.join(", ")}`}`;
  }
  const causes = error.causes.map(({ field, message }) => `${field}: ${firstLine(message)}`);
  return causes.length > 0 ? causes.join("; ") : firstLine(error.message);
}

/** Returns the first line, without the whole objects that the server puts into its messages. */
const firstLine = (message: string): string => {
  // A dump without an end is cut to the end of the text; that alternative also keeps the pattern from rescanning it.
  const whole = /, got &value\.valueUnstructured\{.*?(?:\}(?=$|, |;)|$)/gs;
  const line = (message.split("\\n", 1)[0] ?? "").replaceAll(whole, "");
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
};
