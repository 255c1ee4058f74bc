import type { ClientDuplexStream } from "@grpc/grpc-js";
import type { ExecMessage } from "./messages.ts";
import type { ContainerProcess, ProcessEnd, ProcessRequest } from "../container-types.ts";

/** Each process has a stream of its own, so the id does not matter. */
const processId = "process";
/** Exit code with which BuildKit reports that a process never ran. */
const UNKNOWN_EXIT_STATUS = 0xff;
/**
 * BuildKit's error for input that arrived after the process ended but before its end was reported. The exit code is
 * lost then.
 */
const inputClosed = /read\/write on closed pipe/;

/**
 * Starts a process in a container and follows it:
 *
 *    init ──▶ started ──▶ file* ──▶ exit ──▶ file* ──▶ done
 */
export function startProcess(
  stream: ClientDuplexStream<ExecMessage, ExecMessage>,
  containerId: string,
  { args, env, cwd, user, insecure, secretEnv, tty = false, onOutput }: ProcessRequest,
): ContainerProcess {
  let end: ProcessEnd | undefined;
  let markStarted = (): void => undefined;
  const started = new Promise<void>((resolve) => (markStarted = resolve));
  const ended = new Promise<ProcessEnd>((resolve) => {
    stream.on("data", (message: ExecMessage) => {
      if (message.started != null) {
        markStarted();
      } else if (message.file?.data !== undefined && message.file.data.length > 0) {
        onOutput?.(message.file.fd === 2 ? "stderr" : "stdout", message.file.data);
      } else if (message.exit != null) {
        end = endOf(message.exit);
        // BuildKit does not report a process as done while its input is open.
        if (tty) stream.write({ processId, file: { fd: 0, eof: true } });
      } else if (message.done != null) {
        stream.end();
      }
    });
    // An error of the stream matters more than the process's end: the build or the connection is gone.
    stream.on("error", (error: Error) =>
      resolve(
        end ?? (tty && inputClosed.test(error.message) ? { exitCode: -1 } : { exitCode: -1, failure: error.message }),
      ),
    );
    stream.on("end", () => resolve(end ?? { exitCode: -1, failure: "the container's stream ended" }));
  });
  void ended.then(markStarted);
  stream.write({
    processId,
    init: {
      containerId,
      meta: { args, env, cwd: cwd ?? "/", user: user ?? "", removeMountStubsRecursive: true },
      fds: tty ? [0, 1] : [1, 2],
      tty,
      security: insecure === true ? 1 : 0,
      secretEnv: secretEnv ?? [],
    },
  });
  const send = (message: Omit<ExecMessage, "processId">): void => {
    if (end === undefined && stream.writable) stream.write({ processId, ...message });
  };
  return {
    started,
    ended,
    signal: (name) => send({ signal: { name: name.replace(/^SIG/, "") } }),
    write: (data) => send({ file: { fd: 0, data } }),
    resize: (rows, cols) => send({ resize: { rows, cols } }),
    hold: (isHeld) => void (isHeld ? stream.pause() : stream.resume()),
  };
}

function endOf({ code, error }: NonNullable<ExecMessage["exit"]>): ProcessEnd {
  const failed =
    code === UNKNOWN_EXIT_STATUS && error !== null && error.message !== "" && !error.message.endsWith("exit code: 255");
  return failed ? { exitCode: -1, failure: error.message } : { exitCode: code };
}
