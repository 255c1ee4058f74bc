import { ApiError } from "../values/errors.ts";
import type { ContainerConfig } from "../values/values.ts";

/** An image's health check as the shim runs it, with Dagger's defaults. Durations are in milliseconds. */
export interface HealthCheck {
  readonly args: readonly string[];
  readonly intervalMs: number;
  /** Limit on one run of the check. */
  readonly timeoutMs: number;
  /** Time after the start during which failures do not count. */
  readonly startPeriodMs: number;
  /** Number of consecutive failures that makes the service unhealthy. */
  readonly retries: number;
}

const defaultIntervalMs = 5_000;
const defaultTimeoutMs = 30_000;
const defaultRetries = 3;

/**
 * Returns the check that decides whether a service of this image is ready, or undefined if its ports decide. Throws an
 * `ApiError` when the image's check is malformed.
 */
export function healthCheckOf({ Healthcheck, Shell }: ContainerConfig): HealthCheck | undefined {
  const [kind, ...args] = (Healthcheck?.["Test"] ?? []) as string[];
  if (Healthcheck === undefined || kind === undefined || kind === "NONE") return undefined;
  if (args.length === 0 || (kind === "CMD-SHELL" && args.length !== 1) || (kind !== "CMD" && kind !== "CMD-SHELL")) {
    throw new ApiError(`malformed healthcheck command: ${JSON.stringify([kind, ...args])}`);
  }
  const shell = Shell === undefined || Shell.length === 0 ? ["/bin/sh", "-c"] : Shell;
  const ms = (name: string): number | undefined => Math.round(Number(Healthcheck[name] ?? 0) / 1e6) || undefined;
  return {
    args: kind === "CMD" ? args : [...shell, ...args],
    intervalMs: ms("StartInterval") ?? ms("Interval") ?? defaultIntervalMs,
    timeoutMs: ms("Timeout") ?? defaultTimeoutMs,
    startPeriodMs: ms("StartPeriod") ?? 0,
    retries: Number(Healthcheck["Retries"] ?? 0) || defaultRetries,
  };
}
