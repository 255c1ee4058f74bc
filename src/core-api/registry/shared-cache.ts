import type { CacheLocation } from "../types.ts";
import type { CacheEntry } from "../../buildkit/types.ts";
import type { Definition } from "../../llb/types.ts";
import { unreachable } from "../network/registry-reach.ts";
import type { Session } from "../session.ts";

/** Time limit for a cache's answer. A slower cache saves less than it costs. */
const probeTimeoutMs = 3_000;
/** Time limit for writing a cache, generous enough for large layers on a slow line. */
const exportTimeoutMs = 10 * 60_000;
/** Period during which other sessions of this daemon reuse a probe's result. */
const rememberedMs = 60_000;

interface Probe {
  atMs: number;
  /** Why the cache cannot be used; undefined when it can. */
  problem: Promise<string | undefined>;
}

/** Latest probes by BuildKit address and cache. */
const probes = new Map<string, Probe>();

/** Returns the caches that answer. Each other one is reported as a notice. */
export async function usableCaches(session: Session, caches: readonly CacheLocation[]): Promise<readonly CacheEntry[]> {
  const problems = await Promise.all(caches.map((cache) => problemOf(session, cache)));
  for (const [index, problem] of problems.entries()) {
    if (problem !== undefined)
      session.emit({ kind: "notice", text: `cache ${nameOf(caches[index]!)} is not used: ${problem}` });
  }
  return caches.filter((_cache, index) => problems[index] === undefined);
}

/** Writes results to the session's caches, one after the other. Returns one line per cache that says how it went. */
export async function exportCaches(
  session: Session,
  definitions: readonly Definition[],
  signal: AbortSignal,
): Promise<string[]> {
  const caches = session.options.cache?.to ?? [];
  const said: string[] = [];
  if (definitions.length === 0) return said;
  for (const cache of caches) {
    if (signal.aborted) break;
    const startedAt = performance.now();
    const problem = (await problemOf(session, cache)) ?? (await exportTo(session, definitions, cache, signal));
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    said.push(
      problem === undefined
        ? `wrote cache ${nameOf(cache)} in ${seconds} s`
        : `cache ${nameOf(cache)} is not written: ${problem}`,
    );
  }
  return said;
}

async function exportTo(
  session: Session,
  definitions: readonly Definition[],
  cache: CacheLocation,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    // `max` includes all steps, not only those of the results, so that a change near the end can reuse everything
    // before it.
    const entry = { type: cache.type, attrs: { mode: "max", ...cache.attrs } };
    await session.build.exportCache(
      definitions,
      entry,
      AbortSignal.any([signal, AbortSignal.timeout(exportTimeoutMs)]),
    );
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

async function problemOf(session: Session, cache: CacheLocation): Promise<string | undefined> {
  const key = JSON.stringify([session.options.buildkit.address, cache]);
  const known = probes.get(key);
  if (known !== undefined && performance.now() - known.atMs < rememberedMs) return await known.problem;
  const problem = probe(session, cache);
  probes.set(key, { atMs: performance.now(), problem });
  return await problem;
}

async function probe(session: Session, { attrs }: CacheLocation): Promise<string | undefined> {
  const host = (attrs["ref"] ?? "").split("/")[0]!;
  return await unreachable({
    host,
    insecure: attrs["registry.insecure"] === "true",
    env: session.options.env,
    timeoutMs: probeTimeoutMs,
  });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `it took more than ${exportTimeoutMs / 60_000} minutes`;
  return error.message;
}

function nameOf({ type, attrs }: CacheLocation): string {
  return attrs["ref"] ?? type;
}
