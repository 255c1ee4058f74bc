import { ApiError, execError } from "../values/errors.ts";
import { hostsSecretId } from "./compile-exec.ts";
import { offlineNote } from "./offline.ts";
import type { Session } from "../session.ts";
import type { Call } from "../request/call.ts";

/** Exit code of the shim for a failure of its own, such as a file that it cannot open; see tools/shim. */
const helperFailed = 125;

/**
 * Translates BuildKit's error for the client: a failed exec gets its output, and anything else a message of one line.
 */
export function solveFailure(session: Session, call: Call, error: unknown): unknown {
  if (call.signal.aborted) return new ApiError("canceled", {}, error);
  if (error instanceof ApiError || !(error instanceof Error)) return error;
  const { vertex, exitCode } = error as Error & { vertex?: string; exitCode?: number };
  const exec = vertex === undefined ? undefined : session.execs.get(vertex);
  if (vertex === undefined || exec === undefined) {
    const command = session.dockerCommands.get(vertex ?? "");
    if (vertex === undefined || exitCode === undefined || command === undefined)
      return new ApiError(session.passwords.explain(readable(error.message)), {}, error);
    return execError({ cmd: command, exitCode, ...failedOutput(session, call, vertex) }, error);
  }
  const service = session.services.failureOf(hostsSecretId(exec.services));
  if (service !== undefined) return service;
  const output = failedOutput(session, call, vertex);
  const cmd = exec.args;
  if (exitCode === undefined) {
    const message = readable(error.message);
    return new ApiError(message, { _type: "EXEC_ERROR", cmd, exitCode: -1, stdout: "", stderr: "" }, error);
  }
  const helper = exitCode === helperFailed ? /^fastloop shim: (.*)$/m.exec(output.stderr)?.[1] : undefined;
  // The command never started, so it has no output.
  if (helper !== undefined)
    return new ApiError(helper, { _type: "EXEC_ERROR", cmd, exitCode: -1, stdout: "", stderr: "" }, error);
  // The shim exits with 1 when the command was expected to fail but passed.
  const actual = exec.expect === "FAILURE" && exitCode === 1 ? 0 : exitCode;
  return execError({ cmd, exitCode: actual, ...output }, error);
}

/**
 * Returns the output of a failed command. In an offline session, a note about the network is appended where it applies.
 */
function failedOutput({ options }: Session, call: Call, vertex: string): { stdout: string; stderr: string } {
  const output = call.events.outputOf(vertex);
  const note = options.offline === true ? offlineNote(output) : undefined;
  if (note === undefined) return output;
  call.events.logOf(vertex, note);
  return { ...output, stderr: `${output.stderr.trimEnd()}\n${note}\n`.trimStart() };
}

/** Temporary mount points of BuildKit. The path below one is the path in the tree. */
const mountPoint = /\/(?:cachemounts\/buildkit|buildkit-mount)\d+(?=\/)/g;
const inTree = (place: string): string => {
  const last = [...place.matchAll(mountPoint)].at(-1);
  return last === undefined ? place : place.slice(last.index + last[0].length);
};

const refusedRight = /granting entitlement (\S+) is not allowed by build daemon configuration/;

/** Shortens BuildKit's error, which repeats the context at every layer. The reason comes last. */
function readable(message: string): string {
  const right = refusedRight.exec(message)?.[1];
  if (right !== undefined) {
    const use = right === "security.insecure" ? "insecureRootCapabilities" : "the host's network in a Dockerfile";
    return `${use} is not allowed by this BuildKit daemon; start it with insecure-entitlements = [${JSON.stringify(right)}] in its buildkitd.toml`;
  }
  const missing =
    /^(?:failed to solve: )?failed to compute cache key: failed to calculate checksum of ref \S+: "(.*)": not found$/s.exec(
      message,
    )?.[1];
  if (missing !== undefined) return `lstat ${missing}: no such file or directory`;
  return message
    .replace(/^(?:failed to solve: |process "[^"]*" did not complete successfully: )+/, "")
    .replaceAll(/\/[^\s"':]*/g, inTree);
}
