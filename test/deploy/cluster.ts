/** A real Kubernetes API server for a test file: etcd, kube-apiserver, controllers, and a node that plays its pods. */
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { freePort } from "../bench/registry.ts";
import type * as clusterTools from "../../tools/cluster.mjs";
import { packageRoot } from "../../src/paths/index.ts";
import { Cluster } from "../../src/deploy/cluster/client.ts";
import { readKubeconfig } from "../../src/deploy/cluster/kubeconfig.ts";
import { kubeconfigText, type KubeconfigOptions } from "./kubeconfig-text.ts";

// By its place, as its sources lie beside it: benches and chaos are bundled elsewhere.
const tools = pathToFileURL(path.join(packageRoot(), "tools/cluster.mjs")).href;
const { clusterProgram } = (await import(tools)) as typeof clusterTools;
const program = clusterProgram();

/** Why tests on a cluster can't run here; undefined where they can. */
export const noCluster = existsSync(program) ? undefined : "no Kubernetes API server was built here: npm run cluster";

/** What pods do is read from their image's tag by the node: slow3, unready, crash, nopull, fail. */
export class TestCluster {
  readonly folder: string;
  readonly port: number;
  readonly #processes = new Map<string, ChildProcess>();
  readonly #etcdPort: number;
  readonly #tokens = { admin: "admin-token", limited: "limited-token" };

  private constructor(folder: string, port: number, etcdPort: number) {
    this.folder = folder;
    this.port = port;
    this.#etcdPort = etcdPort;
  }

  static async start(): Promise<TestCluster> {
    const folder = mkdtempSync(path.join(tmpdir(), "fastloop-cluster-"));
    const cluster = new TestCluster(folder, await freePort(), await freePort());
    // Nothing of it outlives the tests, however they end.
    process.once("exit", () => cluster.stop());
    try {
      await cluster.#start();
    } catch (error) {
      cluster.stop();
      throw error;
    }
    return cluster;
  }

  async #start(): Promise<void> {
    execFileSync(program, ["pki", this.folder]);
    mkdirSync(path.join(this.folder, "etcd"), { mode: 0o700 });
    const { admin, limited } = this.#tokens;
    const users = `${admin},admin,admin,"system:masters"\n${limited},limited,limited,"team"\n`;
    writeFileSync(path.join(this.folder, "tokens.csv"), users, { mode: 0o600 });
    writeFileSync(path.join(this.folder, "kubeconfig"), this.kubeconfig());
    this.#run("etcd", ["etcd", path.join(this.folder, "etcd"), `http://127.0.0.1:${this.#etcdPort}`]);
    await this.startApi();
    this.#run("controllers", ["controllers", path.join(this.folder, "kubeconfig")]);
    await until(() => readFileSync(path.join(this.folder, "controllers.log"), "utf8").includes("node ready"));
  }

  /** Starts the API server, and waits until it is ready. On a machine that is busy with others it may give up on its store: then once more. */
  async startApi(): Promise<void> {
    for (let triesLeft = 4; ; triesLeft--) {
      this.#runApi();
      if (await this.#isApiReady()) return;
      if (triesLeft === 0) throw new Error(this.log("api"));
    }
  }

  #runApi(): void {
    const file = (name: string): string => path.join(this.folder, name);
    this.#run("api", [
      "kube-apiserver",
      `--etcd-servers=http://127.0.0.1:${this.#etcdPort}`,
      `--secure-port=${this.port}`,
      "--bind-address=127.0.0.1",
      "--advertise-address=127.0.0.1",
      "--endpoint-reconciler-type=none",
      "--service-cluster-ip-range=10.0.0.0/16",
      `--tls-cert-file=${file("tls.crt")}`,
      `--tls-private-key-file=${file("tls.key")}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${file("sa.pub")}`,
      `--service-account-signing-key-file=${file("sa.key")}`,
      `--token-auth-file=${file("tokens.csv")}`,
      "--authorization-mode=RBAC",
      "--anonymous-auth=false",
      "--allow-privileged=true",
      `--cert-dir=${file("certs")}`,
    ]);
  }

  /** Waits until it answers; false where it ended before. */
  async #isApiReady(): Promise<boolean> {
    const client = this.client();
    const api = this.#processes.get("api");
    const isOver = (): boolean => api?.exitCode !== null || api.signalCode !== null;
    const isReady = (): Promise<boolean> =>
      client.get("/readyz", { asText: true, patienceMs: 0 }).then(
        () => true,
        () => false,
      );
    try {
      await until(async () => isOver() || (await isReady()));
      return !isOver();
    } finally {
      client.close();
    }
  }

  /** Ends the API server as a crash would. What it stored stays. */
  async killApi(): Promise<void> {
    const api = this.#processes.get("api");
    const ended = new Promise((resolve) => api?.once("exit", resolve));
    api?.kill("SIGKILL");
    await ended;
  }

  /** The kubeconfig of a user, as a context `test`; other contexts lead to nowhere. */
  kubeconfig({ user = "admin", context = "test", ca = this.ca() }: KubeconfigOptions = {}): string {
    return kubeconfigText(this.port, { context, user, ca, token: this.#tokens[user] });
  }

  ca(): string {
    return readFileSync(path.join(this.folder, "ca.crt"), "utf8");
  }

  /** What asks and changes things past the deployer. */
  client(): Cluster {
    return new Cluster(readKubeconfig(this.kubeconfig(), "test"));
  }

  log(name: string): string {
    return readFileSync(path.join(this.folder, `${name}.log`), "utf8").slice(-4000);
  }

  stop(): void {
    for (const name of ["controllers", "api", "etcd"]) this.#processes.get(name)?.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #run(name: string, args: readonly string[]): void {
    const log = openSync(path.join(this.folder, `${name}.log`), "a");
    this.#processes.set(name, spawn(program, args, { stdio: ["ignore", log, log] }));
  }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 1200; attempt++) {
    if (await holds()) return;
    await sleep(100);
  }
  throw new Error("not in two minutes");
}
