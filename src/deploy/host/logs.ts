import https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { outputText, printable } from "../../text/index.ts";
import { tlsOptions } from "../cluster/client.ts";
import type { Cluster } from "../cluster/client.ts";
import { at, listAt, numberAt, textAt } from "../objects/objects.ts";
import { podsOf } from "../cluster/pods-of.ts";
import { workloadsOf } from "./pods.ts";

/** Interval of listing the pods. */
const lookEveryMs = 2000;
/** Number of existing lines shown of a container that runs already. */
const firstLines = 10;
const longestLine = 16 * 1024;

export interface LogOptions {
  app: string;
  namespace: string;
  /** Returns the cluster with current credentials. */
  cluster: () => Cluster;
  onLine: (text: string) => void;
  signal: AbortSignal;
}

/** Follows the logs of all containers of an app, including pods that appear later, until the signal aborts. */
export async function followLogs(options: LogOptions): Promise<void> {
  const { app, namespace, cluster, signal } = options;
  const followed = new Set<string>();
  while (!signal.aborted) {
    try {
      for (const workload of await workloadsOf(cluster(), app, namespace))
        for (const pod of await podsOf(cluster(), workload)) followPod(pod, followed, options);
    } catch {
      // The server does not answer, or the user may not list pods: the deploy itself reports that.
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

function followPod(pod: unknown, followed: Set<string>, options: LogOptions): void {
  const uid = textAt(pod, "metadata", "uid") ?? "";
  for (const status of listAt(pod, "status", "containerStatuses")) {
    const container = textAt(status, "name") ?? "";
    // Each restart of a container has a log of its own.
    const key = `${uid} ${container} ${numberAt(status, "restartCount") ?? 0}`;
    if (followed.has(key) || at(status, "state", "running") === undefined) continue;
    followed.add(key);
    void follow(textAt(pod, "metadata", "name") ?? "", container, options);
  }
}

/** Resolves when the log ends, for whatever reason. */
function follow(
  pod: string,
  container: string,
  { app, namespace, cluster, onLine, signal }: LogOptions,
): Promise<void> {
  const { access } = cluster();
  const { server, token } = access;
  const query = new URLSearchParams({ container, follow: "true", tailLines: String(firstLines) });
  const base = server.pathname.replace(/\/$/, "");
  const path = `${base}/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log?${query.toString()}`;
  const head = `${app} ${printable(pod)}${container === "" ? "" : `/${printable(container)}`} | `;
  return new Promise((resolve) => {
    const request = https.get(
      {
        ...tlsOptions(access),
        host: server.hostname === "0.0.0.0" ? "127.0.0.1" : server.hostname.replace(/^\[|\]$/g, ""),
        port: server.port === "" ? 443 : server.port,
        path,
        agent: false,
        signal,
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      },
      (response) => {
        if (response.statusCode !== 200) response.destroy();
        let rest = "";
        response.setEncoding("utf8").on("data", (text: string) => {
          const lines = `${rest}${text}`.split("\n");
          rest = (lines.pop() ?? "").slice(-longestLine);
          for (const line of lines) onLine(head + outputText(line.slice(0, longestLine)));
        });
        response.once("close", resolve);
        response.once("error", () => resolve());
      },
    );
    request.once("error", () => resolve());
  });
}
