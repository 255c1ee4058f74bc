// The functions of the module as `fastloop call` runs them: in a container, against an API server on this machine.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startRegistry, type BenchRegistry } from "../bench/registry.ts";
import { fastloop, type CliResult } from "../e2e/cli-process.ts";
import { textAt } from "../../src/deploy/objects/objects.ts";
import { noCluster, TestCluster } from "./cluster.ts";
import { deployment } from "./deployer.ts";

const packageRoot = path.resolve(import.meta.dirname, "../..");
const digest = `sha256:${"1".repeat(64)}`;

describe.skipIf(noCluster !== undefined)("functions that deploy", () => {
  let cluster: TestCluster;
  let registry: BenchRegistry;
  let folder: string;
  let project: string;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "fastloop-deploy-"));
    project = path.join(folder, "project");
    mkdirSync(path.join(project, ".git"), { recursive: true });
    [cluster, registry] = await Promise.all([TestCluster.start(), startRegistry(folder)]);
    for (const name of ["functions", "production"]) {
      await cluster
        .client()
        .request("POST", "/api/v1/namespaces", { body: { apiVersion: "v1", kind: "Namespace", metadata: { name } } });
    }
    write("kubeconfig", cluster.kubeconfig());
    write("deploy/web.yaml", deployment("web", "v1"));
    write("base/kustomization.yaml", "resources: [web.yaml]\nnamePrefix: my-\n");
    write("base/web.yaml", deployment("web", "v1"));
    write("chart/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n");
    write("chart/values.yaml", "tag: none\nreplicas: 1\n");
    write("chart/staging.yaml", "replicas: 3\n");
    write(
      "chart/templates/web.yaml",
      deployment("{{ .Release.Name }}-web", "{{ .Values.tag }}").replace(
        "replicas: 2",
        "replicas: {{ .Values.replicas }}",
      ),
    );
    write(
      "chart/templates/tests/test.yaml",
      'apiVersion: v1\nkind: Pod\nmetadata: {name: test, annotations: {"helm.sh/hook": test}}\nspec: {containers: [{name: a, image: a}]}\n',
    );
    write("hooked/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n");
    write(
      "hooked/templates/migrate.yaml",
      'apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, annotations: {"helm.sh/hook": pre-upgrade}}\n',
    );
    write("hooked/templates/web.yaml", deployment("web", "v1"));
    write(
      "fastloop.yaml",
      `version: 1
name: shop
images: {prod: {from: "debian:bookworm-slim"}, dev: {base: "debian:bookworm-slim"}}
publish: {image: "${registry.address}/shop:latest"}
deploy:
  environments:
    staging: {context: test, namespace: functions}
    production: {context: test, namespace: production, production: true}
  apps:
    web: {manifests: [deploy/]}
    kustomized: {kustomize: base}
    charted: {helm: {chart: chart, values: ["chart/{env}.yaml"], set: {tag: "v1,2"}}}
    hooked: {helm: {chart: hooked}}
    unhooked: {helm: {chart: hooked, skipHooks: true}}
    shop: {manifests: ["shop/*.yaml"]}
`,
    );
    write(
      "shop/shop.yaml",
      deployment("shop", "v1", 1).replace(/image: "[^"]+"/, `image: "${registry.address}/shop:latest"`),
    );
  });
  afterAll(async () => {
    cluster?.stop();
    await registry?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const write = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(project, file)), { recursive: true });
    writeFileSync(path.join(project, file), text);
  };
  const call = (...words: string[]): Promise<CliResult> =>
    fastloop(["-m", packageRoot, "call", ...words], { cwd: project });
  const onCluster = (...words: string[]): Promise<CliResult> => {
    const [name = "", ...rest] = words;
    const access = ["--kubeconfig", "file://./kubeconfig", "--cluster", `tcp://127.0.0.1:${cluster.port}`];
    return call(name, "--source", ".", ...access, ...rest);
  };

  async function passed(ended: Promise<CliResult>): Promise<string> {
    const { exitCode, stdout, stderr } = await ended;
    expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
    return stdout;
  }
  const render = (...words: string[]): Promise<CliResult> =>
    call("render", "--source", ".", "--env", "staging", ...words, "contents");

  test("render gives manifests and kustomizations with images by digest", async () => {
    const web = `registry.local/web=registry.local/web:v9@${digest}`;
    const text = await passed(render("--app", "web,kustomized", "--image", web));
    expect(text).toMatch(/# deploy\/web\.yaml:1\n[^]*name: web\n[^]*# base \(kustomize\):1\n[^]*name: my-web\n/);
    expect(text.match(new RegExp(`image: registry.local/web:v9@${digest}`, "g"))).toHaveLength(2);
  });

  test("render gives a chart with the values of its environment, without its tests", async () => {
    const text = await passed(render("--app", "charted"));
    expect(text).toContain("name: charted-web");
    expect(text).toContain("replicas: 3");
    expect(text).toContain("image: registry.local/charted-web:v1,2");
    expect(text).not.toContain("kind: Pod\n");
  });

  test("a chart's hooks are kept with what they say, but for those that are none of a deploy", async () => {
    const text = await passed(render("--app", "hooked"));
    expect(text).toMatch(/name: migrate\n[^]*helm\.sh\/hook: pre-upgrade/);
    expect(await passed(render("--app", "unhooked"))).not.toContain("migrate");
  });

  test("a chart and a manifest that are broken are refused in a line or two, without a word of ours about code", async () => {
    write("chart/templates/broken.yaml", "{{ .Values.none.at.all }}");
    const chart = await render("--app", "charted");
    rmSync(path.join(project, "chart/templates/broken.yaml"));
    expect(chart.exitCode, chart.stderr).toBe(2);
    expect(chart.stderr).toMatch(
      /error: chart: can't be rendered: Error: charted\/templates\/broken.yaml|broken\.yaml:1/,
    );
    write("shop/broken.yaml", "kind: [");
    const manifest = await render("--app", "shop");
    rmSync(path.join(project, "shop/broken.yaml"));
    expect(manifest.exitCode, manifest.stderr).toBe(2);
    expect(manifest.stderr).toContain("error: shop/broken.yaml:1: ");
    for (const { stderr } of [chart, manifest]) expect(stderr).not.toMatch(/pipelines\/src|at async/);
  });

  test("an image for charts and kustomizations that lacks the program is named", async () => {
    const text = readFileSync(path.join(project, "fastloop.yaml"), "utf8");
    write("fastloop.yaml", text.replace("deploy:\n", 'deploy:\n  tools: "debian:bookworm-slim"\n'));
    const ended = [await render("--app", "charted"), await render("--app", "kustomized")];
    write("fastloop.yaml", text);
    const lacks = "the image debian:bookworm-slim, which `deploy.tools` names, has no";
    expect(ended[0]?.stderr).toContain(`chart: can't be rendered: ${lacks} helm\n`);
    expect(ended[1]?.stderr).toContain(`base: can't be rendered: ${lacks} kubectl\n`);
    expect(ended.map(({ exitCode }) => exitCode)).toEqual([2, 2]);
  });

  test("an image, an app and an environment that are not there are told with those that are", async () => {
    expect((await render("--app", "web", "--image", `registry.local/wbe=x@${digest}`)).stderr).toContain(
      "no manifest has this image; there are: registry.local/web:v1",
    );
    expect((await render("--app", "wbe")).stderr).toContain("there is no app `wbe` in `deploy.apps`; there are: web,");
    const { stderr } = await call("render", "--source", ".", "--env", "prod", "contents");
    expect(stderr).toContain("there is no environment `prod` in `deploy.environments`; there are: staging, production");
  });

  test("diff, deploy, deploy-status and rollback work on a cluster of this machine", async () => {
    expect(await passed(onCluster("diff", "--env", "staging", "--app", "web"))).toContain(
      "Deployment/web (deploy/web.yaml:1): create",
    );
    expect(await passed(onCluster("deploy", "--env", "staging", "--app", "web", "--revision", "abc"))).toContain(
      "web: release 1 is deployed",
    );
    expect(await passed(onCluster("deploy", "--env", "staging", "--app", "web"))).toContain(
      "nothing to change, release 1 stands",
    );
    expect(await passed(onCluster("deploy-status", "--env", "staging", "--app", "web"))).toMatch(
      /release 1 deployed, \S+ by admin, commit abc/,
    );
    const rollback = await onCluster("rollback", "--env", "staging", "--app", "web");
    expect(rollback.exitCode).toBe(2);
    // In our words: what runs in which container is nothing that a user can act on.
    expect(rollback.stderr).toContain("error: web has no earlier release that was deployed; there are: 1 (deployed)");
    expect(rollback.stderr).not.toContain("deployer.mjs failed");
    expect(rollback.stderr).not.toContain("admin-token");
  });

  test("a server on this machine that is not bound as a service is told, with the way to bind it", async () => {
    const { exitCode, stderr } = await call(
      "diff",
      "--source",
      ".",
      "--kubeconfig",
      "file://./kubeconfig",
      "--env",
      "staging",
      "--app",
      "web",
    );
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`a container reaches only as a service: add --cluster tcp://127.0.0.1:${cluster.port}`);
  });

  test("release publishes, and deploys by the digest that came of it", async () => {
    const text = await passed(onCluster("release", "--env", "staging", "--app", "shop"));
    const reference = /published (\S+@sha256:[0-9a-f]{64})/.exec(text)?.[1];
    const there = await cluster.client().get("/apis/apps/v1/namespaces/functions/deployments/shop");
    expect(textAt(there, "spec", "template", "spec", "containers", 0, "image")).toBe(reference);
  });

  test("release to production is refused before anything is published", async () => {
    const { exitCode, stderr } = await onCluster(
      "release",
      "--env",
      "production",
      "--app",
      "shop",
      "--address",
      `${registry.address}/shop:never`,
    );
    expect(exitCode).toBe(2);
    expect(stderr).toContain("production is production: say --yes production to change it");
    const tags = (await (await fetch(`http://${registry.address}/v2/shop/tags/list`)).json()) as {
      tags: string[] | null;
    };
    expect(tags.tags ?? []).not.toContain("never");
  });

  test("production takes no image without a digest", async () => {
    const { exitCode, stderr } = await onCluster(
      "deploy",
      "--env",
      "production",
      "--app",
      "web",
      "--yes",
      "production",
    );
    expect(exitCode).toBe(2);
    expect(stderr).toContain("these images have no digest: registry.local/web:v1");
  });
});
