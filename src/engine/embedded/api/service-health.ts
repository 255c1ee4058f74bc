import type { ContainerProcess, GatewayContainer } from "../buildkit/container-types.ts";
import { ApiError } from "./errors.ts";
import { endFailure, tooLate, type ServiceSubject } from "./service-failure.ts";
import { shim } from "./service-plan.ts";
import type { Call } from "./session.ts";
import type { ExposedPort } from "./values.ts";

const healthTimeoutMs = 120_000;
/** Between the end of a probe that died with its container and the news of that container's end. */
const endNewsMs = 1_000;

/**
 * Resolves with the container's address once every port accepts connections. The probe runs inside the container, in its
 * network and against the address that others use.
 */
export async function healthy(
  call: Call,
  container: GatewayContainer,
  main: ContainerProcess,
  subject: ServiceSubject,
  ports: readonly ExposedPort[],
): Promise<string> {
  // A datagram port says nothing about who reads it.
  const probed = ports.filter(({ protocol, experimentalSkipHealthcheck }) => protocol === "TCP" && !experimentalSkipHealthcheck).map(({ port }) => port);
  const loopback = call.session.network === "host" ? ["--loopback"] : [];
  const args = [shim, "probe", ...loopback, ...probed.map(String)];
  const timeoutMs = Number(call.session.options.env["FASTLOOP_SERVICE_TIMEOUT_MS"] ?? healthTimeoutMs);
  let output = "";
  const onOutput = (_stream: string, data: Uint8Array): void => void (output += Buffer.from(data).toString("utf8"));
  const probe = main.started.then(() => container.start({ args, onOutput }).ended);

  const outcome = await race(call.signal, timeoutMs, probe, main.ended.then(() => "ended" as const));
  if (outcome === "late") throw tooLate(subject, probed, timeoutMs);
  if (outcome === "cancelled") throw new ApiError("canceled", {}, call.signal.reason);
  if (outcome !== "ended" && outcome.exitCode === 0) return output.trim().split("\n")[0] ?? "";

  const end = await race(call.signal, endNewsMs, main.ended);
  if (typeof end === "string") throw new ApiError(`service ${subject.hostname}: its health cannot be checked: ${output.trim()}`);
  if (end.exitCode === 0) throw new ApiError(`service ${subject.hostname} exited before it was healthy`);
  throw endFailure(subject, end);
}

async function race<T>(signal: AbortSignal, timeoutMs: number, ...promises: Promise<T>[]): Promise<T | "late" | "cancelled"> {
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
