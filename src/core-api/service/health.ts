import type { ContainerProcess } from "../../buildkit/types.ts";
import { ApiError } from "../values/errors.ts";
import { endFailure, tooLate, unhealthy, type ServiceSubject } from "./failure.ts";
import type { ServicePlan } from "./plan.ts";
import type { ServiceReport } from "./report.ts";
import type { Call } from "../request/call.ts";

/** Time limit for ports to accept connections. A health check has its own limit. */
const portsTimeoutMs = 120_000;
/** The longest delay that a Node timer can represent. */
const neverMs = 2 ** 31 - 1;

/**
 * Resolves to the container's address once its health check has passed or all its ports accept connections. Throws an
 * `ApiError` when the service ends, fails its check or takes too long, or when the call is canceled.
 */
export async function healthy(
  call: Call,
  report: ServiceReport,
  main: Pick<ContainerProcess, "ended">,
  subject: ServiceSubject,
  plan: ServicePlan,
): Promise<string> {
  const limitMs = call.session.options.env["FASTLOOP_SERVICE_TIMEOUT_MS"];
  const timeoutMs = limitMs === undefined ? (plan.check === undefined ? portsTimeoutMs : neverMs) : Number(limitMs);
  const outcome = await race(call.signal, timeoutMs, report.health, main.ended);
  if (outcome === "late") throw tooLate(subject, plan, timeoutMs);
  if (outcome === "cancelled") throw new ApiError("canceled", {}, call.signal.reason);
  if ("address" in outcome) return outcome.address;
  if ("failed" in outcome) throw unhealthy(subject, plan.check?.args ?? [], outcome.failed);
  if (outcome.exitCode === 0) throw new ApiError(`service ${subject.hostname} exited before it was healthy`);
  throw endFailure(subject, outcome);
}

async function race<A, B>(
  signal: AbortSignal,
  timeoutMs: number,
  ...promises: [Promise<A>, Promise<B>]
): Promise<A | B | "late" | "cancelled"> {
  let timer: NodeJS.Timeout | undefined;
  let cancel = (): void => undefined;
  const late = new Promise<"late">((resolve) => (timer = setTimeout(() => resolve("late"), timeoutMs)));
  const cancelled = new Promise<"cancelled">((resolve) => (cancel = () => resolve("cancelled")));
  if (signal.aborted) cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    return await Promise.race([...promises, late, cancelled]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", cancel);
  }
}
