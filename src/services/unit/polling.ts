/** Polls a service: until it is healthy, and for as long as it runs. */
import { setTimeout } from "node:timers/promises";
import { UserError } from "../../errors/index.ts";
import { probe } from "./probe.ts";
import type { HealthRule } from "../types.ts";

/** Interval between probes of a running service. */
const probeMs = 2_000;
/** Interval between probes while it starts. */
const startProbeMs = 100;
/** Consecutive failed probes before a service is called unhealthy. */
const mostFailed = 3;

/**
 * Resolves when the service is healthy or the signal aborts. Throws a `UserError` when it takes too long. `port` is on
 * loopback.
 */
export async function untilHealthy(
  port: number | undefined,
  { path, timeoutMs, host }: HealthRule,
  signal: AbortSignal,
): Promise<void> {
  if (path === undefined || port === undefined) return;
  const limit = AbortSignal.timeout(timeoutMs);
  for (let why: string | undefined; ; await pause(startProbeMs, signal)) {
    why = await probe(port, path, signal, host);
    if (why === undefined || signal.aborted) return;
    if (limit.aborted) throw new UserError("timed-out", `${why} after ${timeoutMs / 1000} s`);
  }
}

/** Resolves when a restarted process answers, the signal aborts, or its time is up. */
export async function untilAnswers(
  port: number | undefined,
  { path, timeoutMs, host }: HealthRule,
  signal: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.timeout(timeoutMs);
  while (port !== undefined && !signal.aborted && !limit.aborted) {
    if ((await probe(port, path, signal, host)) === undefined) return;
    await pause(startProbeMs, signal);
  }
}

/**
 * Probes until the signal aborts. Reports each probe that passed; of failed ones only the one that completes
 * `failedLooks` in a row, with its reason.
 */
export async function keepProbing(
  port: number,
  { path, host }: Pick<HealthRule, "path" | "host">,
  signal: AbortSignal,
  onLook: (why: string | undefined) => void,
  { everyMs, failedLooks }: { everyMs: number; failedLooks: number } = { everyMs: probeMs, failedLooks: mostFailed },
): Promise<void> {
  for (let failed = 0; ;) {
    await pause(everyMs, signal);
    if (signal.aborted) return;
    const why = await probe(port, path, signal, host);
    if (signal.aborted) return;
    failed = why === undefined ? 0 : failed + 1;
    if (failed === 0 || failed === failedLooks) onLook(why);
  }
}

/** Returns early when the signal aborts. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  setTimeout(ms, undefined, { signal }).catch(() => undefined);
