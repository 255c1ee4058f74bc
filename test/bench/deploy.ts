/**
 * Deploys beside kubectl and helm on the same API server, in the same run and interleaved: nothing changed, another image,
 * 100 objects. The deployer is measured by itself and as `fastloop deploy`, which starts a session and a container for it.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { configMap, deployment, start } from "../deploy/deployer.ts";
import { TestCluster } from "../deploy/cluster.ts";
import { cliFile } from "./cli.ts";
import { kubernetesTools } from "./kubernetes-tools.ts";
import { startPrivateEngine } from "./private-engine.ts";
import { median } from "./stats.ts";
import type { Bench, Report, Row } from "./types.ts";

const rounds = 3;

export const deployBench: Bench = {
  name: "deploy",
  summary: "no-op, image change and 100 objects beside kubectl and helm on the same API server",
  run: async (report) => {
    const tools = kubernetesTools();
    const cluster = await TestCluster.start();
    const top = mkdtempSync(path.join(tmpdir(), "fastloop-bench-deploy-"));
    const engine = await startPrivateEngine(report.note);
    try {
      const place = await prepare(cluster, top, tools);
      return [...(await smallSet(place, report)), ...(await largeSet(place, report))];
    } finally {
      await engine.stop();
      cluster.stop();
      rmSync(top, { recursive: true, force: true });
    }
  },
};

type Tool = "kubectl" | "helm" | "deployer" | "fastloop";

interface Place {
  folder: string;
  cluster: TestCluster;
  run: (file: string, words: readonly string[], accepted?: readonly number[]) => Promise<void>;
  kubectl: string;
  helm: string;
}

async function prepare(
  cluster: TestCluster,
  top: string,
  { kubectl, helm }: ReturnType<typeof kubernetesTools>,
): Promise<Place> {
  const [folder, home] = ["project", "home"].map((name) => path.join(top, name)) as [string, string];
  mkdirSync(home);
  mkdirSync(path.join(folder, ".git"), { recursive: true });
  mkdirSync(path.join(folder, "chart/templates"), { recursive: true });
  mkdirSync(path.join(folder, "deploy"), { recursive: true });
  writeFileSync(path.join(folder, "chart/Chart.yaml"), "apiVersion: v2\nname: web\nversion: 0.1.0\n");
  writeFileSync(path.join(folder, "kubeconfig"), cluster.kubeconfig({ context: "kind-bench" }));
  writeFileSync(
    path.join(folder, "fastloop.yaml"),
    "version: 1\nmodule: fastloop\ndeploy:\n  environments: {bench: {namespace: fastloop}}\n  apps: {web: {manifests: [deploy/]}}\n",
  );
  for (const name of ["kubectl", "helm", "deployer", "fastloop"] satisfies Tool[])
    await cluster
      .client()
      .request("POST", "/api/v1/namespaces", { body: { apiVersion: "v1", kind: "Namespace", metadata: { name } } });
  const env = {
    ...process.env,
    KUBECONFIG: path.join(folder, "kubeconfig"),
    GITHUB_STEP_SUMMARY: "",
    HOME: home,
    // What set-up made is the user's own.
    XDG_CACHE_HOME: process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache"),
  };
  const run: Place["run"] = (file, words, accepted = [0]) =>
    new Promise((resolve, reject) => {
      const child = spawn(file, words, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
      let text = "";
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding("utf8").on("data", (more: string) => (text += more));
      child.once("error", reject);
      child.once("close", (code) =>
        accepted.includes(code ?? -1)
          ? resolve()
          : reject(new Error(`${path.basename(file)} ${words.join(" ")}: ${code}\n${text}`)),
      );
    });
  return { folder, cluster, run, kubectl, helm };
}

/** What every tool is to bring about: manifests as files, as a chart and as a request. */
function write({ folder }: Place, text: string): void {
  writeFileSync(path.join(folder, "deploy/all.yaml"), text);
  writeFileSync(path.join(folder, "chart/templates/all.yaml"), text);
}

const small = (tag: string): string =>
  [deployment("web", tag, 2), ...Array.from({ length: 9 }, (_, index) => configMap(`c-${index}`, "1"))].join("---\n");
const large = (value: string): string =>
  Array.from({ length: 100 }, (_, index) => configMap(`l-${index}`, value)).join("---\n");

/** One deploy of what is written, waited for until it is ready, as each tool does it. */
function deployers(place: Place, text: () => string): Record<Tool, () => Promise<void>> {
  const { run, kubectl, helm, cluster } = place;
  const files = ["apply", "--server-side", "-n", "kubectl", "-f", "deploy/"];
  return {
    kubectl: async () => {
      await run(kubectl, files);
      if (text().includes("kind: Deployment"))
        await run(kubectl, ["rollout", "status", "deployment/web", "-n", "kubectl", "--timeout=120s"]);
    },
    helm: () => run(helm, ["upgrade", "--install", "web", "chart", "-n", "helm", "--wait", "--timeout", "120s"]),
    deployer: async () => {
      const asked = { environment: { namespace: "deployer" }, apps: { web: text() } };
      const { code, stdout } = await start(cluster.kubeconfig(), asked).ended;
      if (code !== 0) throw new Error(`the deployer: ${stdout}`);
    },
    fastloop: () => run(process.execPath, [cliFile, "deploy", "bench", "--trust"]),
  };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

const tools: readonly Tool[] = ["kubectl", "helm", "deployer", "fastloop"];

async function smallSet(place: Place, { note }: Report): Promise<Row[]> {
  let text = small("v0");
  const by = deployers(place, () => text);
  write(place, text);
  for (const tool of tools) await by[tool]();
  note("10 objects are there");
  const changed: Record<Tool, number[]> = { kubectl: [], helm: [], deployer: [], fastloop: [] };
  const same: Record<Tool | "diff", number[]> = { ...structuredClone(changed), diff: [] };
  for (let round = 1; round <= rounds; round++) {
    write(place, (text = small(`v${round}`)));
    for (const tool of tools) changed[tool].push(await timed(by[tool]));
    same.diff.push(
      await timed(() => place.run(place.kubectl, ["diff", "--server-side", "-n", "kubectl", "-f", "deploy/"])),
    );
    for (const tool of tools) same[tool].push(await timed(by[tool]));
    note(`round ${round} of ${rounds}`);
  }
  const diff = median(same.diff);
  return [
    ...tools.map((tool) =>
      row(
        `nothing changed, 10 objects: ${tool}`,
        median(same[tool]),
        diff,
        "kubectl diff",
        isOurs(tool) ? 1.3 : undefined,
      ),
    ),
    ...tools.map((tool) =>
      row(
        `another image, 10 objects: ${tool}`,
        median(changed[tool]),
        median(changed.kubectl),
        "kubectl apply and rollout status",
        isOurs(tool) ? 1.2 : undefined,
      ),
    ),
  ];
}

async function largeSet(place: Place, { note }: Report): Promise<Row[]> {
  let text = large("0");
  const by = deployers(place, () => text);
  write(place, text);
  for (const tool of tools) await by[tool]();
  const changed: Record<Tool, number[]> = { kubectl: [], helm: [], deployer: [], fastloop: [] };
  for (let round = 1; round <= rounds; round++) {
    write(place, (text = large(String(round))));
    for (const tool of tools) changed[tool].push(await timed(by[tool]));
    note(`100 objects: round ${round} of ${rounds}`);
  }
  const reference = median(changed.kubectl);
  return tools.map((tool) => row(`100 objects changed: ${tool}`, median(changed[tool]), reference, "kubectl apply"));
}

const isOurs = (tool: Tool): boolean => tool === "deployer" || tool === "fastloop";

function row(name: string, value: number, reference: number, against: string, aim?: number): Row {
  const ratio = value / reference;
  const judged = aim === undefined ? {} : { aim: `<= ${aim}x`, met: ratio <= aim };
  return { case: name, value, unit: "ms", reference, ratio, against, ...judged };
}
