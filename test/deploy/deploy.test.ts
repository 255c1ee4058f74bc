// What `deploy` promises, on a real API server, and in the unit suite on a small one. The groups of complaints are those that users of other tools have
// (docs/deploy.md); each has its tests under its name.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applySetId } from "../../src/deploy/apply/applyset.ts";
import type { Cluster } from "../../src/deploy/cluster/client.ts";
import { at, listAt, textAt } from "../../src/deploy/objects/objects.ts";
import { configMap, deployment, start } from "./deployer.ts";
import type { Asked, Ended } from "./deployer.ts";
import { ask, isSmall, noWorld, startAsked, startWorld, type World } from "./world.ts";

if (noWorld !== undefined) console.warn(`skipped: ${noWorld}`);

// Most of their time they wait for pods, leases and deadlines: side by side, each in a namespace of its own.
describe.skipIf(noWorld !== undefined)("deploy, on a Kubernetes API server", { concurrent: true }, () => {
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

  /** A namespace of its own for each test. */
  async function newNamespace(): Promise<string> {
    const name = `test-${++count}`;
    await client.request("POST", "/api/v1/namespaces", {
      body: { apiVersion: "v1", kind: "Namespace", metadata: { name } },
    });
    return name;
  }
  /** Asks as the admin, in this namespace. */
  const asAdmin = (namespace: string, { environment, ...asked }: Asked): Promise<Ended> =>
    ask(cluster.kubeconfig(), { ...asked, environment: { namespace, ...environment } });
  async function deployed(namespace: string, asked: Asked): Promise<string> {
    const ended = await asAdmin(namespace, asked);
    expect(ended.code, `${ended.stdout}\n${ended.stderr}`).toBe(0);
    return ended.stdout;
  }
  const get = (namespace: string, plural: string, name: string, group = "api/v1"): Promise<unknown> =>
    client.get(`/${group}/namespaces/${namespace}/${plural}/${name}`);
  const getDeployment = (namespace: string, name: string): Promise<unknown> =>
    get(namespace, "deployments", name, "apis/apps/v1");
  const names = async (namespace: string, plural: string, group = "api/v1"): Promise<string[]> =>
    listAt(await client.get(`/${group}/namespaces/${namespace}/${plural}`), "items").map(
      (item) => textAt(item, "metadata", "name") ?? "",
    );
  const imageOf = (object: unknown): string | undefined =>
    textAt(object, "spec", "template", "spec", "containers", 0, "image");
  const podUids = async (namespace: string): Promise<string[]> =>
    listAt(await client.get(`/api/v1/namespaces/${namespace}/pods`), "items")
      .map((pod) => textAt(pod, "metadata", "uid") ?? "")
      .toSorted();
  const identity = async (): Promise<string> =>
    textAt(await client.get("/api/v1/namespaces/kube-system"), "metadata", "uid") ?? "";

  describe("complaint 1: the current context is a default", () => {
    test("a current context that nobody named is refused before a request", async () => {
      const { code, stdout } = await ask(cluster.kubeconfig({ context: "somewhere" }), {
        environment: { context: undefined, namespace: "default" },
        apps: { web: configMap("a", "1") },
      });
      expect({ code, stdout }).toMatchObject({
        code: 2,
        stdout: expect.stringContaining("the current context somewhere is no cluster of this machine") as string,
      });
    });

    test("a cluster of one's own machine needs no name", async () => {
      const namespace = await newNamespace();
      const { code, stderr } = await ask(cluster.kubeconfig({ context: "kind-shop" }), {
        environment: { context: undefined, namespace },
        apps: { web: configMap("a", "1") },
      });
      expect(code, stderr).toBe(0);
    });

    test("--context that is not the environment's is refused", async () => {
      const { code, stdout } = await ask(cluster.kubeconfig(), {
        environment: { namespace: "default" },
        context: "prod",
        apps: { web: configMap("a", "1") },
      });
      expect(code).toBe(2);
      expect(stdout).toContain("staging is in the context test, and --context says prod; nothing was changed");
    });

    test("production wants its name, and a cluster that it is pinned to", async () => {
      const namespace = await newNamespace();
      const production = { name: "production", production: true, namespace };
      const apps = { web: configMap("a", "1") };
      const unasked = await ask(cluster.kubeconfig(), { environment: production, apps });
      expect(unasked).toMatchObject({
        code: 2,
        stdout: "production is production: say --yes production to change it\n",
      });
      const wrong = await ask(cluster.kubeconfig(), { environment: production, apps, yes: "staging" });
      expect(wrong.stdout).toContain("--yes says staging");
      const unbound = await ask(cluster.kubeconfig(), { environment: production, apps, yes: "production" });
      expect(unbound.stdout).toContain(
        `pinned to no cluster: if this is the right one, write \`cluster: ${await identity()}\``,
      );
      expect(await names(namespace, "configmaps")).not.toContain("a");
      const bound = await ask(cluster.kubeconfig(), {
        environment: { ...production, cluster: await identity() },
        apps,
        yes: "production",
      });
      expect(bound.code, bound.stdout).toBe(0);
      // Looking needs no word.
      const looked = await ask(cluster.kubeconfig(), {
        action: "diff",
        environment: { ...production, cluster: await identity() },
        apps,
      });
      expect(looked.code).toBe(0);
    });
  });

  describe("complaint 2: the context changes while the tool runs", () => {
    test("another cluster behind the same name is refused, with both identities", async () => {
      const namespace = await newNamespace();
      const { code, stdout } = await asAdmin(namespace, {
        environment: { cluster: "00000000-0000-4000-8000-000000000000" },
        apps: { web: configMap("a", "1") },
      });
      expect(code).toBe(2);
      expect(stdout).toContain(`it is pinned to 00000000-0000-4000-8000-000000000000, and this is ${await identity()}`);
      expect(await names(namespace, "configmaps")).not.toContain("a");
    });

    test("a server whose certificate another authority signed is not talked to", async () => {
      const other = await startWorld(true);
      try {
        const { code, stdout } = await ask(cluster.kubeconfig({ ca: other.ca() }), {
          environment: { namespace: "default" },
          apps: { web: configMap("a", "1") },
        });
        expect(code).toBe(3);
        expect(stdout).toContain("this may be another cluster");
        // The same names and namespace on the second cluster: only its identity differs.
        const bound = {
          environment: { namespace: "default", cluster: await identity() },
          apps: { web: configMap("a", "1") },
        };
        const elsewhere = await ask(other.kubeconfig(), bound);
        expect(elsewhere.code).toBe(2);
        expect(elsewhere.stdout).toContain("this is not the cluster of staging");
      } finally {
        other.stop();
      }
    });
  });

  describe("complaint 3: cleaning up deletes what is not the tool's", () => {
    test.skipIf(isSmall)("a deploy that is killed deletes nothing, and the next one finishes it", async () => {
      const namespace = await newNamespace();
      await deployed(namespace, { apps: { web: deployment("web", "v1") } });
      const running = start(cluster.kubeconfig(), {
        environment: { namespace },
        apps: { web: `${deployment("web", "v2-unready")}---\n${configMap("new", "1")}` },
      });
      await running.told("web: Deployment/web: changed");
      running.child.kill("SIGKILL");
      await running.ended;
      expect(await names(namespace, "configmaps")).toContain("new");
      expect(imageOf(await getDeployment(namespace, "web"))).toBe("registry.local/web:v2-unready");
      const next = await asAdmin(namespace, {
        apps: { web: `${deployment("web", "v3")}---\n${configMap("new", "1")}` },
      });
      expect(next.code, next.stdout).toBe(0);
      expect(next.stderr).toContain("web: another deploy holds the lease");
      expect(next.stderr).toContain("the deploy of release 2 was interrupted; this one finishes what it left");
      expect(imageOf(await getDeployment(namespace, "web"))).toBe("registry.local/web:v3");
      const status = await deployed(namespace, { action: "status", apps: { web: "" } });
      expect(status).toMatch(/release 3 deployed.*\n.*release 2 interrupted.*\n.*release 1 deployed/);
    });

    test("two deploys of one app at once: one of them is refused and changes nothing", async () => {
      const namespace = await newNamespace();
      const first = startAsked(cluster.kubeconfig(), {
        environment: { namespace },
        apps: { web: deployment("web", "v1-slow8") },
      });
      await first.told("web: Deployment/web: created");
      const second = await asAdmin(namespace, { apps: { web: deployment("web", "v2") } });
      expect(second.code, second.stderr).toBe(2);
      expect(second.stdout).toContain("web is being deployed by somebody else right now; nothing was changed");
      expect((await first.ended).code).toBe(0);
      expect(imageOf(await getDeployment(namespace, "web"))).toBe("registry.local/web:v1-slow8");
    });

    test("an object of another app is left alone", async () => {
      const namespace = await newNamespace();
      await deployed(namespace, { apps: { web: configMap("shared", "web's") } });
      const { code, stdout } = await asAdmin(namespace, {
        apps: { api: `${configMap("own", "1")}---\n${configMap("shared", "api's")}` },
      });
      expect(code).toBe(2);
      expect(stdout).toContain("api.yaml:6: ConfigMap/shared belongs to another app");
      expect(await names(namespace, "configmaps")).not.toContain("own");
    });

    test("one namespace is not two environments", async () => {
      const namespace = await newNamespace();
      await deployed(namespace, { apps: { web: configMap("a", "1") } });
      const { code, stdout } = await asAdmin(namespace, {
        environment: { name: "review" },
        apps: { web: configMap("a", "2") },
      });
      expect(code).toBe(2);
      expect(stdout).toContain("web was deployed to this namespace as staging, not review");
    });
  });

  describe("complaint 4: waiting for minutes for what can't heal, or giving up on what can", () => {
    test("an image that can't be pulled fails at once", async () => {
      const namespace = await newNamespace();
      const { code, stdout } = await asAdmin(namespace, {
        environment: { timeoutMs: 600_000 },
        apps: { web: deployment("web", "v1-nopull") },
      });
      expect(code).toBe(1);
      expect(stdout).toMatch(/container main: ImagePullBackOff: Back-off pulling image/);
    });

    test("a crashing container is told and waited for; failFast does not wait", async () => {
      const namespace = await newNamespace();
      const crashing = { apps: { web: deployment("web", "v1-crash") } };
      const patient = await asAdmin(namespace, { ...crashing, environment: { timeoutMs: 4000 } });
      expect(patient.code).toBe(4);
      expect(patient.stderr).toContain("CrashLoopBackOff");
      expect(patient.stdout).toContain("not ready after 4 s");
      const quick = await asAdmin(namespace, { ...crashing, environment: { timeoutMs: 600_000, failFast: true } });
      expect(quick.code).toBe(1);
    });

    test("a pod that no node can take is told by the scheduler's reason and waited for", async () => {
      const namespace = await newNamespace();
      const text = deployment("web", "v1").replace(
        "      containers:",
        "      nodeSelector: {stub: unschedulable}\n      containers:",
      );
      const { code } = await asAdmin(namespace, { environment: { timeoutMs: 3000 }, apps: { web: text } });
      expect(code).toBe(4);
    });

    test("a quota that is used up fails at once, with its name", async () => {
      const namespace = await newNamespace();
      const quota = "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: few}\nspec: {hard: {pods: 0}}\n";
      const first = await asAdmin(namespace, { apps: { limits: quota } });
      expect(first.code, first.stdout).toBe(0);
      // Nobody computes a quota's status here.
      await client.request("PATCH", `/api/v1/namespaces/${namespace}/resourcequotas/few/status`, {
        contentType: "application/merge-patch+json",
        body: { status: { hard: { pods: "0" }, used: { pods: "0" } } },
      });
      const { code, stdout } = await asAdmin(namespace, {
        environment: { timeoutMs: 600_000 },
        apps: { web: deployment("web", "v1") },
      });
      expect(code).toBe(1);
      expect(stdout).toContain("exceeded quota: few");
    });
  });

  describe("complaint 5: pods of before are taken for the new ones", () => {
    test("a good release after a bad one is ready, whatever the old pods do", async () => {
      const namespace = await newNamespace();
      expect((await asAdmin(namespace, { apps: { web: deployment("web", "v1-nopull") } })).code).toBe(1);
      await deployed(namespace, { apps: { web: deployment("web", "v2") } });
    });

    test("a passed progress deadline is looked at once more", async () => {
      const namespace = await newNamespace();
      // Ready only after the deadline of 2 s.
      const ended = await asAdmin(namespace, { apps: { web: deployment("web", "v1-slow6", 1, 2) } });
      expect(ended.code, ended.stdout).toBe(0);
      expect(ended.stderr).toContain("its progress deadline has passed");
      const never = await asAdmin(namespace, {
        environment: { timeoutMs: 600_000 },
        apps: { web: deployment("web", "v2-unready", 1, 2) },
      });
      expect(never.code).toBe(1);
      expect(never.stdout).toContain("its progress deadline has passed");
    });
  });

  test("complaint 6: no progress while waiting, and no reason at the end", async () => {
    const namespace = await newNamespace();
    const { stdout, stderr } = await asAdmin(namespace, {
      environment: { timeoutMs: 4000 },
      apps: { web: `${configMap("a", "1")}---\n${deployment("web", "v1-crash", 1)}` },
    });
    expect(stderr).toContain("web: Deployment/web: created");
    expect(stderr).toContain("web: Deployment/web: 0 of 1 available");
    expect(stdout).toContain("web.yaml:6: Deployment/web: 0 of 1 available");
    expect(stdout).toMatch(/pod web-\S+, container main: CrashLoopBackOff: back-off .* \(3 restarts\)/);
    expect(stdout).toContain("log: listening on :8080");
    const status = await deployed(namespace, { action: "status", apps: { web: "" } });
    expect(status).toContain("release 1 failed");
    expect(status).toContain("web: Deployment/web: 0 of 1 available");
  });

  test("complaint 7: waiting never ends with 0 replicas, Jobs, CronJobs", async () => {
    const namespace = await newNamespace();
    const job = (name: string, tag: string, kind = "Job"): string => {
      const spec = `{backoffLimit: 0, template: {spec: {restartPolicy: Never, containers: [{name: a, image: "registry.local/a:${tag}"}]}}}`;
      return `apiVersion: batch/v1\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: ${kind === "Job" ? spec : `{schedule: "0 0 1 1 *", jobTemplate: {spec: ${spec}}}`}\n`;
    };
    const daemons = deployment("daemon", "v1")
      .replace("kind: Deployment", "kind: DaemonSet")
      .replace(/ {2}replicas.*\n {2}progress.*\n/, "");
    const stateful = deployment("state", "v1")
      .replace("kind: Deployment", "kind: StatefulSet")
      .replace(/ {2}progress.*\n/, "");
    await deployed(namespace, {
      apps: {
        web: [
          deployment("none", "v1-unready", 0),
          job("done", "v1"),
          job("daily", "v1", "CronJob"),
          daemons,
          stateful,
        ].join("---\n"),
      },
    });
    const failing = await asAdmin(namespace, { apps: { web: job("bad", "v1-fail") } });
    expect(failing.code).toBe(1);
    expect(failing.stdout).toContain("Job/bad: BackoffLimitExceeded");
  });

  const leaseVersion = async (namespace: string): Promise<unknown> =>
    at(
      await client.get(`/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/fastloop-web`),
      "metadata",
      "resourceVersion",
    );

  test("complaint 8: the same input again changes something", async () => {
    const namespace = await newNamespace();
    const apps = { web: `${deployment("web", "v1")}---\n${configMap("a", "1")}` };
    await deployed(namespace, { apps });
    const before = {
      object: await getDeployment(namespace, "web"),
      pods: await podUids(namespace),
      secrets: await names(namespace, "secrets"),
      lease: await leaseVersion(namespace),
    };
    const again = await deployed(namespace, { apps });
    expect(again).toContain("web: nothing to change, release 1 stands");
    const after = await getDeployment(namespace, "web");
    expect(at(after, "metadata", "resourceVersion")).toBe(at(before.object, "metadata", "resourceVersion"));
    expect(await podUids(namespace)).toEqual(before.pods);
    expect(await names(namespace, "secrets")).toEqual(before.secrets);
    expect(await leaseVersion(namespace)).toBe(before.lease);
    // One object of many changed: the others are not touched.
    await deployed(namespace, { apps: { web: `${deployment("web", "v1")}---\n${configMap("a", "2")}` } });
    expect(await podUids(namespace)).toEqual(before.pods);
    expect(at(await getDeployment(namespace, "web"), "metadata", "generation")).toBe(1);
  });

  describe("complaint 9: what is no longer described stays, or pruning deletes too much", () => {
    test("leftovers are told, and deleted only where the environment says so; data and what others made stay", async () => {
      const namespace = await newNamespace();
      const claim =
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n";
      await client.request("POST", `/api/v1/namespaces/${namespace}/configmaps`, {
        body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "others" } },
      });
      await deployed(namespace, {
        apps: { web: [configMap("a", "1"), configMap("b", "1"), claim].join("---\n"), api: configMap("c", "1") },
      });
      const only = { web: configMap("a", "1") };
      const kept = await deployed(namespace, { apps: only });
      expect(kept).toContain("no longer described, and kept: ConfigMap/b, PersistentVolumeClaim/data (");
      const listed = await deployed(namespace, { action: "diff", environment: { prune: true }, apps: only });
      expect(listed).toContain("web: ConfigMap/b: no longer described: deleted");
      expect(listed).toContain("web: PersistentVolumeClaim/data: no longer described; kept");
      expect(await names(namespace, "configmaps")).toContain("b");
      await deployed(namespace, { environment: { prune: true }, apps: only });
      // What is kept for its data is told again, and is no change.
      const again = await deployed(namespace, { environment: { prune: true }, apps: only });
      expect(again).toContain("web: nothing to change, release 2 stands");
      expect(again).toContain("and kept: PersistentVolumeClaim/data");
      expect((await names(namespace, "configmaps")).toSorted()).toEqual([
        "a",
        "c",
        "fastloop-api",
        "fastloop-web",
        "others",
      ]);
      expect(await names(namespace, "persistentvolumeclaims")).toEqual(["data"]);
    });

    test("members carry the label of an ApplySet, and its parent says which kinds there are", async () => {
      const namespace = await newNamespace();
      await deployed(namespace, { apps: { web: `${configMap("a", "1")}---\n${deployment("web", "v1")}` } });
      const parent = await get(namespace, "configmaps", "fastloop-web");
      expect(textAt(parent, "metadata", "annotations", "applyset.kubernetes.io/contains-group-kinds")).toBe(
        "ConfigMap,Deployment.apps",
      );
      expect(
        textAt(await get(namespace, "configmaps", "a"), "metadata", "labels", "applyset.kubernetes.io/part-of"),
      ).toBe(applySetId("web", namespace));
      const pod = at(await getDeployment(namespace, "web"), "spec", "template", "metadata", "labels");
      expect(pod).toEqual({ app: "web" });
    });
  });

  describe("complaint 11: what can't be changed dumps a structure", () => {
    const changed = deployment("web", "v1")
      .replace("matchLabels: {app: web}", "matchLabels: {app: other}")
      .replace("labels: {app: web}", "labels: {app: other}");
    test("the field and the object are named, and nothing of the set is applied", async () => {
      const namespace = await newNamespace();
      await deployed(namespace, { apps: { web: deployment("web", "v1") } });
      const { code, stdout } = await asAdmin(namespace, { apps: { web: `${configMap("new", "1")}---\n${changed}` } });
      expect(code).toBe(2);
      expect(stdout).toContain("web.yaml:6: Deployment/web: spec.selector can't be changed once it is there");
      expect(stdout).not.toContain("LabelSelector");
      expect(await names(namespace, "configmaps")).not.toContain("new");
    });

    test("an object that asks for it is made anew", async () => {
      const namespace = await newNamespace();
      await deployed(namespace, { apps: { web: deployment("web", "v1") } });
      const uid = textAt(await getDeployment(namespace, "web"), "metadata", "uid");
      const asking = changed.replace("{name: web}", '{name: web, annotations: {fastloop.dev/recreate: "true"}}');
      await deployed(namespace, { apps: { web: asking } });
      expect(textAt(await getDeployment(namespace, "web"), "metadata", "uid")).not.toBe(uid);
    });
  });

  test("complaint 12: conflicts with what others applied", async () => {
    const namespace = await newNamespace();
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    const body = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web" },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: "web" } },
        template: {
          metadata: { labels: { app: "web" } },
          spec: { containers: [{ name: "main", image: "registry.local/web:old" }] },
        },
      },
    };
    await client.request("POST", path, { body, query: { fieldManager: "kubectl-client-side-apply" } });
    const refused = await asAdmin(namespace, { apps: { web: deployment("web", "v1") } });
    expect(refused.code).toBe(2);
    expect(refused.stdout).toMatch(/Deployment\/web: kubectl-client-side-apply.* manages .*\.spec\.replicas/);
    expect(refused.stdout).toContain("`forceConflicts: true`");
    expect(imageOf(await getDeployment(namespace, "web"))).toBe("registry.local/web:old");
    await deployed(namespace, { environment: { forceConflicts: true }, apps: { web: deployment("web", "v1") } });
    expect(imageOf(await getDeployment(namespace, "web"))).toBe("registry.local/web:v1");
  });

  test("complaint 13: deployed already, by a note of the tool's own, though the cluster differs", async () => {
    const namespace = await newNamespace();
    const apps = { web: configMap("a", "1") };
    await deployed(namespace, { apps });
    await client.request("PATCH", `/api/v1/namespaces/${namespace}/configmaps/a`, {
      contentType: "application/merge-patch+json",
      query: { fieldManager: "somebody" },
      body: { data: { key: "edited" } },
    });
    const status = await deployed(namespace, { action: "status", apps: { web: "" } });
    expect(status).toContain("ConfigMap/a: changed since by others");
    expect(status).toContain("- data.key: edited");
    expect((await asAdmin(namespace, { apps })).stdout).toContain("somebody manages .data.key");
    await client.request("DELETE", `/api/v1/namespaces/${namespace}/configmaps/a`);
    expect(await deployed(namespace, { action: "status", apps: { web: "" } })).toContain(
      "ConfigMap/a: is not there any longer",
    );
    await deployed(namespace, { apps });
    expect(textAt(await get(namespace, "configmaps", "a"), "data", "key")).toBe("1");
  });

  describe("complaint 14: looking has effects", () => {
    test("diff, check and status write nothing", async () => {
      const namespace = await newNamespace();
      const before = await names(namespace, "configmaps");
      const diff = await deployed(namespace, {
        action: "diff",
        apps: { web: `${configMap("a", "1")}---\n${deployment("web", "v1")}` },
      });
      expect(diff).toContain("web: ConfigMap/a (web.yaml:1): create");
      await deployed(namespace, { action: "check", apps: { web: configMap("a", "1") } });
      await deployed(namespace, { action: "status", apps: { web: "" } });
      expect(await names(namespace, "configmaps")).toEqual(before);
      expect(await names(namespace, "secrets")).toEqual([]);
      expect(await names(namespace, "leases", "apis/coordination.k8s.io/v1")).toEqual([]);
    });

    test("a namespace that is not there is told, and made only from a manifest", async () => {
      const name = `made-${++count}`;
      const apps = { web: configMap("a", "1") };
      for (const action of ["diff", "deploy"] as const) {
        const ended = await asAdmin(name, { action, apps });
        expect(ended.code).toBe(2);
        expect(ended.stdout).toContain(`the namespace ${name} is not there; create it, or add a manifest of it`);
      }
      const whole = { web: `${apps.web}---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n` };
      await deployed(name, { apps: whole });
      expect(await deployed(name, { apps: whole })).toContain("nothing to change");
    });
  });

  describe("never half done", () => {
    test("one bad object of many, and nothing is applied", async () => {
      const namespace = await newNamespace();
      const bad = deployment("bad", "v1").replace("  replicas: 2\n", "  replicas: 2\n  replcas: 3\n");
      const { code, stdout } = await asAdmin(namespace, {
        apps: {
          first: configMap("a", "1"),
          second: `${bad}---\napiVersion: example.org/v1\nkind: Widget\nmetadata: {name: w}\n`,
        },
      });
      expect(code).toBe(2);
      expect(stdout).toContain("second.yaml:14: the cluster has no kind Widget in example.org/v1");
      expect(await names(namespace, "configmaps")).not.toContain("a");
      const typo = await asAdmin(namespace, { apps: { first: configMap("a", "1"), second: bad } });
      expect(typo.stdout).toMatch(/second\.yaml:1: Deployment\/bad: .*spec\.replcas: field not declared in schema/);
      expect(await names(namespace, "configmaps")).not.toContain("a");
    });

    test("a user without the rights is told all that is missing, and nothing is applied", async () => {
      const namespace = await newNamespace();
      const { code, stdout } = await ask(cluster.kubeconfig({ user: "limited" }), {
        environment: { namespace },
        apps: { web: configMap("a", "1") },
      });
      expect(code).toBe(2);
      expect(stdout).toContain("the user of test may not get configmaps");
      for (const right of ["patch configmaps", "create secrets", "update leases.coordination.k8s.io"])
        expect(stdout).toContain(`${right} in ${namespace}`);
      expect(stdout).toContain("nothing was changed");
      expect(await names(namespace, "configmaps")).not.toContain("a");
    });

    test("what fails after it was applied is undone by the manifests of before, where the environment wants it", async () => {
      const namespace = await newNamespace();
      await deployed(namespace, { apps: { web: deployment("web", "v1") } });
      const { code, stdout } = await asAdmin(namespace, {
        environment: { onFailure: "rollback" },
        apps: { web: deployment("web", "v2-nopull") },
      });
      expect(code).toBe(1);
      expect(stdout).toContain("web: release 2 did not become ready");
      expect(stdout).toContain("web: went back to release 1, as release 3");
      expect(imageOf(await getDeployment(namespace, "web"))).toBe("registry.local/web:v1");
      expect(at(await getDeployment(namespace, "web"), "status", "availableReplicas")).toBe(2);
    });

    test("definitions come first, and objects of their kinds after them", async () => {
      const namespace = await newNamespace();
      const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets, singular: gadget}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}}
`;
      const gadget = "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: g}\nspec: {size: 1}\n";
      const apps = { web: `${gadget}---\n${definition}` };
      const refused = await asAdmin(namespace, { apps });
      expect(refused.stdout).toContain("CustomResourceDefinition/gadgets.example.com is outside of namespaces");
      await deployed(namespace, { environment: { clusterScoped: true }, apps });
      expect(await names(namespace, "gadgets", "apis/example.com/v1")).toEqual(["g"]);
      expect(await deployed(namespace, { environment: { clusterScoped: true }, apps })).toContain("nothing to change");
    });

    test("an object for another namespace is refused unless it is allowed", async () => {
      const [namespace, other] = [await newNamespace(), await newNamespace()];
      const apps = { web: configMap("a", "1").replace("{name: a}", `{name: a, namespace: ${other}}`) };
      expect((await asAdmin(namespace, { apps })).stdout).toContain(`ConfigMap/a names the namespace ${other}`);
      await deployed(namespace, { environment: { namespaces: [other] }, apps });
      expect(await names(other, "configmaps")).toEqual(["a"]);
      const empty = { environment: { namespaces: [other], prune: true }, apps: { web: configMap("b", "1") } };
      await deployed(namespace, empty);
      expect(await names(other, "configmaps")).toEqual([]);
    });
  });

  describe("hooks of a chart", () => {
    const hook = (name: string, moments: string, tag = "v1", more = ""): string => `apiVersion: batch/v1
kind: Job
metadata: {name: ${name}, annotations: {helm.sh/hook: "${moments}"${more}}}
spec:
  backoffLimit: 0
  template: {spec: {restartPolicy: Never, containers: [{name: main, image: "registry.local/job:${tag}"}]}}
`;
    test("run before and after what is applied, and only where something is", async () => {
      const namespace = await newNamespace();
      const apps = (value: string) => ({
        web: [
          configMap("a", value),
          hook("install", "pre-install"),
          hook("second", "pre-install,pre-upgrade", "v1", ', helm.sh/hook-weight: "5"'),
          hook("after", "post-install,post-upgrade", "v1", ", helm.sh/hook-delete-policy: hook-succeeded"),
        ].join("---\n"),
      });
      const first = await asAdmin(namespace, { apps: apps("1") });
      expect(first.code, first.stdout).toBe(0);
      expect(first.stderr).toMatch(
        /Job\/install: runs as pre-install[^]*Job\/second: runs as pre-install[^]*ConfigMap\/a: created[^]*Job\/after: runs as post-install/,
      );
      expect((await names(namespace, "jobs", "apis/batch/v1")).toSorted()).toEqual(["install", "second"]);
      const uid = textAt(await get(namespace, "jobs", "second", "apis/batch/v1"), "metadata", "uid");
      expect(await deployed(namespace, { apps: apps("1") })).toContain("nothing to change");
      expect(textAt(await get(namespace, "jobs", "second", "apis/batch/v1"), "metadata", "uid")).toBe(uid);
      const again = await asAdmin(namespace, { apps: apps("2") });
      expect(again.code, again.stdout).toBe(0);
      expect(again.stderr).not.toContain("Job/install: runs");
      expect(textAt(await get(namespace, "jobs", "second", "apis/batch/v1"), "metadata", "uid")).not.toBe(uid);
      expect(await deployed(namespace, { action: "status", apps: { web: "" } })).toContain("is as it was deployed");
    });

    test("one that fails keeps everything after it from being applied", async () => {
      const namespace = await newNamespace();
      const apps = { web: `${configMap("a", "1")}---\n${hook("migrate", "pre-install", "v1-fail")}` };
      const { code, stdout } = await asAdmin(namespace, { apps });
      expect(code).toBe(1);
      expect(stdout).toContain("the pre-install hook Job/migrate failed");
      expect(await names(namespace, "configmaps")).not.toContain("a");
      // The next deploy runs it anew.
      const mended = { web: apps.web.replace("v1-fail", "v2") };
      expect(await deployed(namespace, { apps: mended })).toContain("release 2 is deployed");
    });

    test("one that is stuck ends with the time, and says what it waits for", async () => {
      const namespace = await newNamespace();
      const stuck = hook("migrate", "pre-install").replace(
        "{restartPolicy: Never,",
        "{nodeSelector: {stub: unschedulable}, restartPolicy: Never,",
      );
      const ended = await asAdmin(namespace, {
        environment: { timeoutMs: 3000 },
        apps: { web: `${configMap("a", "1")}---\n${stuck}` },
      });
      expect(ended.code).toBe(4);
      expect(ended.stdout).toContain("the pre-install hook Job/migrate failed\nnot ready after 3 s:");
    });

    test("one that another made is left alone", async () => {
      const namespace = await newNamespace();
      const body: unknown = {
        apiVersion: "batch/v1",
        kind: "Job",
        metadata: { name: "migrate" },
        spec: {
          template: { spec: { restartPolicy: "Never", containers: [{ name: "a", image: "registry.local/a:v1" }] } },
        },
      };
      await client.request("POST", `/apis/batch/v1/namespaces/${namespace}/jobs`, { body });
      const { code, stdout } = await asAdmin(namespace, {
        apps: { web: `${configMap("a", "1")}---\n${hook("migrate", "pre-install")}` },
      });
      expect(code).toBe(1);
      expect(stdout).toContain("Job/migrate is there already and was not made by this app");
      expect(await names(namespace, "jobs", "apis/batch/v1")).toEqual(["migrate"]);
    });
  });

  describe("rights", () => {
    const everything = { apiGroups: ["*"], resources: ["*"], verbs: ["*"] };
    const api = "/apis/rbac.authorization.k8s.io/v1";
    async function allow(namespace: string, rules: unknown[]): Promise<void> {
      const subjects = [{ kind: "User", name: "limited", apiGroup: "rbac.authorization.k8s.io" }];
      const roleRef = { kind: "Role", name: "deployer", apiGroup: "rbac.authorization.k8s.io" };
      const meta = { apiVersion: "rbac.authorization.k8s.io/v1", metadata: { name: "deployer" } };
      const path = `${api}/namespaces/${namespace}`;
      await client.request("DELETE", `${path}/roles/deployer`).catch(() => undefined);
      await client.request("POST", `${path}/roles`, { body: { ...meta, kind: "Role", rules } });
      await client.request("DELETE", `${path}/rolebindings/deployer`).catch(() => undefined);
      await client.request("POST", `${path}/rolebindings`, {
        body: { ...meta, kind: "RoleBinding", roleRef, subjects },
      });
    }
    const asLimited = (namespace: string, { environment, ...asked }: Asked) =>
      startAsked(cluster.kubeconfig({ user: "limited" }), { ...asked, environment: { namespace, ...environment } });

    test("those for kinds that the app has no manifest of any longer are asked for too, before anything is written", async () => {
      const namespace = await newNamespace();
      await allow(namespace, [everything]);
      const both = `${configMap("a", "1")}---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 80}]}\n`;
      expect((await asLimited(namespace, { apps: { web: both } }).ended).code).toBe(0);
      const { resources: _all, ...rest } = everything;
      await allow(namespace, [
        { ...rest, resources: ["configmaps", "secrets", "leases"] },
        { apiGroups: [""], resources: ["services"], verbs: ["get", "list", "patch"] },
      ]);
      const { code, stdout } = await asLimited(namespace, {
        environment: { prune: true },
        apps: { web: configMap("a", "2") },
      }).ended;
      expect(code).toBe(2);
      expect(stdout).toContain(`may not delete services in ${namespace}; nothing was changed`);
      expect(textAt(await get(namespace, "configmaps", "a"), "data", "key")).toBe("1");
    });

    test("those that docs/deploying.md lists are enough from the first deploy to pruning; fewer are told at the first", async () => {
      const namespace = await newNamespace();
      const listed = (verbs: string[]) => [
        { apiGroups: ["", "apps"], resources: ["configmaps", "deployments"], verbs },
        { apiGroups: [""], resources: ["secrets"], verbs: ["get", "list", "create", "patch", "delete"] },
        { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get", "create", "update"] },
        { apiGroups: [""], resources: ["pods", "events", "pods/log"], verbs: ["get", "list"] },
        { apiGroups: ["apps"], resources: ["replicasets", "controllerrevisions"], verbs: ["get", "list"] },
      ];
      const web = deployment("web", "v1", 1);
      const apps = { web: `${web}---\n${configMap("a", "1")}` };
      await allow(namespace, listed(["get", "create", "patch"]));
      const early = await asLimited(namespace, { apps }).ended;
      expect(early.stdout).toContain(`may not list deployments.apps in ${namespace}, list configmaps in ${namespace};`);
      await allow(namespace, listed(["get", "list", "create", "patch"]));
      expect((await asLimited(namespace, { apps }).ended).stdout).toContain("release 1 is deployed");
      expect((await asLimited(namespace, { apps }).ended).stdout).toContain("nothing to change");
      const pruning = { environment: { prune: true }, apps: { web } };
      const kept = await asLimited(namespace, pruning).ended;
      expect(kept.code).toBe(2);
      expect(kept.stdout).toContain(`may not delete deployments.apps in ${namespace}, delete configmaps`);
      await allow(namespace, listed(["get", "list", "create", "patch", "delete"]));
      expect((await asLimited(namespace, pruning).ended).stdout).toContain("release 2 is deployed");
      // What is unchanged is told as well, without a word about requests that the first refusal broke off.
      await allow(namespace, listed(["get", "create", "patch"]));
      const late = await asLimited(namespace, { apps: { web } }).ended;
      expect(late.stdout).toContain("may not list");
      expect(late.stderr).not.toContain("does not answer");
    });

    test("rights that end in the middle are a failure, and the next deploy finishes what was begun", async () => {
      const namespace = await newNamespace();
      await allow(namespace, [everything]);
      const apps = { web: deployment("web", "v1-slow5") };
      const running = asLimited(namespace, { environment: { onFailure: "rollback" }, apps });
      await running.told("0 of 2 available");
      await client.request("DELETE", `${api}/namespaces/${namespace}/rolebindings/deployer`);
      const { code, stdout, stderr } = await running.ended;
      expect(code, stdout).toBe(1);
      expect(stdout).toContain("web: release 1 was stopped by the API server:");
      expect(stderr).toContain("web: release 1 stays pending");
      await allow(namespace, [everything]);
      const next = await asLimited(namespace, { apps }).ended;
      expect(next.code, next.stdout).toBe(0);
      expect(next.stderr).toContain("the deploy of release 1 was interrupted; this one finishes what it left");
    });
  });

  test("a rollback applies the release of before, by number or the last that was good", async () => {
    const namespace = await newNamespace();
    for (const tag of ["v1", "v2", "v3"])
      await deployed(namespace, { apps: { web: deployment("web", tag, 1) }, revision: tag });
    await deployed(namespace, { action: "rollback", apps: { web: "" } });
    expect(imageOf(await getDeployment(namespace, "web"))).toBe("registry.local/web:v2");
    await deployed(namespace, { action: "rollback", apps: { web: "" }, to: 1 });
    expect(imageOf(await getDeployment(namespace, "web"))).toBe("registry.local/web:v1");
    const status = await deployed(namespace, { action: "status", apps: { web: "" } });
    expect(status).toMatch(
      /release 5 deployed, \S+ by admin, commit v1, back to 1\n.*release 4 deployed.*commit v2, back to 2/,
    );
    expect((await asAdmin(namespace, { action: "rollback", apps: { web: "" }, to: 9 })).stdout).toContain(
      "web has no release 9",
    );
  });

  test("only so many releases are kept", async () => {
    const namespace = await newNamespace();
    for (const value of ["1", "2", "3", "4"])
      await deployed(namespace, { environment: { history: 2 }, apps: { web: configMap("a", value) } });
    expect((await names(namespace, "secrets")).toSorted()).toEqual(["fastloop-web-r3", "fastloop-web-r4"]);
  });

  // A small server goes through all its objects at each request.
  test.skipIf(isSmall)("500 objects are deployed, and again without a change", async () => {
    const namespace = await newNamespace();
    const apps = { web: Array.from({ length: 500 }, (_, index) => configMap(`c-${index}`, "1")).join("---\n") };
    expect(await deployed(namespace, { apps })).toContain("500 changed");
    expect(await deployed(namespace, { apps })).toContain("nothing to change");
  });

  test.sequential("an API server that goes and comes back mid-rollout is waited for", async () => {
    const namespace = await newNamespace();
    const running = startAsked(cluster.kubeconfig(), {
      environment: { namespace, timeoutMs: 120_000 },
      apps: { web: deployment("web", "v1-slow5") },
    });
    await running.told("web: Deployment/web: 0 of 2 available");
    await cluster.killApi();
    await running.told("the API server does not answer");
    await cluster.startApi();
    const ended = await running.ended;
    expect(ended.code, `${ended.stdout}\n${ended.stderr}`).toBe(0);
    expect(ended.stderr).toContain("the API server answers again");
  });

  test("an API server that is not there is told in one sentence, in five seconds or so", async () => {
    const gone = cluster.kubeconfig().replace(`:${cluster.port}`, ":1");
    const { code, stdout } = await ask(gone, {
      environment: { namespace: "default" },
      apps: { web: configMap("a", "1") },
    });
    expect(code).toBe(3);
    expect(stdout).toBe("the API server of test (127.0.0.1:1) can't be reached: ECONNREFUSED\n");
  });

  test("no secret is in anything that is said", async () => {
    const namespace = await newNamespace();
    const secret = (value: string): string =>
      `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: ${value}}\n`;
    const said: Ended[] = [];
    said.push(await asAdmin(namespace, { apps: { web: secret("hunter2") } }));
    said.push(await asAdmin(namespace, { action: "diff", apps: { web: secret("hunter3") } }));
    said.push(await asAdmin(namespace, { apps: { web: secret("hunter3") } }));
    said.push(await asAdmin(namespace, { apps: { web: `${secret("hunter4")}type: [hunter5]\n` } }));
    said.push(await asAdmin(namespace, { action: "status", apps: { web: "" } }));
    expect(said.map(({ code }) => code)).toEqual([0, 0, 0, 2, 0]);
    const text = said.map(({ stdout, stderr }) => stdout + stderr).join("\n");
    expect(text).toContain("data.password: (secret)");
    for (const value of [
      "hunter",
      Buffer.from("hunter2").toString("base64"),
      Buffer.from("hunter3").toString("base64"),
      "admin-token",
    ])
      expect(text).not.toContain(value);
  });
});
