// What becomes of a deploy when something changes between its look at the cluster and its writes, on a real API server, and in the unit suite on a small one.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Cluster } from "../../src/deploy/cluster/client.ts";
import { deployApp } from "../../src/deploy/deploy-app.ts";
import { takeLease } from "../../src/deploy/lease.ts";
import { textAt } from "../../src/deploy/objects/objects.ts";
import { createRelease, setOutcome } from "../../src/deploy/releases.ts";
import { openSession, plan, readState } from "../../src/deploy/session.ts";
import { configMap, requestOf } from "./deployer.ts";
import { ask, isSmall, noWorld, startWorld, type World } from "./world.ts";

if (noWorld !== undefined) console.warn(`skipped: ${noWorld}`);

describe.skipIf(noWorld !== undefined)("a deploy, and what happens meanwhile", () => {
  let cluster: World;
  let client: Cluster;
  let count = 0;

  beforeAll(async () => {
    cluster = await startWorld();
    client = cluster.client();
  });
  afterAll(() => {
    client?.close();
    cluster?.stop();
  });

  async function newNamespace(): Promise<string> {
    const name = `meanwhile-${++count}`;
    await client.request("POST", "/api/v1/namespaces", {
      body: { apiVersion: "v1", kind: "Namespace", metadata: { name } },
    });
    return name;
  }

  test.each(["was killed", "failed"] as const)(
    "what another deploy wrote after the look, before it %s, is seen under the lease",
    async (end) => {
      const namespace = await newNamespace();
      const asked = { environment: { namespace }, apps: { web: configMap("a", "1") } };
      expect((await ask(cluster.kubeconfig(), asked)).code).toBe(0);
      const path = `/api/v1/namespaces/${namespace}/configmaps/a`;
      const request = requestOf(asked);
      const session = await openSession(request, cluster.kubeconfig(), () => {});
      try {
        const [first] = (await readState(session, "web")).releases;
        if (first === undefined) throw new Error("there is a release");
        // The other one has begun, and writes its object only after our look.
        const other = { ...first.record, release: 2 };
        await createRelease(client, namespace, other);
        const [app] = request.apps;
        if (app === undefined) throw new Error("there is an app");
        const state = await readState(session, "web");
        const changes = await plan(session, app);
        expect(changes.map(({ action }) => action)).toEqual(["same"]);
        await client.request("PATCH", path, {
          contentType: "application/merge-patch+json",
          query: { fieldManager: "fastloop" },
          body: { data: { key: "2" } },
        });
        if (end === "failed") await setOutcome(client, namespace, other, "failed");
        const result = await deployApp(
          { ...session, environment: { ...session.environment, forceConflicts: true } },
          changes,
          state,
          { by: "me" },
        );
        expect(result).toMatchObject({ release: 3, changed: ["ConfigMap/a"] });
        expect(textAt(await client.get(path), "data", "key")).toBe("1");
      } finally {
        session.cluster.close();
      }
    },
  );

  test.skipIf(isSmall)(
    "a lease that nothing renewed for longer than it lasts is not held, though nobody took it",
    async () => {
      const namespace = await newNamespace();
      const lease = await takeLease(client, "web", namespace, () => {});
      try {
        lease.check();
        // This process stands still, as in a suspended machine.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 15_500);
        expect(() => lease.check()).toThrow("the lease of web ran out");
      } finally {
        await lease.release();
      }
    },
  );
});
