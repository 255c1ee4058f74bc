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

/** What is known of one container's log. */
interface Log {
  /** Time of the last line that was told, as the server wrote it. */
  last: string | undefined;
  /** Restarts of the container whose logs are open now. Each restart has a log of its own. */
  readonly open: Set<number>;
}

/**
 * Follows the logs of all containers of an app, including pods that appear later, until the signal aborts. A log that
 * breaks off while its container runs is opened again, and continues after the last line.
 */
export async function followLogs(options: LogOptions): Promise<void> {
  const { app, namespace, cluster, signal } = options;
  const logs = new Map<string, Log>();
  while (!signal.aborted) {
    try {
      for (const workload of await workloadsOf(cluster(), app, namespace))
        for (const pod of await podsOf(cluster(), workload)) followPod(pod, logs, options);
    } catch {
      // The server does not answer, or the user may not list pods: the deploy itself reports that.
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

function followPod(pod: unknown, logs: Map<string, Log>, options: LogOptions): void {
  const uid = textAt(pod, "metadata", "uid") ?? "";
  for (const status of listAt(pod, "status", "containerStatuses")) {
    const container = textAt(status, "name") ?? "";
    const restarts = numberAt(status, "restartCount") ?? 0;
    const key = `${uid} ${container}`;
    const log = logs.get(key) ?? { last: undefined, open: new Set() };
    logs.set(key, log);
    if (log.open.has(restarts) || at(status, "state", "running") === undefined) continue;
    log.open.add(restarts);
    void follow(textAt(pod, "metadata", "name") ?? "", container, log, options).finally(() =>
      log.open.delete(restarts),
    );
  }
}

/** Resolves when the log ends, for whatever reason. */
function follow(
  pod: string,
  container: string,
  log: Log,
  { app, namespace, cluster, onLine, signal }: LogOptions,
): Promise<void> {
  const { access } = cluster();
  const { server, token } = access;
  const from = log.last;
  const query = new URLSearchParams({
    container,
    follow: "true",
    timestamps: "true",
    ...(from === undefined ? { tailLines: String(firstLines) } : { sinceTime: from }),
  });
  const base = server.pathname.replace(/\/$/, "");
  const path = `${base}/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log?${query.toString()}`;
  const head = `${app} ${printable(pod)}${container === "" ? "" : `/${printable(container)}`} | `;
  const tell = (line: string): void => {
    const [, stamp, text = line] = /^(\d{4}-\d\d-\d\dT\S+) ?(.*)$/s.exec(line) ?? [];
    if (stamp !== undefined) {
      // The server counts `sinceTime` in whole seconds, so it sends some lines again.
      if (from !== undefined && !isLater(stamp, from)) return;
      log.last = stamp;
    }
    onLine(head + outputText(text));
  };
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
        response.once("close", resolve);
        response.once("error", () => resolve());
        if (response.statusCode !== 200) return void response.destroy();
        let rest = "";
        response.setEncoding("utf8").on("data", (text: string) => {
          const lines = `${rest}${text}`.split("\n");
          // The stamp is at the start of a line.
          rest = (lines.pop() ?? "").slice(0, longestLine);
          for (const line of lines) tell(line.slice(0, longestLine));
        });
      },
    );
    request.once("error", () => resolve());
  });
}

/** Compares two RFC 3339 times, whose fractions may have nine digits. */
function isLater(a: string, b: string): boolean {
  const parts = (text: string): [number, number] => [
    Math.floor(Date.parse(text) / 1000),
    Number((/\.(\d{1,9})/.exec(text)?.[1] ?? "0").padEnd(9, "0")),
  ];
  const [[seconds, fraction], [otherSeconds, otherFraction]] = [parts(a), parts(b)];
  return seconds === otherSeconds ? fraction > otherFraction : seconds > otherSeconds;
}
