import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { printable } from "../text/index.ts";
import { parentName } from "./apply/applyset.ts";
import { isConflict, isMissing } from "./cluster/client.ts";
import type { Cluster } from "./cluster/client.ts";
import { numberAt, textAt } from "./objects/objects.ts";
import { DeployError } from "./objects/problem.ts";

const durationS = 15;
const renewEveryMs = 4000;

/** Held while an app is deployed, so that no other deploy of it, from any machine, runs at the same time. */
export interface Lease {
  /**
   * Throws when the lease was lost or has expired, as another deploy may be writing. Called before each group of
   * writes.
   */
  check: () => void;
  release: () => Promise<void>;
}

/**
 * Takes the lease of an app. When another holder has it, waits for the lease's duration: if the holder renews it in
 * that time, the holder is alive and this deploy is refused (throws a `DeployError`). Clocks of different machines are
 * never compared.
 */
export async function takeLease(
  cluster: Cluster,
  app: string,
  namespace: string,
  onLine: (text: string) => void,
): Promise<Lease> {
  const holder = `fastloop-${randomUUID()}`;
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
  const path = `${collection}/${parentName(app)}`;
  const body = (resourceVersion?: string, isHeld = true) => ({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name: parentName(app), namespace, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    spec: isHeld
      ? {
          holderIdentity: holder,
          leaseDurationSeconds: durationS,
          renewTime: new Date().toISOString().replace("Z", "000Z"),
        }
      : {},
  });

  /** Writes the lease with this holder; returns false when another writer was first. */
  const write = async (found: unknown): Promise<boolean> => {
    try {
      if (found === undefined) await cluster.request("POST", collection, { body: body() });
      else await cluster.request("PUT", path, { body: body(textAt(found, "metadata", "resourceVersion")) });
      return true;
    } catch (error) {
      if (isConflict(error) || (found !== undefined && isMissing(error))) return false;
      throw error;
    }
  };
  const read = async (): Promise<unknown> => {
    try {
      return await cluster.get(path);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  };

  let takenMs = performance.now();
  let seen: { renewed: string | undefined; sinceMs: number } | undefined;
  for (;;) {
    const found = await read();
    const by = textAt(found, "spec", "holderIdentity") ?? "";
    const renewed = textAt(found, "spec", "renewTime");
    if (by === holder) break;
    const waitMs = (numberAt(found, "spec", "leaseDurationSeconds") ?? durationS) * 1000 + 1000;
    const isDead = seen !== undefined && performance.now() - seen.sinceMs >= Math.min(waitMs, 60_000);
    if (by === "" || isDead) {
      takenMs = performance.now();
      if (await write(found)) break;
      seen = undefined;
      continue;
    }
    if (seen !== undefined && seen.renewed !== renewed)
      throw new DeployError("refused", `${app} is being deployed by somebody else right now; nothing was changed`);
    if (seen === undefined)
      onLine(`${printable(app)}: another deploy holds the lease; waiting to see whether it lives`);
    seen ??= { renewed, sinceMs: performance.now() };
    await sleep(1000);
  }

  let isLost = false;
  // Measured from before the request: the time that others wait starts when the server has the request.
  let renewedMs = takenMs;
  const isOver = (): boolean => performance.now() - renewedMs > durationS * 1000;
  let renewing: Promise<void> = Promise.resolve();
  const renew = async (): Promise<void> => {
    try {
      const found = await read();
      const startedMs = performance.now();
      if (textAt(found, "spec", "holderIdentity") === holder && (await write(found))) renewedMs = startedMs;
      else isLost = true;
    } catch {
      // The server does not answer; whether the lease still holds is checked when it does.
    }
  };
  const timer = setInterval(() => {
    renewing = renewing.then(renew);
  }, renewEveryMs);
  return {
    check: () => {
      if (isLost) throw new DeployError("failed", `another deploy took over ${app}; this one stops`);
      if (isOver())
        throw new DeployError(
          "failed",
          `the lease of ${app} ran out, as the API server or this machine stood still: another deploy may have begun; this one stops`,
        );
    },
    release: async () => {
      clearInterval(timer);
      await renewing;
      if (isLost || isOver()) return;
      try {
        const found = await read();
        if (textAt(found, "spec", "holderIdentity") !== holder) return;
        await cluster.request("PUT", path, { body: body(textAt(found, "metadata", "resourceVersion"), false) });
      } catch {
        // The lease expires by itself; the error to report is that of the deploy.
      }
    },
  };
}
