import type { ProcessEnd } from "../../buildkit/types.ts";
import { ApiError } from "../values/errors.ts";
import type { ServiceLog } from "./log.ts";
import type { ServicePlan } from "./plan.ts";
import type { FailedCheck } from "./report.ts";

/** `shim service` ends with it when another program has the port; see tools/shim/service.go. */
const portTakenExit = 98;

/** How a service is spoken of. */
export interface ServiceSubject {
  readonly hostname: string;
  readonly args: readonly string[];
  readonly log: ServiceLog;
}

/** Why a service that was not told to end has ended, as the client sees it. */
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

/** Its health check failed as often as it may. */
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
