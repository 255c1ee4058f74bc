import pMap from "p-map";
import { printable } from "../../text/index.ts";
import { isMissing } from "./client.ts";
import type { Cluster } from "./client.ts";
import { at, groupOf, listAt, nameOf, textAt } from "../objects/objects.ts";
import type { KubeObject, Manifest } from "../objects/objects.ts";

/** How a kind is named in the API's paths. */
export interface Resource {
  apiVersion: string;
  kind: string;
  /** Such as `deployments`. */
  plural: string;
  isNamespaced: boolean;
}

/** Kinds that the server serves, for the API versions that were asked for. */
export class Resources {
  readonly #known = new Map<string, Resource>();
  readonly #preferred = new Map<string, string>();
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Asks the server for the API versions of kinds that are not known yet. A version that it does not serve has none. */
  async learn(kinds: readonly Pick<KubeObject, "apiVersion" | "kind">[]): Promise<void> {
    const unknown = kinds.filter((each) => this.of(each) === undefined);
    await pMap(
      new Set(unknown.map(({ apiVersion }) => apiVersion)),
      async (apiVersion) => {
        try {
          const answer = await this.#cluster.get(versionPath(apiVersion));
          for (const resource of listAt(answer, "resources")) this.#add(apiVersion, resource);
        } catch (error) {
          if (!isMissing(error)) throw error;
        }
      },
      { concurrency: 8 },
    );
  }

  /** Adds the kinds that custom resource definitions among the manifests will provide. */
  learnFrom(manifests: readonly Manifest[]): void {
    for (const { object } of manifests) {
      if (object.kind !== "CustomResourceDefinition") continue;
      const [group, kind, plural] = [
        textAt(object, "spec", "group"),
        textAt(object, "spec", "names", "kind"),
        textAt(object, "spec", "names", "plural"),
      ];
      if (group === undefined || kind === undefined || plural === undefined) continue;
      for (const version of listAt(object, "spec", "versions")) {
        const apiVersion = `${group}/${textAt(version, "name") ?? ""}`;
        const key = `${apiVersion} ${kind}`;
        const isNamespaced = textAt(object, "spec", "scope") !== "Cluster";
        if (!this.#known.has(key)) this.#known.set(key, { apiVersion, kind, plural, isNamespaced });
      }
    }
  }

  of({ apiVersion, kind }: Pick<KubeObject, "apiVersion" | "kind">): Resource | undefined {
    return this.#known.get(`${apiVersion} ${kind}`);
  }

  /** Returns a kind of a group, in any known version. */
  ofGroupKind(kind: string, group: string): Resource | undefined {
    return [...this.#known.values()].find((each) => each.kind === kind && groupOf(each.apiVersion) === group);
  }

  /** Returns the server's preferred version of a group; undefined when it does not serve the group. */
  async preferredVersion(group: string): Promise<string | undefined> {
    if (group === "") return "v1";
    const known = this.#preferred.get(group);
    if (known !== undefined) return known;
    try {
      const answer = await this.#cluster.get(`/apis/${encodeURIComponent(group)}`);
      const version = textAt(answer, "preferredVersion", "groupVersion");
      if (version !== undefined) this.#preferred.set(group, version);
      return version;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Returns the API path of an object. Throws when its kind is unknown. */
  pathOf(object: KubeObject): string {
    const resource = this.of(object);
    if (resource === undefined) throw new Error(`${nameOf(object)}: unknown kind`);
    return `${collectionPath(resource, object.metadata.namespace)}/${encodeURIComponent(object.metadata.name)}`;
  }

  #add(apiVersion: string, resource: unknown): void {
    const [plural, kind] = [textAt(resource, "name"), textAt(resource, "kind")];
    // `deployments/scale` and the like are subresources.
    if (plural === undefined || kind === undefined || plural.includes("/")) return;
    this.#known.set(`${apiVersion} ${kind}`, {
      apiVersion,
      kind,
      plural,
      isNamespaced: at(resource, "namespaced") === true,
    });
  }
}

/** Returns `/api/v1` or `/apis/apps/v1`. */
export const versionPath = (apiVersion: string): string =>
  apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;

/** Returns the path of all objects of a kind, limited to one namespace if the kind is namespaced. */
export const collectionPath = (
  { apiVersion, plural, isNamespaced }: Resource,
  namespace: string | undefined,
): string => {
  const inside = isNamespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${versionPath(apiVersion)}${inside}/${encodeURIComponent(plural)}`;
};

/** Returns a message, with its place, for each manifest of a kind that the server does not have. */
export const unknownKinds = (manifests: readonly Manifest[], resources: Resources): string[] =>
  manifests
    .filter(({ object }) => resources.of(object) === undefined)
    .map(({ object, place }) => `${printable(place)}: the cluster has no kind ${object.kind} in ${object.apiVersion}`);
