import { printable } from "../../text/index.ts";
import { ApiError, listAll } from "../cluster/client.ts";
import type { Cluster } from "../cluster/client.ts";
import { textAt } from "../objects/objects.ts";

/**
 * Releases that `helm install` made. fastloop applies charts without such a release, so objects of one belong to Helm
 * until the user has them taken over. A release that a killed helm left pending is taken over like any other.
 */
export class HelmReleases {
  readonly #cluster: Cluster;
  readonly #states = new Map<string, Promise<string>>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Returns the release that owns an object, `web (revision 6, pending-upgrade)`; undefined when there is none. */
  async ownerOf(object: unknown): Promise<string | undefined> {
    const annotation = (key: string): string | undefined => textAt(object, "metadata", "annotations", key);
    const name = annotation("meta.helm.sh/release-name");
    if (name === undefined || textAt(object, "metadata", "labels", "app.kubernetes.io/managed-by") !== "Helm")
      return undefined;
    const namespace = annotation("meta.helm.sh/release-namespace") ?? textAt(object, "metadata", "namespace") ?? "";
    const key = `${namespace}/${name}`;
    const state = this.#states.get(key) ?? this.#stateOf(name, namespace);
    this.#states.set(key, state);
    return `${printable(name)} (${await state})`;
  }

  async #stateOf(name: string, namespace: string): Promise<string> {
    // Letters, digits, dots and dashes are what a label's value may have; other characters would change the query.
    if (!/^[\w.-]+$/.test(name)) return "no release that can be read";
    try {
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
      const records = await listAll(this.#cluster, path, { labelSelector: `owner=helm,name=${name}` });
      const label = (record: unknown, key: string): string => textAt(record, "metadata", "labels", key) ?? "";
      const [last] = records.toSorted((a, b) => Number(label(b, "version")) - Number(label(a, "version")));
      if (last === undefined) return "its records are gone";
      return printable(`revision ${label(last, "version")}, ${label(last, "status")}`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return "its records can't be read";
    }
  }
}
