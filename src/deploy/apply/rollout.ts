import { setTimeout as sleep } from "node:timers/promises";
import pMap from "p-map";
import { printable, outputText } from "../../text/index.ts";
import { isForbidden, isMissing, listAll } from "../cluster/client.ts";
import type { Cluster } from "../cluster/client.ts";
import { isObserved, nameOf, textAt } from "../objects/objects.ts";
import type { Manifest } from "../objects/objects.ts";
import { podsOf } from "../cluster/pods-of.ts";
import { isWaitedFor, readinessOf, podTroubles } from "./readiness.ts";
import type { PodTrouble, Readiness } from "./readiness.ts";

export interface Waiting {
  timeoutMs: number;
  /** Whether a container that keeps crashing ends the wait. */
  failFast: boolean;
  /** Called for each change of an object's state. */
  onLine: (text: string) => void;
  pathOf: (manifest: Manifest) => string;
}

/** Objects that did not become ready, with what is known about the cause. */
export interface RolloutFailure {
  isTimeout: boolean;
  lines: string[];
}

/** After its progress deadline a Deployment is polled this much longer before it counts as failed. */
const lastLookMs = 10_000;
/** First pause between polls: many rollouts take less than a second. */
const firstPauseMs = 40;
const longestPauseMs = 1000;

interface Look {
  manifest: Manifest;
  workload: unknown;
  readiness: Readiness;
  troubles: PodTrouble[];
}

/**
 * Waits until all objects are ready; resolves with undefined then. Resolves with a failure at the timeout, or earlier
 * when an object can't recover.
 */
export async function waitUntilReady(
  cluster: Cluster,
  manifests: readonly Manifest[],
  waiting: Waiting,
): Promise<RolloutFailure | undefined> {
  const untilMs = performance.now() + waiting.timeoutMs;
  const lastLines = new Map<Manifest, string>();
  const overdueSinceMs = new Map<Manifest, number>();
  let pending = manifests.filter(({ object }) => isWaitedFor(object));
  let pauseMs = firstPauseMs;
  for (;;) {
    const looks = await pMap(pending, (manifest) => look(cluster, manifest, waiting.pathOf(manifest)), {
      concurrency: 8,
    });
    for (const each of looks) {
      const text = describe(each);
      if (lastLines.get(each.manifest) !== text) waiting.onLine(text);
      lastLines.set(each.manifest, text);
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
    // A Job with a TTL may be deleted once it is done.
    const readiness: Readiness =
      manifest.object.kind === "Job"
        ? { state: "ready", why: "done and gone" }
        : { state: "failed", why: "was deleted by somebody while it was waited for" };
    return { manifest, workload, readiness, troubles: [] };
  }
  const readiness = readinessOf(workload);
  // Until the controller has seen the change, the newest pods are those of the previous version.
  const isAsked = readiness.state !== "ready" && isObserved(workload);
  const pods = isAsked ? await visiblePods(cluster, workload) : [];
  return { manifest, workload, readiness, troubles: pods.flatMap(podTroubles) };
}

/** Users without the right to list pods get less detail, and the wait goes on. */
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

/** Lines for each object: the manifest's place, pod, container, reason, last events and the end of the log. */
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
  const [eventLines, log] = await Promise.all([
    events(cluster, workload, pod),
    container === undefined ? "" : quietly(cluster.get(path, { query, asText: true, patienceMs: 0 })),
  ]);
  const lines = typeof log === "string" ? outputText(log).trimEnd().split("\n") : [];
  return [head, ...eventLines, ...lines.filter((line) => line !== "").map((line) => `    log: ${line.slice(0, 500)}`)];
}

/** Returns the last four distinct events about an object. */
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

/** Returns undefined on any error: details that only explain a failure are left out when they can't be read. */
async function quietly<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch {
    return undefined;
  }
}
