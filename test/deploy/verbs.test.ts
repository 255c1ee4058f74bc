// The verbs of `deploy:` as a user types them: the kubeconfig of this machine, an API server on loopback, exit codes, JSON.
// What needs a process, a terminal, or tools that speak to a whole API server is not in the unit suite.
import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../bench/registry.ts";
import { cliFile, fastloop as fastloopProcess, type CliResult } from "../e2e/cli-process.ts";
import { TerminalProcess } from "../e2e/terminal-process.ts";
import { fastloop as fastloopHere } from "../unit/cli/fastloop.ts";
import { canRunEngine, startOwnEngine, type OwnEngine } from "../unit/own-engine.ts";
import { textAt } from "../../src/deploy/objects/objects.ts";
import { packageRoot } from "../../src/paths/index.ts";
import { configMap, deployment } from "./deployer.ts";
import { isSmall, noWorld, startWorld, type World } from "./world.ts";

/** In the unit suite in the tests' process, on an engine in it. */
const fastloop = isSmall ? fastloopHere : fastloopProcess;

describe.skipIf(noWorld !== undefined || (isSmall && !canRunEngine))("the verbs that deploy", () => {
  let cluster: World;
  let engine: OwnEngine | undefined;
  let folder: string;
  let project: string;
  let port: number;
  const running = new Set<ChildProcess>();

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "fastloop-verbs-"));
    project = path.join(folder, "project");
    mkdirSync(path.join(project, ".git"), { recursive: true });
    if (isSmall) engine = await startOwnEngine();
    [cluster, port] = await Promise.all([startWorld(), freePort()]);
    for (const name of ["dev", "watched", "cloud", "production", "killed", "shop"])
      await cluster
        .client()
        .request("POST", "/api/v1/namespaces", { body: { apiVersion: "v1", kind: "Namespace", metadata: { name } } });
    writeFileSync(path.join(folder, "kubeconfig"), cluster.kubeconfig({ context: "kind-shop" }));
    write("web/web.yaml", deployment("web", "v1", 1));
    write("api/api.yaml", configMap("api", "1"));
    write(
      "fastloop.yaml",
      `version: 1
name: shop
module: fastloop
deploy:
  environments:
    dev: {namespace: dev}
    named: {context: kind-shop, namespace: dev}
    watched: {namespace: watched}
    cloud: {context: cloud, namespace: cloud}
    killed: {namespace: killed}
    careful: {context: kind-shop, namespace: dev, watch: false}
    production: {context: kind-shop, namespace: production, production: true}
  apps:
    web: {manifests: [web/], forward: ["${port}:8080"]}
    api: {manifests: [api/]}
    chart: {helm: {chart: chart}}
    tool: {custom: {apply: "sh tool/tool.sh apply {env}", delete: "sh tool/tool.sh delete {env}", inputs: [tool/]}}
`,
    );
    write("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 0.1.0\n");
    write("chart/templates/all.yaml", deployment("chart", "v1", 1));
    write("tool/made.yaml", configMap("made", "1"));
    write("tool/tool.sh", "ls\nexec kubectl $1 -f tool/made.yaml\n");
  });
  afterAll(async () => {
    for (const child of running) child.kill("SIGKILL");
    cluster?.stop();
    await engine?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const write = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(project, file)), { recursive: true });
    writeFileSync(path.join(project, file), text);
  };
  const env = (): NodeJS.ProcessEnv => ({ KUBECONFIG: path.join(folder, "kubeconfig"), GITHUB_STEP_SUMMARY: "" });
  const run = (words: string[], more: NodeJS.ProcessEnv = {}): Promise<CliResult> =>
    fastloop(words, { cwd: project, env: { ...env(), ...more } });
  async function passed(words: string[], more?: NodeJS.ProcessEnv): Promise<string> {
    const { exitCode, stdout, stderr } = await run([...words, "--trust"], more);
    expect(exitCode, `${words.join(" ")}\n${stdout}\n${stderr}`).toBe(0);
    return stdout;
  }

  test("a repository does not choose a cluster without the user's word", async () => {
    const { exitCode, stderr } = await run(["diff", "dev"]);
    expect(exitCode).toBe(2);
    expect(stderr.replaceAll(/sha256:[0-9a-f]{16}/g, "DIGEST")).toContain(
      "deploys to the cluster of this machine by commands of tool (apply: 'sh tool/tool.sh apply {env}' with tool/tool.sh DIGEST, delete: 'sh tool/tool.sh delete {env}' with tool/tool.sh DIGEST) with your credentials",
    );
    expect((await run(["trust", "--show", "--json"])).stdout).toContain('"kind":"cluster"');
  });

  test("diff, deploy, status and rollback go to a cluster of this machine by its name alone", async () => {
    const both = ["--app", "web", "--app", "api"];
    expect(await passed(["diff", "dev", ...both])).toContain("web: Deployment/web (web/web.yaml:1): create");
    expect((await run(["diff", "dev", ...both, "--exit-code", "--trust"])).exitCode).toBe(1);
    const summary = path.join(folder, "summary.md");
    const first = JSON.parse(
      await passed(["deploy", "dev", ...both, "--json", "--revision", "abc"], { GITHUB_STEP_SUMMARY: summary }),
    ) as unknown;
    expect(first).toMatchObject({
      action: "deploy",
      environment: "dev",
      namespace: "dev",
      apps: [
        { app: "web", release: 1, isUnchanged: false, changed: ["Deployment/web"] },
        { app: "api", release: 1, isUnchanged: false },
      ],
      pinned: expect.stringContaining("dev is pinned to the cluster") as string,
    });
    expect(readFileSync(summary, "utf8")).toMatch(/### deploy dev: done\n\n```text\nweb: release 1 is deployed/);
    const again = await run(["deploy", "dev", ...both, "--trust"]);
    expect(again.stdout).toBe("web: nothing to change, release 1 stands\napi: nothing to change, release 1 stands\n");
    expect((await run(["diff", "dev", ...both, "--exit-code", "--trust"])).exitCode).toBe(0);
    write("web/web.yaml", deployment("web", "v2", 1));
    const second = await run(["deploy", "dev", "--app", "web", "--trust"]);
    expect(second.stdout).toContain("web: release 2 is deployed");
    // A line for each change while it waits, without being asked for.
    expect(second.stderr).toMatch(/^web: Deployment\/web: changed$/m);
    expect(await passed(["deploy-status", "dev"])).toMatch(/web: release 1 deployed, \S+ by admin, commit abc/);
    expect(await passed(["rollback", "dev", "--app", "web"])).toContain("web: back at release 1, as release 3");
    const refused = await run(["rollback", "dev", "--app", "api", "--trust"], { GITHUB_STEP_SUMMARY: summary });
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain("api has no earlier release that was deployed");
    expect(readFileSync(summary, "utf8")).toContain("### rollback dev: failed (exit code 2)");
    write("web/web.yaml", deployment("web", "v1", 1));
  });

  test("the first deploy pins the environment's cluster in fastloop.lock, and another one is refused with both identities", async () => {
    const lock = (): { clusters?: Record<string, string> } =>
      JSON.parse(readFileSync(path.join(project, "fastloop.lock"), "utf8")) as { clusters?: Record<string, string> };
    const identity = textAt(await cluster.client().get("/api/v1/namespaces/kube-system"), "metadata", "uid") ?? "";
    rmSync(path.join(project, "fastloop.lock"), { force: true });
    // What is refused pins nothing.
    write("api/api.yaml", "kind: [");
    expect((await run(["deploy", "dev", "--app", "api", "--trust"])).exitCode).not.toBe(0);
    write("api/api.yaml", configMap("api", "1"));
    expect(existsSync(path.join(project, "fastloop.lock"))).toBe(false);
    const summary = path.join(folder, "pinned.md");
    const first = await passed(["deploy", "dev", "--app", "api"], { CI: "true", GITHUB_STEP_SUMMARY: summary });
    const line = `dev is pinned to the cluster ${identity} from now on: commit fastloop.lock, with "clusters": {"dev": "${identity}"}`;
    expect(first).toContain(line);
    expect(readFileSync(summary, "utf8")).toContain(line);
    expect(lock()).toEqual({ version: 1, images: {}, clusters: { dev: identity } });
    expect(await passed(["deploy", "dev", "--app", "api"])).not.toContain("pinned");
    // Production is pinned by somebody's own hand: a checkout of CI is thrown away.
    const ci = await run(["deploy", "production", "--app", "api", "--yes", "production", "--trust"], { CI: "true" });
    expect(ci.exitCode).toBe(2);
    expect(ci.stderr).toContain(`commit "clusters": {"production": "${identity}"} in fastloop.lock`);
    expect(await passed(["deploy", "production", "--app", "api", "--yes", "production"], { CI: "" })).toContain(
      "production is pinned to the cluster",
    );
    const other = "00000000-0000-4000-8000-000000000000";
    write("fastloop.lock", JSON.stringify({ version: 1, images: {}, clusters: { dev: other } }));
    for (const verb of ["deploy", "rollback", "undeploy", "diff"]) {
      const refused = await run([verb, "dev", "--app", "api", "--trust"]);
      expect(refused.exitCode, refused.stderr).toBe(2);
      expect(refused.stderr).toContain(`it is pinned to ${other}, and this is ${identity}`);
    }
    rmSync(path.join(project, "fastloop.lock"));
  });

  test.skipIf(isSmall)(
    "an app of commands is deployed and taken away in the image of tools, with its inputs alone",
    async () => {
      const deployed = await run(["deploy", "dev", "--app", "tool", "--trust"]);
      expect(deployed.exitCode, deployed.stderr).toBe(0);
      expect(deployed.stdout).toContain("tool: release 1 is deployed (by its command)");
      expect(deployed.stderr).toContain("tool: tool\ntool: configmap/made created\n");
      const made = await cluster.client().get("/api/v1/namespaces/dev/configmaps/made");
      expect(textAt(made, "data", "key")).toBe("1");
      expect(await passed(["undeploy", "dev", "--app", "tool"])).toBe("tool: is gone, as release 2\n");
      expect((await run(["undeploy", "dev", "--trust"])).stderr).toContain("--app: says which apps");
    },
  );

  test.skipIf(isSmall)(
    "a command line that is killed mid-deploy deletes nothing, and the next one finishes: manifests and a chart",
    async () => {
      const killed = async (app: string): Promise<void> => {
        const child = spawn(process.execPath, [cliFile, "deploy", "killed", "--app", app, "--trust"], {
          cwd: project,
          env: { ...process.env, ...env() },
          stdio: ["ignore", "ignore", "pipe"],
        });
        running.add(child);
        const ended = new Promise((resolve) => child.once("close", resolve));
        let text = "";
        child.stderr.setEncoding("utf8").on("data", (more: string) => {
          text += more;
          if (text.includes(`${app}: Deployment/${app}: 0 of 1 available`)) child.kill("SIGKILL");
        });
        await ended;
        running.delete(child);
        expect(child.signalCode, text).toBe("SIGKILL");
      };
      const next = async (app: string): Promise<void> => {
        const { exitCode, stdout, stderr } = await run(["deploy", "killed", "--app", app, "--trust"]);
        expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
        expect(stderr).toContain(`${app}: the deploy of release 1 was interrupted; this one finishes what it left`);
        expect(stdout).toContain(`${app}: release 2 is deployed`);
        const found = await cluster.client().get(`/apis/apps/v1/namespaces/killed/deployments/${app}`);
        expect(textAt(found, "spec", "template", "spec", "containers", 0, "image")).toBe(`registry.local/${app}:v2`);
      };
      write("web/web.yaml", deployment("web", "v1-unready", 1));
      write("chart/templates/all.yaml", deployment("chart", "v1-unready", 1));
      await Promise.all([killed("web"), killed("chart")]);
      write("web/web.yaml", deployment("web", "v2", 1));
      write("chart/templates/all.yaml", deployment("chart", "v2", 1));
      await Promise.all([next("web"), next("chart")]);
      write("web/web.yaml", deployment("web", "v1", 1));
    },
  );

  test.skipIf(isSmall)("examples/shop is deployed, as a kustomization and as a chart", async () => {
    const shop = path.join(folder, "shop");
    cpSync(path.join(packageRoot(), "examples/shop"), shop, {
      recursive: true,
      filter: (file) => !file.includes("node_modules"),
    });
    mkdirSync(path.join(shop, ".git"));
    const inShop = async (...words: string[]): Promise<string> => {
      const ended = await fastloop(["-m", packageRoot(), ...words, "--trust"], { cwd: shop, env: env() });
      expect(ended.exitCode, `${ended.stdout}\n${ended.stderr}`).toBe(0);
      return ended.stdout;
    };
    expect(await inShop("deploy", "local")).toContain(
      "api: release 1 is deployed (2 changed: Service/api, Deployment/api)",
    );
    expect(await inShop("deploy", "local")).toBe("api: nothing to change, release 1 stands\n");
    const kustomize = 'api: { kustomize: "deploy/overlays/{env}"';
    const chart = 'api: { helm: { chart: deploy/chart, values: ["deploy/chart/values-{env}.yaml"] }';
    const config = path.join(shop, "fastloop.yaml");
    writeFileSync(config, readFileSync(config, "utf8").replace(kustomize, chart));
    expect(await inShop("deploy", "local")).toContain("api: release 2 is deployed (2 changed: ");
    expect(await inShop("deploy-status", "local")).toContain("api: is as it was deployed");
    expect(await inShop("rollback", "local")).toContain("api: back at release 1, as release 3");
    const image = `registry.example.com/shop/api=registry.example.com/shop/api@sha256:${"1".repeat(64)}`;
    expect(await inShop("render", "production", "--image", image)).toContain("replicas: 3");
  });

  test("render asks no cluster, and writes where it is told to", async () => {
    const nowhere = { KUBECONFIG: path.join(folder, "gone") };
    const { exitCode, stdout, stderr } = await run(["render", "dev", "--app", "api"], nowhere);
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain("# api/api.yaml:1\n");
    await run(["render", "dev", "--app", "api", "-o", "../rendered.yaml"], nowhere);
    expect(readFileSync(path.join(folder, "rendered.yaml"), "utf8")).toBe(stdout);
  });

  test("a configuration in another folder is taken with --config, and one with another name is refused", async () => {
    write("other/fastloop.yaml", "version: 1\nmodule: fastloop\ndeploy:\n  environments: {else: {namespace: dev}}\n  apps: {o: {manifests: [o.yaml]}}\n"); // prettier-ignore
    write("other/o.yaml", configMap("o", "1"));
    const other = ["--config", "other/fastloop.yaml"];
    expect(await passed(["render", "else", ...other])).toContain("# o.yaml:1\n");
    expect(await passed(["diff", "else", ...other])).toContain("o: ConfigMap/o (o.yaml:1): create");
    expect(await passed(["deploy", "else", ...other])).toContain("o: release 1 is deployed");
    expect(await passed(["deploy-status", "else", ...other])).toContain("o: is as it was deployed");
    expect(await passed(["undeploy", "else", "--app", "o", ...other])).toContain("o");
    write("other/else.yaml", "version: 1\ndeploy:\n  environments: {else: {}}\n  apps: {}\n");
    for (const verb of ["deploy", "render", "diff", "deploy-status", "rollback"]) {
      const { exitCode, stderr } = await run([verb, "else", "--config", "other/else.yaml"]);
      expect([exitCode, stderr], verb).toEqual([
        2,
        expect.stringContaining("deploys read fastloop.yaml, not else.yaml"),
      ]);
    }
  });

  test("credentials of a program and of files are resolved here, for the context that is taken", async () => {
    const plugin = path.join(folder, "plugin");
    writeFileSync(
      plugin,
      `#!/bin/sh\necho '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"admin-token"}}'\n`,
    );
    chmodSync(plugin, 0o755);
    const config = JSON.parse(cluster.kubeconfig({ context: "cloud" })) as {
      users: { user: object }[];
      clusters: { cluster: Record<string, unknown> }[];
    };
    config.users[0]!.user = { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "./plugin" } };
    delete config.clusters[0]!.cluster["certificate-authority-data"];
    config.clusters[0]!.cluster["certificate-authority"] = "ca.crt";
    writeFileSync(path.join(folder, "ca.crt"), cluster.ca());
    writeFileSync(path.join(folder, "cloud"), JSON.stringify(config));
    const cloud = ["--kubeconfig", path.join(folder, "cloud")];
    expect(await passed(["diff", "cloud", ...cloud, "--app", "api"])).not.toBe("");
    // The module's functions alone can't: they run where neither is.
    const call = await run(["call", "diff", "--env", "cloud", "--kubeconfig", `file://${path.join(folder, "cloud")}`]);
    expect(call.stderr).toContain("names files, which a container can't read");
  });

  test("what is asked for wrongly is told with what there is", async () => {
    const unknown = await run(["deploy", "devv"]);
    expect(unknown.exitCode).toBe(2);
    expect(unknown.stderr).toContain("there is no environment `devv` in `deploy.environments`");
    expect(unknown.stderr).toContain("hint: there are: dev, named, watched, cloud, killed, careful, production");
    const app = await run(["deploy", "dev", "--app", "wbe", "--json"]);
    expect(JSON.parse(app.stderr.trim().split("\n").at(-1) ?? "")).toMatchObject({ error: { exitCode: 2 } });
    const other = await run(["deploy", "named", "--context", "other", "--trust"]);
    expect(other.stderr).toContain("named is in the context kind-shop, not other");
    expect((await run(["complete", "--", "deploy", ""])).stdout).toMatch(
      /^dev\t[^]*^production\tproduction, kind-shop$/m,
    );
  });

  test("production wants its name, typed at a terminal or said with --yes", async () => {
    const { exitCode, stderr } = await run(["deploy", "production", "--trust"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("production is production, and no terminal is attached to type its name at");
    expect((await run(["rollback", "production", "--trust", "--yes", "dev"])).stderr).toContain("--yes says dev");
    if (isSmall) return;
    const before = process.env["KUBECONFIG"];
    process.env["KUBECONFIG"] = path.join(folder, "kubeconfig");
    const terminal = new TerminalProcess(project, ["deploy", "production", "--trust", "--app", "api"]);
    try {
      await terminal.shows("Type production to go on:");
      terminal.press("prod\r");
      await terminal.shows("the input is not production");
      expect(await terminal.end()).toContain("ended with 2");
    } finally {
      await terminal.remove();
      if (before === undefined) delete process.env["KUBECONFIG"];
      else process.env["KUBECONFIG"] = before;
    }
  });

  test("an API server that can't be reached is exit code 3", async () => {
    const gone = path.join(folder, "gone-server");
    writeFileSync(gone, cluster.kubeconfig({ context: "kind-shop" }).replace(`:${cluster.port}`, ":1"));
    const { exitCode, stderr } = await run(["diff", "dev", "--trust", "--kubeconfig", gone]);
    expect(exitCode, stderr).toBe(3);
    expect(stderr).toContain("can't be reached");
  });

  test("--watch is for environments that allow it", async () => {
    for (const name of ["careful", "production"]) {
      const { exitCode, stderr } = await run(["deploy", name, "--watch", "--trust"]);
      expect(exitCode).toBe(2);
      expect(stderr).toContain(`${name} does not allow deploying on each edit`);
    }
  });

  test.skipIf(isSmall)(
    "--watch deploys again what an edit affects, forwards, follows logs, and outlives failures",
    async () => {
      const child = spawn(
        process.execPath,
        [cliFile, "deploy", "watched", "--watch", "--app", "web", "--app", "api", "--trust", "--timeout", "60s"],
        {
          cwd: project,
          env: { ...process.env, ...env() },
          stdio: ["ignore", "pipe", "pipe"],
        },
      );
      running.add(child);
      let text = "";
      child.stdout.setEncoding("utf8").on("data", (more: string) => (text += more));
      child.stderr.setEncoding("utf8").on("data", (more: string) => (text += more));
      const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
      const shows = async (wanted: RegExp | string): Promise<void> => {
        for (let attempt = 0; attempt < 1200; attempt++) {
          if (typeof wanted === "string" ? text.includes(wanted) : wanted.test(text)) return;
          if (child.exitCode !== null) break;
          await sleep(100);
        }
        throw new Error(`did not show ${String(wanted)}:\n${text}`);
      };
      const image = async (): Promise<string | undefined> =>
        textAt(
          await cluster.client().get("/apis/apps/v1/namespaces/watched/deployments/web"),
          "spec",
          "template",
          "spec",
          "containers",
          0,
          "image",
        );
      const fetched = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/`)).text();
      await shows("api: release 1 is deployed");
      expect(await fetched()).toMatch(/^web-\S+:8080\n$/);
      await shows(/^web web-\S+\/main \| line \d+$/m);
      // Only the app that the edit is about.
      text = "";
      write("api/api.yaml", configMap("api", "2"));
      await shows("api: release 2 is deployed");
      expect(text).toContain("api: changed");
      expect(text).not.toContain("web: nothing to change");
      // A broken manifest, then a release that fails: it goes on.
      text = "";
      write("web/web.yaml", deployment("web", "v3-nopull", 1));
      await shows("waiting for the next edit");
      expect(text).toContain("web: release 2 did not become ready");
      // The forward still leads to the pod that serves.
      expect(await fetched()).toMatch(/^web-/);
      text = "";
      write("web/web.yaml", deployment("web", "v4", 1));
      await shows("web: release 3 is deployed");
      expect(await image()).toBe("registry.local/web:v4");
      expect(await fetched()).toMatch(/^web-/);
      // A configuration that is broken is told, and the last good one holds.
      text = "";
      const config = readFileSync(path.join(project, "fastloop.yaml"), "utf8");
      write("fastloop.yaml", config.replace("name: shop", "nam: shop"));
      await shows("nam");
      write("fastloop.yaml", config);
      child.kill("SIGINT");
      expect(await ended).toBe(130);
      await expect(fetched()).rejects.toThrow();
      running.delete(child);
    },
  );
});
