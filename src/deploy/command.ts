/** Runs a project's own command that deploys or removes an app, where the deployer runs and under the app's lease. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { signalGroup } from "../async/index.ts";
import { SecretMask } from "../text/index.ts";
import type { Access } from "./cluster/kubeconfig.ts";
import { DeployError } from "./objects/problem.ts";
import type { Session } from "./session.ts";

/** One run of a command. */
export interface Command {
  /** Script for `sh -ec`. */
  command: string;
  /** Working directory: the folder with the app's inputs. */
  folder: string;
  /** `NAME=REFERENCE@sha256:…`, as the caller gave them. */
  images: readonly string[];
  revision?: string;
}

/** Time between SIGTERM and SIGKILL, so that a command can undo what it began. */
const graceMs = 10_000;
const lastLines = 20;

/**
 * Runs the command with a kubeconfig that holds only the context that was checked. Prints each line with credentials
 * masked. Throws a `DeployError` when the command fails or exceeds the environment's timeout.
 */
export async function runCommand(session: Session, app: string, asked: Command): Promise<void> {
  const { access } = session.cluster;
  const mask = new SecretMask([access.token ?? "", access.certificate?.key ?? ""].filter((secret) => secret !== ""));
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-command-"));
  try {
    const kubeconfig = path.join(folder, "kubeconfig");
    writeFileSync(kubeconfig, kubeconfigOf(access, session.namespace, session.host), { mode: 0o600 });
    const lines: string[] = [];
    const onLine = (text: string): void => {
      const line = mask.text(text);
      session.onLine(`${app}: ${line}`);
      lines.push(line);
      if (lines.length > lastLines) lines.shift();
    };
    const how = await runToItsEnd(asked, environmentOf(session, app, asked, kubeconfig), session, onLine);
    if (how === undefined) return;
    const { environment } = session;
    const text = [`${app}: \`${mask.text(asked.command)}\` ${how}`, ...lines.map((line) => `  ${line}`)].join("\n");
    throw new DeployError(how === tookTooLong(environment.timeoutMs) ? "timedOut" : "failed", text);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const tookTooLong = (timeoutMs: number): string => `was not done after ${timeoutMs / 1000} s`;

/** Resolves with how the command failed; undefined when it succeeded. Rejects when it can't be started. */
function runToItsEnd(
  { command, folder }: Command,
  env: NodeJS.ProcessEnv,
  { environment: { timeoutMs } }: Session,
  onLine: (text: string) => void,
): Promise<string | undefined> {
  const child = spawn("sh", ["-ec", command], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", onLine);
  return new Promise((resolve, reject) => {
    let isLate = false;
    let killing: NodeJS.Timeout | undefined;
    const ending = setTimeout(() => {
      isLate = true;
      signalGroup(child, "SIGTERM");
      killing = setTimeout(() => signalGroup(child, "SIGKILL"), graceMs);
    }, timeoutMs);
    const end = (): void => {
      clearTimeout(ending);
      clearTimeout(killing);
    };
    child.once("error", (error) => {
      end();
      reject(error);
    });
    child.once("close", (code, name) => {
      end();
      resolve(isLate ? tookTooLong(timeoutMs) : code === 0 ? undefined : `failed: ${name ?? `exit code ${code}`}`);
    });
  });
}

const environmentOf = (
  { environment, namespace }: Session,
  app: string,
  { images, revision }: Command,
  kubeconfig: string,
): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  HOME: path.dirname(kubeconfig),
  KUBECONFIG: kubeconfig,
  FASTLOOP_APP: app,
  FASTLOOP_ENVIRONMENT: environment.name,
  FASTLOOP_NAMESPACE: namespace,
  FASTLOOP_IMAGES: images.join("\n"),
  FASTLOOP_REVISION: revision ?? "",
});

/**
 * Returns a kubeconfig for one access. `host` is the host name that reaches the server from here, when it differs from
 * the server's own.
 */
export function kubeconfigOf(
  { context, server, tlsServerName, ca, insecure, token, certificate }: Access,
  namespace: string,
  host: string | undefined,
): string {
  const named = server.hostname === "0.0.0.0" ? "127.0.0.1" : server.hostname.replace(/^\[|\]$/g, "");
  const address = new URL(server);
  if (host !== undefined) address.hostname = host;
  else if (server.hostname === "0.0.0.0") address.hostname = named;
  const base64 = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : Buffer.from(text).toString("base64");
  const name = tlsServerName ?? (host === undefined ? undefined : named);
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": context,
    clusters: [
      {
        name: "cluster",
        cluster: {
          server: address.href.replace(/\/$/, ""),
          "tls-server-name": name,
          "certificate-authority-data": base64(ca),
          "insecure-skip-tls-verify": insecure ? true : undefined,
        },
      },
    ],
    contexts: [{ name: context, context: { cluster: "cluster", user: "user", namespace } }],
    users: [
      {
        name: "user",
        user: {
          token,
          "client-certificate-data": base64(certificate?.cert),
          "client-key-data": base64(certificate?.key),
        },
      },
    ],
  });
}
