/** The deployer's program as its container runs it: a process with a request, a kubeconfig, two streams and an exit code. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { deployerProgram } from "../../pipelines/vendor/deployer.mjs";
import { answerTo } from "../../src/deploy/actions.ts";
import { parseManifests } from "../../src/deploy/index.ts";
import type { Environment, Request } from "../../src/deploy/index.ts";
import { printableLines } from "../../src/text/index.ts";

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A deploy that is at work. */
export interface Working {
  ended: Promise<Ended>;
  /** Resolves when stderr has had this text. */
  told: (text: string) => Promise<void>;
}

export interface Running extends Working {
  child: ChildProcess;
}

export interface Asked extends Partial<Omit<Request, "environment" | "apps">> {
  environment?: Partial<Environment>;
  /** Manifests of an app by its name. */
  apps?: Record<string, string>;
  /** Apps that are deployed by commands. */
  custom?: Record<string, { apply: string; delete: string; folder: string }>;
}

const folder = mkdtempSync(path.join(tmpdir(), "fastloop-deployer-"));
const program = path.join(folder, "deployer.mjs");
writeFileSync(program, deployerProgram);
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
let count = 0;

/** A whole request; the environment is `staging` in the context `test` unless it says otherwise. */
export const requestOf = ({ environment, apps = {}, custom = {}, ...rest }: Asked): Request => ({
  action: "deploy",
  environment: {
    name: "staging",
    context: "test",
    production: false,
    clusterScoped: false,
    namespaces: [],
    prune: false,
    forceConflicts: false,
    onFailure: "keep",
    failFast: false,
    timeoutMs: 60_000,
    history: 10,
    ...environment,
  },
  apps: [
    ...Object.entries(apps).map(([name, text]) => ({
      name,
      manifests: parseManifests([{ name: `${name}.yaml`, text }]),
    })),
    ...Object.entries(custom).map(([name, commands]) => ({ name, manifests: [], custom: commands })),
  ],
  ...rest,
});

/** Starts a request. */
export function start(kubeconfig: string, asked: Asked): Running {
  const request = requestOf(asked);
  const [requestFile, kubeconfigFile] = [
    path.join(folder, `${++count}.json`),
    path.join(folder, `${count}.kubeconfig`),
  ];
  writeFileSync(requestFile, JSON.stringify(request));
  writeFileSync(kubeconfigFile, kubeconfig);
  const child = spawn(process.execPath, [program, requestFile, kubeconfigFile], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  const heard = new Heard();
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => heard.take((stderr += text)));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      heard.end();
      resolve({ code, stdout, stderr });
    });
  });
  return { child, ended, told: (text) => heard.until(text) };
}

/** The same in this process, from its sources. */
export function startHere(kubeconfig: string, asked: Asked): Working {
  let stderr = "";
  const heard = new Heard();
  const onLine = (text: string): void => heard.take((stderr += `${printableLines(text)}\n`));
  const run = async (): Promise<Ended> => {
    const { text, exitCode } = await answerTo(JSON.stringify(requestOf(asked)), kubeconfig, onLine);
    heard.end();
    return { code: exitCode, stdout: `${printableLines(text.trimEnd())}\n`, stderr };
  };
  return { ended: run(), told: (text) => heard.until(text) };
}

/** What was said so far, and who waits for a text in it. */
class Heard {
  private said = "";
  private readonly waiting: { text: string; resolve: () => void; reject: (error: Error) => void }[] = [];

  take(said: string): void {
    this.said = said;
    for (const { text, resolve } of this.waiting) if (said.includes(text)) resolve();
  }

  end(): void {
    for (const { text, reject } of this.waiting) reject(new Error(`ended without telling ${text}:\n${this.said}`));
  }

  until(text: string): Promise<void> {
    if (this.said.includes(text)) return Promise.resolve();
    return new Promise((resolve, reject) => this.waiting.push({ text, resolve, reject }));
  }
}

/** Runs a request to its end. */
export const ask = (kubeconfig: string, asked: Asked): Promise<Ended> => start(kubeconfig, asked).ended;

/** A Deployment; what its pods do is in the tag. */
export const deployment = (name: string, tag: string, replicas = 2, deadlineS = 60): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: ${replicas}
  progressDeadlineSeconds: ${deadlineS}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers: [{name: main, image: "registry.local/${name}:${tag}", ports: [{containerPort: 8080}]}]
`;

export const configMap = (name: string, value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {key: "${value}"}\n`;
