import type { ProcessEnd } from "../../buildkit/types.ts";
import { ApiError } from "../values/errors.ts";
import type { ServiceLog } from "./log.ts";
import type { ServicePlan } from "./plan.ts";
import type { FailedCheck } from "./report.ts";

/** Exit code of `shim service` when another program holds the port; see tools/shim/service.go. */
const portTakenExit = 98;

/** A service as error messages describe it. */
export interface ServiceSubject {
  readonly hostname: string;
  readonly args: readonly string[];
  readonly log: ServiceLog;
}

/** Returns the client's error for a service that ended without being stopped. */
export function endFailure(subject: ServiceSubject, end: ProcessEnd): ApiError {
  const { hostname, args, log } = subject;
  if (end.failure !== undefined) return new ApiError(`service ${hostname}: ${end.failure}`);
  const output = log.output();
  if (end.exitCode === portTakenExit && /^port \d+ is in use$/m.test(output.stderr))
    return portInUse(hostname, output.stderr);
  return new ApiError(`exit code: ${end.exitCode}`, {
    _type: "EXEC_ERROR",
    cmd: args,
    exitCode: end.exitCode,
    ...output,
  });
}

/** Returns the error for a service that was not healthy in time, with its last output. */
export function tooLate(
  { hostname, log }: ServiceSubject,
  { check, probed }: Pick<ServicePlan, "check" | "probed">,
  timeoutMs: number,
): ApiError {
  const output = log.tail();
  const said = output === "" ? "it printed nothing" : `its last output:\n${output}`;
  const missed =
    check === undefined ? `did not accept connections on port ${probed.join(", ")}` : "did not pass its health check";
  return new ApiError(`service ${hostname} ${missed} within ${timeoutMs / 1000} s; ${said}`);
}

/** Returns the error for a service whose health check failed too often. */
export function unhealthy({ hostname }: ServiceSubject, args: readonly string[], failed: FailedCheck): ApiError {
  const { stdout, stderr } = failed;
  const said = `${stdout}${stderr}`.trim();
  return new ApiError(
    `service ${hostname} is unhealthy: health check errored: exit code: ${failed.exitCode}${said === "" ? "" : `; it printed:\n${said}`}`,
    {
      _type: "EXEC_ERROR",
      cmd: args,
      exitCode: failed.exitCode,
      stdout,
      stderr,
    },
  );
}

function portInUse(hostname: string, stderr: string): ApiError {
  const port = /^port (\d+) is in use$/m.exec(stderr)?.[1];
  return new ApiError(
    `service ${hostname}: port ${port} is in use by another program; this BuildKit gives containers no network of their own, ` +
      "so that services share the host's ports (docs/engines.md)",
  );
}
