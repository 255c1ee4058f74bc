/** A command of the project's own that deploys an app, or takes it away: run where the deployer runs, under the app's lease. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { SecretMask } from "../text/index.ts";
import type { Access } from "./cluster/kubeconfig.ts";
import { DeployError } from "./objects/problem.ts";
import type { Session } from "./session.ts";

/** The command as it is run now. */
export interface Command {
  /** For `sh -ec`. */
  command: string;
  /** Where the app's inputs are. */
  folder: string;
  /** `NAME=REFERENCE@sha256:…`, as the caller said them. */
  images: readonly string[];
  revision?: string;
}

/** A command that is told to end may undo what it began for so long. */
const graceMs = 10_000;
const lastLines = 20;

/**
 * Runs it with a kubeconfig of the one context that was checked, and fails where it fails or its time is up. Every line is
 * told; credentials in it are not.
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

/** How it failed; undefined where it did not. */
function runToItsEnd(
  { command, folder }: Command,
  env: NodeJS.ProcessEnv,
  { environment: { timeoutMs } }: Session,
  onLine: (text: string) => void,
): Promise<string | undefined> {
  const child = spawn("sh", ["-ec", command], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const signal = (name: NodeJS.Signals): void => {
    try {
      // All that it started.
      process.kill(-(child.pid ?? 0), name);
    } catch {
      // It ended by itself.
    }
  };
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", onLine);
  return new Promise((resolve, reject) => {
    let isLate = false;
    let killing: NodeJS.Timeout | undefined;
    const ending = setTimeout(() => {
      isLate = true;
      signal("SIGTERM");
      killing = setTimeout(() => signal("SIGKILL"), graceMs);
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

/** A kubeconfig of this one access; `host` is where the server answers from here, if not at its own address. */
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
