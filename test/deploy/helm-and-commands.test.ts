// What other ways of deploying leave and do, on a real API server: releases of helm's own, and commands of a project.
import { spawn, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Cluster } from "../../src/deploy/cluster/client.ts";
import { listAt, textAt } from "../../src/deploy/objects/objects.ts";
import { chartScript } from "../../pipelines/src/chart-script.ts";
import { parseManifests } from "../../src/deploy/index.ts";
import { startRegistry } from "../bench/registry.ts";
import { kubernetesTools, type KubernetesTools } from "../bench/kubernetes-tools.ts";
import { noCluster, TestCluster } from "./cluster.ts";
import { ask, configMap, deployment, start } from "./deployer.ts";
import type { Asked, Ended } from "./deployer.ts";

describe.skipIf(noCluster !== undefined)("beside helm, and by commands", () => {
  let cluster: TestCluster;
  let client: Cluster;
  let tools: KubernetesTools;
  /** By the version of helm. */
  let helms: Record<3 | 4, string>;
  let folder: string;
  let count = 0;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "fastloop-beside-"));
    tools = kubernetesTools();
    helms = { 3: kubernetesTools("before").helm, 4: tools.helm };
    cluster = await TestCluster.start();
    client = cluster.client();
  });
  afterAll(() => {
    client?.close();
    cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function newNamespace(): Promise<string> {
    const name = `beside-${++count}`;
    const body = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
    await client.request("POST", "/api/v1/namespaces", { body });
    return name;
  }
  const asAdmin = (namespace: string, { environment, ...asked }: Asked): Promise<Ended> =>
    ask(cluster.kubeconfig(), { ...asked, environment: { namespace, ...environment } });
  const image = async (namespace: string): Promise<string | undefined> =>
    textAt(
      await client.get(`/apis/apps/v1/namespaces/${namespace}/deployments/web`),
      "spec",
      "template",
      "spec",
      "containers",
      0,
      "image",
    );
  const names = async (namespace: string, plural: string): Promise<string[]> =>
    listAt(await client.get(`/api/v1/namespaces/${namespace}/${plural}`), "items").map(
      (item) => textAt(item, "metadata", "name") ?? "",
    );

  describe("complaint 10: a killed run leaves helm's release pending, and every later deploy fails", () => {
    const chart = (tag: string): void => {
      mkdirSync(path.join(folder, "chart/templates"), { recursive: true });
      writeFileSync(path.join(folder, "chart/Chart.yaml"), "apiVersion: v2\nname: web\nversion: 0.1.0\n");
      writeFileSync(path.join(folder, "chart/templates/web.yaml"), deployment("web", tag, 1));
    };
    const env = (): NodeJS.ProcessEnv => ({
      ...process.env,
      HOME: folder,
      KUBECONFIG: path.join(cluster.folder, "kubeconfig"),
    });
    const words = (namespace: string, ...more: string[]): string[] => [...more, "-n", namespace];
    const helm = (namespace: string, ...more: string[]): string => helmOf(4, namespace, ...more);
    const helmOf = (version: 3 | 4, namespace: string, ...more: string[]): string =>
      execFileSync(helms[version], words(namespace, ...more), {
        cwd: folder,
        env: env(),
        encoding: "utf8",
        stdio: "pipe",
      });

    test.each([4, 3] as const)(
      "one of helm %i is told with its state, and taken over where the environment wants that",
      async (version) => {
        const namespace = await newNamespace();
        chart("v1");
        helmOf(version, namespace, "install", "web", "chart", "--wait");
        chart("v2-unready");
        const upgrade = spawn(helms[version], words(namespace, "upgrade", "web", "chart", "--wait"), {
          cwd: folder,
          env: env(),
          stdio: "ignore",
        });
        const ended = new Promise((resolve) => upgrade.once("close", resolve));
        while ((await image(namespace)) !== "registry.local/web:v2-unready") await sleep(100);
        upgrade.kill("SIGKILL");
        await ended;
        chart("v3");
        expect(() => helmOf(version, namespace, "upgrade", "web", "chart")).toThrow("another operation");

        const apps = { web: deployment("web", "v3", 1) };
        const refused = await asAdmin(namespace, { apps });
        expect(refused.code).toBe(2);
        expect(refused.stdout).toContain(
          "web.yaml:1: Deployment/web belongs to the Helm release web (revision 2, pending-upgrade); `forceConflicts: true`",
        );
        expect(await image(namespace)).toBe("registry.local/web:v2-unready");
        const taken = await asAdmin(namespace, { apps, environment: { forceConflicts: true } });
        expect(taken.code, taken.stdout).toBe(0);
        expect(taken.stderr).toContain(
          `web: takes over what the Helm release web (revision 2, pending-upgrade) has; once it is deployed, have Helm forget it: kubectl delete secret -n ${namespace} -l owner=helm,name=web`,
        );
        expect(await image(namespace)).toBe("registry.local/web:v3");
        // From then on it is the app's own.
        expect((await asAdmin(namespace, { apps })).stdout).toBe("web: nothing to change, release 1 stands\n");
      },
    );

    test("a chart's release of our own that was killed is finished by the next deploy, and a rollback never goes to it", async () => {
      const namespace = await newNamespace();
      const rendered = (tag: string): Record<string, string> => {
        chart(tag);
        return { web: helm(namespace, "template", "web", "chart") };
      };
      expect((await asAdmin(namespace, { apps: rendered("v1") })).code).toBe(0);
      const running = start(cluster.kubeconfig(), { environment: { namespace }, apps: rendered("v2-unready") });
      await running.told("web: Deployment/web: changed");
      running.child.kill("SIGKILL");
      await running.ended;
      const next = await asAdmin(namespace, { apps: rendered("v3") });
      expect(next.code, next.stdout).toBe(0);
      expect(next.stderr).toContain("the deploy of release 2 was interrupted; this one finishes what it left");
      const back = await asAdmin(namespace, { action: "rollback", apps: { web: "" } });
      expect(back.stdout).toContain("web: back at release 1, as release 4");
      expect(await image(namespace)).toBe("registry.local/web:v1");
    });
  });

  test.each([4, 3] as const)(
    "helm %i renders a chart of an OCI registry, and one that depends on it, to manifests alone",
    async (version) => {
      const folder = mkdtempSync(path.join(tmpdir(), "fastloop-charts-"));
      const helm = helms[version];
      const key = path.join(folder, "key.pem");
      const certificate = path.join(folder, "certificate.pem");
      const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
      const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
      execFileSync("openssl", ["req", "-x509", ...curve, "-keyout", key, "-out", certificate, ...subject], {
        stdio: "ignore",
      });
      const registry = await startRegistry(folder, undefined, { certificate, key });
      try {
        const options = {
          cwd: folder,
          encoding: "utf8",
          stdio: "pipe",
          env: {
            ...process.env,
            HOME: folder,
            SSL_CERT_FILE: certificate,
            PATH: `${path.dirname(helm)}:${process.env["PATH"]}`,
          },
        } as const;
        const charts = `oci://${registry.address}/charts`;
        mkdirSync(path.join(folder, "lib/templates"), { recursive: true });
        mkdirSync(path.join(folder, "app"));
        writeFileSync(path.join(folder, "lib/Chart.yaml"), "apiVersion: v2\nname: lib\nversion: 1.2.3\n");
        writeFileSync(path.join(folder, "lib/templates/all.yaml"), configMap("{{ .Release.Name }}-lib", "1"));
        writeFileSync(
          path.join(folder, "app/Chart.yaml"),
          `apiVersion: v2\nname: app\nversion: 1.2.3\ndependencies:\n  - name: lib\n    version: 1.2.3\n    repository: ${charts}\n`,
        );
        execFileSync(helm, ["package", "lib"], options);
        execFileSync(helm, ["push", "lib-1.2.3.tgz", charts], options);
        const render = (place: string, version: string): string[] =>
          parseManifests([
            {
              name: place,
              text: execFileSync("sh", ["-ec", chartScript, "sh", place, version, "rel", "--include-crds"], options),
            },
          ]).map(({ object }) => object.metadata.name);
        expect(render(`${charts}/lib`, "1.2.3")).toEqual(["rel-lib"]);
        expect(render("./app", "")).toEqual(["rel-lib"]);
      } finally {
        await registry.stop();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );

  describe("an app of commands", () => {
    const commands = (apply: string, remove = "true") => ({ tool: { apply, delete: remove, folder } });

    test("is deployed by its command with the one context that was checked, and taken away by the other", async () => {
      const namespace = await newNamespace();
      writeFileSync(path.join(folder, "made.yaml"), configMap("made", "1"));
      const custom = commands(
        `echo "$FASTLOOP_APP $FASTLOOP_ENVIRONMENT $FASTLOOP_NAMESPACE $FASTLOOP_IMAGES"; ${tools.kubectl} config get-contexts -o name; ${tools.kubectl} apply -f made.yaml; cat "$KUBECONFIG"`,
        `${tools.kubectl} delete -f made.yaml`,
      );
      const first = await asAdmin(namespace, { custom, images: ["a=b@sha256:1"], revision: "abc" });
      expect(first.code, `${first.stdout}\n${first.stderr}`).toBe(0);
      expect(first.stdout).toBe("tool: release 1 is deployed (by its command)\n");
      expect(first.stderr).toContain(`tool: tool staging ${namespace} a=b@sha256:1\ntool: test\n`);
      expect(first.stderr).not.toContain("admin-token");
      expect(await names(namespace, "configmaps")).toContain("made");
      const looked = await asAdmin(namespace, { action: "diff", custom });
      expect(looked.stdout).toContain("which says itself what it changes");
      const told = await asAdmin(namespace, { action: "status", custom });
      expect(told.stdout).toMatch(
        /tool: release 1 deployed, \S+ by admin, commit abc\n[^]*what it made is not looked at/,
      );
      const again = await asAdmin(namespace, { custom });
      expect(again.stdout).toContain("tool: release 2 is deployed");
      const back = await asAdmin(namespace, { action: "rollback", custom });
      expect(back).toMatchObject({ code: 2, stdout: expect.stringContaining("deploy commit abc again") as string });
      const gone = await asAdmin(namespace, { action: "undeploy", custom });
      expect(gone.stdout).toBe("tool: is gone, as release 3\n");
      expect(await names(namespace, "configmaps")).not.toContain("made");
    });

    test("that fails says how, with its last lines; one that takes too long is ended", async () => {
      const namespace = await newNamespace();
      const failed = await asAdmin(namespace, { custom: commands("echo before; exit 3") });
      expect(failed.code).toBe(1);
      expect(failed.stdout).toBe("tool: `echo before; exit 3` failed: exit code 3\n  before\n");
      const late = await asAdmin(namespace, {
        environment: { timeoutMs: 500 },
        custom: commands("trap 'echo undone; exit 1' TERM; sleep 60 & wait"),
      });
      expect(late.code, late.stdout).toBe(4);
      expect(late.stdout).toContain("was not done after 0.5 s\n  undone");
    });

    test("is guarded like any other: wrong cluster, production, missing rights", async () => {
      const namespace = await newNamespace();
      const custom = commands("touch ran");
      const elsewhere = { cluster: "00000000-0000-4000-8000-000000000000" };
      const production = { name: "production", production: true };
      for (const environment of [elsewhere, production]) {
        const refused = await asAdmin(namespace, { custom, environment });
        expect(refused.code, refused.stdout).toBe(2);
      }
      const limited = await ask(cluster.kubeconfig({ user: "limited" }), { custom, environment: { namespace } });
      expect(limited.stdout).toContain("may not get configmaps");
      expect(() => execFileSync("test", ["-e", path.join(folder, "ran")])).toThrow();
    });
  });

  test("undeploy deletes what an app made, less what holds data, and nothing of others", async () => {
    const namespace = await newNamespace();
    const claim =
      "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n";
    const apps = { web: [configMap("a", "1"), claim].join("---\n"), api: configMap("b", "1") };
    expect((await asAdmin(namespace, { apps })).code).toBe(0);
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "others" } };
    await client.request("POST", `/api/v1/namespaces/${namespace}/configmaps`, { body });
    const gone = await asAdmin(namespace, { action: "undeploy", apps: { web: "" } });
    expect(gone.code, gone.stdout).toBe(0);
    expect(gone.stdout).toBe("web: is gone, as release 2\nweb: kept, as it holds data: PersistentVolumeClaim/data\n");
    expect((await names(namespace, "configmaps")).toSorted()).toEqual(
      expect.arrayContaining(["b", "fastloop-api", "fastloop-web", "others"]),
    );
    expect(await names(namespace, "configmaps")).not.toContain("a");
    expect((await asAdmin(namespace, { action: "undeploy", apps: { never: "" } })).stdout).toContain(
      "never: never deployed to staging",
    );
    const back = await asAdmin(namespace, { action: "rollback", apps: { web: "" } });
    expect(back.stdout).toContain("web: back at release 1, as release 3");
    expect(await names(namespace, "configmaps")).toContain("a");
  });
});
