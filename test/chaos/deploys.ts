/**
 * Deploys of random sets, killed at random: the deployer, the command line with its engine, the API server. Whatever was killed,
 * a deploy that says it is done has left exactly what it describes; nothing of others is touched; the other cluster sees nothing.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isMissing, listAll, type Cluster } from "../../src/deploy/cluster/client.ts";
import { listAt, textAt } from "../../src/deploy/objects/objects.ts";
import { TestCluster } from "../deploy/cluster.ts";
import { configMap, deployment, start } from "../deploy/deployer.ts";
import { Random } from "./random.ts";

export interface DeployChaosOptions {
  seed: number;
  deploys: number;
  /** The built command line; without it only the deployer itself is run and killed. */
  cliFile?: string;
  note: (text: string) => void;
}

export interface DeployChaosResult {
  deploys: number;
  killed: number;
  apiKills: number;
  /** Deploys that ended well, and were compared with what they describe. */
  compared: number;
  /** What must not be: a set that is not whole, an object of others that is gone, anything in the other cluster. */
  differences: string[];
}

/** Apps beside each other: a killed deploy's lease is waited for, and the others go on meanwhile. */
const lanes = 8;
const mostTries = 12;

interface Wanted {
  text: string;
  /** Values of the ConfigMaps by name. */
  values: Map<string, string>;
  tag: string | undefined;
}

export async function chaosOfDeploys({ seed, deploys, cliFile, note }: DeployChaosOptions): Promise<DeployChaosResult> {
  const result: DeployChaosResult = { deploys: 0, killed: 0, apiKills: 0, compared: 0, differences: [] };
  const [cluster, other] = await Promise.all([TestCluster.start(), TestCluster.start()]);
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-chaos-deploys-"));
  const ended = new AbortController();
  try {
    const client = cluster.client();
    const untouched = await othersObjects(client);
    const before = await countOf(other.client());
    const killing = killApi(cluster, new Random(seed + 1), result, ended.signal);
    await Promise.all(
      Array.from({ length: lanes }, (_, lane) =>
        runLane(
          { lane, cluster, client, folder, cliFile: lane === 0 ? cliFile : undefined, note, result },
          seed,
          deploys,
        ),
      ),
    );
    ended.abort();
    await killing;
    for (const [name, uid] of untouched)
      if ((await uidOf(client, name)) !== uid) result.differences.push(`${name} of others is another object or gone`);
    if ((await countOf(other.client())) !== before) result.differences.push("the other cluster has something new");
    return result;
  } finally {
    ended.abort();
    cluster.stop();
    other.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Lane {
  lane: number;
  cluster: TestCluster;
  client: Cluster;
  folder: string;
  cliFile: string | undefined;
  note: (text: string) => void;
  result: DeployChaosResult;
}

async function runLane(lane: Lane, seed: number, deploys: number): Promise<void> {
  const { result, note } = lane;
  const random = new Random(seed * 100 + lane.lane);
  const namespace = `lane-${lane.lane}`;
  for (let count = 0; count < Math.ceil(deploys / lanes); count++) {
    const wanted = randomSet(random, count);
    const isKilled = random.below(3) > 0;
    result.deploys++;
    if (isKilled) {
      result.killed++;
      await killedDeploy(lane, namespace, wanted, random);
      // Half of the killed ones are followed by another set: that one has to finish the job as well.
      if (random.below(2) === 0) continue;
    }
    await finishedDeploy(lane, namespace, wanted);
    note(`lane ${lane.lane}: ${result.deploys} deploys, ${result.killed} killed, ${result.compared} compared`);
  }
  await finishedDeploy(lane, namespace, randomSet(random, deploys));
}

function randomSet(random: Random, count: number): Wanted {
  const values = new Map<string, string>();
  for (let index = 0; index < 6; index++)
    if (random.below(3) > 0) values.set(`c-${index}`, `${count}-${random.below(5)}`);
  const tag = random.below(3) === 0 ? `v${random.below(4)}` : undefined;
  const texts = [...values].map(([name, value]) => configMap(name, value));
  const all = [configMap("always", String(count)), ...texts, ...(tag === undefined ? [] : [deployment("web", tag, 1)])];
  return { text: all.join("---\n"), values: values.set("always", String(count)), tag };
}

const environment = (namespace: string) => ({ namespace, prune: true, timeoutMs: 120_000 });

async function killedDeploy(lane: Lane, namespace: string, wanted: Wanted, random: Random): Promise<void> {
  if (lane.cliFile !== undefined) return killedCli(lane, lane.cliFile, namespace, wanted, random);
  const running = start(lane.cluster.kubeconfig(), { environment: environment(namespace), apps: { app: wanted.text } });
  await Promise.race([running.ended, sleep(200 + random.below(2500))]);
  running.child.kill("SIGKILL");
  await running.ended;
}

/** The whole way, by the command line: it is killed, and one time in three the engine below it too. */
async function killedCli(
  { cluster, folder }: Lane,
  cliFile: string,
  namespace: string,
  wanted: Wanted,
  random: Random,
): Promise<void> {
  mkdirSync(path.join(folder, ".git"), { recursive: true });
  writeFileSync(path.join(folder, "kubeconfig"), cluster.kubeconfig({ context: "kind-chaos" }));
  writeFileSync(path.join(folder, "app.yaml"), wanted.text);
  writeFileSync(
    path.join(folder, "fastloop.yaml"),
    `version: 1\nmodule: fastloop\ndeploy:\n  environments: {staging: {namespace: ${namespace}, prune: true}}\n  apps: {app: {manifests: [app.yaml]}}\n`,
  );
  const env = { ...process.env, KUBECONFIG: path.join(folder, "kubeconfig"), GITHUB_STEP_SUMMARY: "" };
  const options = { cwd: folder, env, stdio: "ignore" } as const;
  const child = spawn(process.execPath, [cliFile, "deploy", "staging", "--trust"], options);
  const ended = new Promise((resolve) => child.once("close", resolve));
  await Promise.race([ended, sleep(2000 + random.below(8000))]);
  child.kill("SIGKILL");
  await ended;
  if (random.below(3) > 0) return;
  const pid = await enginePid(cliFile, options);
  if (pid !== undefined) process.kill(pid, "SIGKILL");
}

async function enginePid(
  cliFile: string,
  { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<number | undefined> {
  const child = spawn(process.execPath, [cliFile, "engine", "status", "--json"], {
    cwd,
    env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (more: string) => (text += more));
  await new Promise((resolve) => child.once("close", resolve));
  try {
    const { pid } = JSON.parse(text) as { pid?: number };
    return pid;
  } catch {
    return undefined;
  }
}

/** Deploys until it says that it is done; while the API server is being killed it may say something else first. */
async function finishedDeploy(lane: Lane, namespace: string, wanted: Wanted): Promise<void> {
  const { cluster, client, result } = lane;
  let told = "";
  for (let attempt = 0; attempt < mostTries; attempt++) {
    const asked = { environment: environment(namespace), apps: { app: wanted.text } };
    const { code, stdout, stderr } = await start(cluster.kubeconfig(), asked).ended;
    told = `${stdout}\n${stderr}`;
    if (code !== 0) continue;
    result.compared++;
    result.differences.push(...(await differencesOf(client, namespace, wanted)));
    return;
  }
  result.differences.push(`${namespace}: not finished after ${mostTries} deploys: ${told}`);
}

/** What is there beside what was described, to the last object of the app's. */
async function differencesOf(client: Cluster, namespace: string, wanted: Wanted): Promise<string[]> {
  const base = `/api/v1/namespaces/${namespace}`;
  const found = new Map(
    (await listAll(client, `${base}/configmaps`, { labelSelector: "applyset.kubernetes.io/part-of" })).map((item) => [
      textAt(item, "metadata", "name"),
      textAt(item, "data", "key"),
    ]),
  );
  const differences = [...wanted.values].flatMap(([name, value]) =>
    found.get(name) === value ? [] : [`${namespace}: ${name} is ${found.get(name)}, not ${value}`],
  );
  for (const name of found.keys())
    if (!wanted.values.has(name ?? "")) differences.push(`${namespace}: ${name} is there and not described`);
  const deployments = await listAll(client, `/apis/apps/v1/namespaces/${namespace}/deployments`);
  const images = deployments.map((item) => textAt(item, "spec", "template", "spec", "containers", 0, "image"));
  const expected = wanted.tag === undefined ? [] : [`registry.local/web:${wanted.tag}`];
  if (JSON.stringify(images) !== JSON.stringify(expected))
    differences.push(`${namespace}: deployments are ${images.join(", ")}, not ${expected.join(", ")}`);
  const releases = await listAll(client, `${base}/secrets`, { labelSelector: "fastloop.dev/app=app" });
  const pending = releases.filter((item) => textAt(item, "metadata", "labels", "fastloop.dev/outcome") === "pending");
  if (pending.length > 0)
    differences.push(`${namespace}: ${pending.length} releases are pending after a deploy that is done`);
  return differences;
}

/** Kills the API server now and then, and lets it come back. */
async function killApi(
  cluster: TestCluster,
  random: Random,
  result: DeployChaosResult,
  signal: AbortSignal,
): Promise<void> {
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);
  for (;;) {
    await pause(15_000 + random.below(15_000));
    if (signal.aborted) return;
    await cluster.killApi();
    result.apiKills++;
    await pause(random.below(3000));
    await cluster.startApi();
  }
}

/** Namespaces of the lanes, each with an object of somebody else's; names of these and their UIDs. */
async function othersObjects(client: Cluster): Promise<Map<string, string>> {
  const uids = new Map<string, string>();
  for (let lane = 0; lane < lanes; lane++) {
    const namespace = `lane-${lane}`;
    await client.request("POST", "/api/v1/namespaces", {
      body: { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    });
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "others" }, data: { key: "theirs" } };
    await client.request("POST", path, { body });
    uids.set(`${path}/others`, (await uidOf(client, `${path}/others`)) ?? "");
  }
  return uids;
}

async function uidOf(client: Cluster, path: string): Promise<string | undefined> {
  try {
    return textAt(await client.get(path), "metadata", "uid");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const countOf = async (client: Cluster): Promise<number> =>
  listAt(await client.get("/api/v1/configmaps"), "items").length +
  listAt(await client.get("/api/v1/secrets"), "items").length +
  listAt(await client.get("/apis/coordination.k8s.io/v1/leases"), "items").filter(
    (item) => textAt(item, "metadata", "namespace") !== "kube-node-lease",
  ).length;
