import type { ProcessEnd } from "../buildkit/container-types.ts";
import { ApiError } from "./errors.ts";
import { scrub } from "./scrub.ts";
import type { ServiceLog } from "./service-log.ts";

/** `shim service` ends with it when another program has the port; see tools/shim/service.go. */
const portTakenExit = 98;

/** How a service is spoken of, and what must not be said with it. */
export interface ServiceSubject {
  readonly hostname: string;
  readonly args: readonly string[];
  readonly secrets: readonly string[];
  readonly log: ServiceLog;
}

/** Why a service that was not told to end has ended, as the client sees it. */
export function endFailure(subject: ServiceSubject, end: ProcessEnd): ApiError {
  const { hostname, args, secrets, log } = subject;
  if (end.failure !== undefined) return new ApiError(`service ${hostname}: ${scrub(end.failure, secrets)}`);
  if (end.exitCode === portTakenExit && /^port \d+ is in use$/m.test(log.kept.stderr)) return portInUse(hostname, log.kept.stderr);
  const cmd = args.map((part) => scrub(part, secrets));
  return new ApiError(`exit code: ${end.exitCode}`, { _type: "EXEC_ERROR", cmd, exitCode: end.exitCode, ...log.kept });
}

export function tooLate({ hostname, log }: ServiceSubject, ports: readonly number[], timeoutMs: number): ApiError {
  const output = log.tail();
  const said = output === "" ? "it printed nothing" : `its last output:\n${output}`;
  return new ApiError(`service ${hostname} did not accept connections on port ${ports.join(", ")} within ${timeoutMs / 1000} s; ${said}`);
}

function portInUse(hostname: string, stderr: string): ApiError {
  const port = /^port (\d+) is in use$/m.exec(stderr)?.[1];
  return new ApiError(
    `service ${hostname}: port ${port} is in use by another program; this BuildKit gives containers no network of their own, ` +
      "so that services share the host's ports (docs/engines.md)",
  );
}
