import { setTimeout as sleep } from "node:timers/promises";
import pMap from "p-map";
import { printable, outputText } from "../../text/index.ts";
import { isForbidden, isMissing, isObserved, listAll } from "../cluster/client.ts";
import type { Cluster } from "../cluster/client.ts";
import { nameOf, textAt } from "../objects/objects.ts";
import type { Manifest } from "../objects/objects.ts";
import { podsOf } from "../cluster/pods-of.ts";
import { isWaitedFor, judge, podTroubles } from "./readiness.ts";
import type { PodTrouble, Readiness } from "./readiness.ts";

export interface Waiting {
  timeoutMs: number;
  /** A container that keeps crashing ends the waiting. */
  failFast: boolean;
  /** Told at each change of what is waited for. */
  onLine: (text: string) => void;
  pathOf: (manifest: Manifest) => string;
}

/** What did not become ready, and what is known about it. */
export interface RolloutFailure {
  isTimeout: boolean;
  lines: string[];
}

/** After its progress deadline a Deployment is looked at for so long before it counts as failed. */
const lastLookMs = 10_000;
/** Looks are close together at first: many a rollout takes no second. */
const firstPauseMs = 100;
const longestPauseMs = 1000;

interface Look {
  manifest: Manifest;
  workload: unknown;
  readiness: Readiness;
  troubles: PodTrouble[];
}

/** Waits until all are ready; undefined when they are. Ends early with what can't heal. */
export async function waitUntilReady(
  cluster: Cluster,
  manifests: readonly Manifest[],
  waiting: Waiting,
): Promise<RolloutFailure | undefined> {
  const untilMs = performance.now() + waiting.timeoutMs;
  const told = new Map<Manifest, string>();
  const overdueSinceMs = new Map<Manifest, number>();
  let pending = manifests.filter(({ object }) => isWaitedFor(object));
  let pauseMs = firstPauseMs;
  for (;;) {
    const looks = await pMap(pending, (manifest) => look(cluster, manifest, waiting.pathOf(manifest)), {
      concurrency: 8,
    });
    for (const each of looks) {
      const text = describe(each);
      if (told.get(each.manifest) !== text) waiting.onLine(text);
      told.set(each.manifest, text);
    }
    const lost = looks.filter((each) => isLost(each, waiting.failFast, overdueSinceMs));
    if (lost.length > 0) return { isTimeout: false, lines: await report(cluster, lost) };
    const left = looks.filter(({ readiness }) => readiness.state !== "ready");
    pending = left.map(({ manifest }) => manifest);
    if (pending.length === 0) return undefined;
    if (performance.now() >= untilMs) {
      const head = `not ready after ${Math.round(waiting.timeoutMs / 1000)} s:`;
      return { isTimeout: true, lines: [head, ...(await report(cluster, left))] };
    }
    await sleep(pauseMs);
    pauseMs = Math.min(longestPauseMs, pauseMs * 1.5);
  }
}

async function look(cluster: Cluster, manifest: Manifest, path: string): Promise<Look> {
  let workload: unknown;
  try {
    workload = await cluster.get(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    // A Job with a time to live is gone once it is done.
    const readiness: Readiness =
      manifest.object.kind === "Job"
        ? { state: "ready", why: "done and gone" }
        : { state: "failed", why: "was deleted by somebody while it was waited for" };
    return { manifest, workload, readiness, troubles: [] };
  }
  const readiness = judge(workload);
  // Before its controller has seen it, the newest pods are still those of before, which say nothing about it.
  const isAsked = readiness.state !== "ready" && isObserved(workload);
  const pods = isAsked ? await visiblePods(cluster, workload) : [];
  return { manifest, workload, readiness, troubles: pods.flatMap(podTroubles) };
}

/** Who may not look at pods waits all the same, and is told less. */
async function visiblePods(cluster: Cluster, workload: unknown): Promise<unknown[]> {
  try {
    return await podsOf(cluster, workload);
  } catch (error) {
    if (isForbidden(error)) return [];
    throw error;
  }
}

function describe({ manifest, readiness, troubles }: Look): string {
  const [first] = troubles;
  const pod = first === undefined || first.why === "running, not ready" ? "" : `; pod ${first.pod}: ${first.why}`;
  return `${nameOf(manifest.object)}: ${readiness.why}${pod}`;
}

function isLost(
  { manifest, readiness, troubles }: Look,
  failFast: boolean,
  overdueSinceMs: Map<Manifest, number>,
): boolean {
  if (readiness.state === "ready") return false;
  if (troubles.some(({ isFinal, why }) => isFinal || (failFast && why.startsWith("CrashLoopBackOff")))) return true;
  if (readiness.state !== "failed") {
    overdueSinceMs.delete(manifest);
    return false;
  }
  if (readiness.mayStillPass !== true) return true;
  const sinceMs = overdueSinceMs.get(manifest) ?? performance.now();
  overdueSinceMs.set(manifest, sinceMs);
  return performance.now() - sinceMs >= lastLookMs;
}

/** Pod, container, reason, last events, last lines of its log, and the manifest's place. */
async function report(cluster: Cluster, looks: readonly Look[]): Promise<string[]> {
  const sections = await pMap(
    looks.slice(0, 10),
    async ({ manifest, workload, readiness, troubles }) => {
      const lines = [`${manifest.place}: ${nameOf(manifest.object)}: ${readiness.why}`];
      for (const trouble of troubles.slice(0, 3)) lines.push(...(await reportPod(cluster, workload, trouble)));
      if (troubles.length > 3) lines.push(`  and ${troubles.length - 3} more pods like these`);
      if (troubles.length === 0)
        lines.push(...(await events(cluster, workload, textAt(workload, "metadata", "name") ?? "")));
      return lines;
    },
    { concurrency: 4 },
  );
  const rest = looks.length > 10 ? [`and ${looks.length - 10} more`] : [];
  return [...sections.flat(), ...rest];
}

async function reportPod(cluster: Cluster, workload: unknown, trouble: PodTrouble): Promise<string[]> {
  const { pod, container, why, restarts } = trouble;
  const head = `  pod ${pod}${container === undefined ? "" : `, container ${container}`}: ${why}`;
  const namespace = textAt(workload, "metadata", "namespace") ?? "";
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`;
  const query = { container: container ?? "", tailLines: "10", ...(restarts > 0 ? { previous: "true" } : {}) };
  const [told, log] = await Promise.all([
    events(cluster, workload, pod),
    container === undefined ? "" : quietly(cluster.get(path, { query, asText: true, patienceMs: 0 })),
  ]);
  const lines = typeof log === "string" ? outputText(log).trimEnd().split("\n") : [];
  return [head, ...told, ...lines.filter((line) => line !== "").map((line) => `    log: ${line.slice(0, 500)}`)];
}

/** The last events about an object, each once. */
async function events(cluster: Cluster, workload: unknown, name: string): Promise<string[]> {
  const namespace = textAt(workload, "metadata", "namespace");
  if (namespace === undefined) return [];
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
  const found = await quietly(listAll(cluster, path, { fieldSelector: `involvedObject.name=${name}` }));
  const texts = (Array.isArray(found) ? found : []).map(
    (event) => `    event: ${printable(textAt(event, "reason") ?? "")}: ${printable(textAt(event, "message") ?? "")}`,
  );
  return [...new Set(texts)].slice(-4);
}

/** What only explains a failure is left out where it can't be had. */
async function quietly<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch {
    return undefined;
  }
}
