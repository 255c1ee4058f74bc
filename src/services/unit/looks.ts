/** Looks at a service again and again: until it is there, and for as long as it runs. */
import { setTimeout } from "node:timers/promises";
import { UserError } from "../../errors/index.ts";
import { look } from "./probe.ts";
import type { HealthRule } from "../types.ts";

/** How often a service that started is looked at. */
const probeMs = 2_000;
/** While it starts. */
const startProbeMs = 100;
/** So many looks in a row have to fail before it is called unhealthy. */
const mostFailed = 3;

/** Resolves when it is healthy, or the signal ended that. Throws a `UserError` when its time is up. `port` is on loopback. */
export async function untilHealthy(
  port: number | undefined,
  { path, timeoutMs, host }: HealthRule,
  signal: AbortSignal,
): Promise<void> {
  if (path === undefined || port === undefined) return;
  const limit = AbortSignal.timeout(timeoutMs);
  for (let why: string | undefined; ; await pause(startProbeMs, signal)) {
    why = await look(port, path, signal, host);
    if (why === undefined || signal.aborted) return;
    if (limit.aborted) throw new UserError("timed-out", `${why} after ${timeoutMs / 1000} s`);
  }
}

/** Resolves when a process that was started again answers, has ended, or its time is up. */
export async function untilAnswers(
  port: number | undefined,
  { path, timeoutMs, host }: HealthRule,
  signal: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.timeout(timeoutMs);
  while (port !== undefined && !signal.aborted && !limit.aborted) {
    if ((await look(port, path, signal, host)) === undefined) return;
    await pause(startProbeMs, signal);
  }
}

/** Until the signal: tells each look that passed, and why it fails once so many in a row did. */
export async function keepLooking(
  port: number,
  { path, host }: Pick<HealthRule, "path" | "host">,
  signal: AbortSignal,
  onLook: (why: string | undefined) => void,
  { everyMs, failedLooks }: { everyMs: number; failedLooks: number } = { everyMs: probeMs, failedLooks: mostFailed },
): Promise<void> {
  for (let failed = 0; ;) {
    await pause(everyMs, signal);
    if (signal.aborted) return;
    const why = await look(port, path, signal, host);
    if (signal.aborted) return;
    failed = why === undefined ? 0 : failed + 1;
    if (failed === 0 || failed === failedLooks) onLook(why);
  }
}

/** Shorter where the signal ends it. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  setTimeout(ms, undefined, { signal }).catch(() => undefined);
