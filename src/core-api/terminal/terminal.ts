import { once } from "node:events";
import type { Duplex } from "node:stream";
import type { ContainerProcess, ProcessRequest } from "../../buildkit/types.ts";
import { encodeFrame, FrameReader } from "./frames.ts";
import { aborted } from "../../async/index.ts";
import { execEnvironment, requireRootCapabilities } from "../container/exec.ts";
import { ApiError, notServed } from "../values/errors.ts";
import { lookupEnv } from "../image/config.ts";
import { openContainer } from "../service/container.ts";
import { execOfService, secretEnvOf, shim } from "../service/plan.ts";
import type { Call } from "../request/call.ts";
import type { Container, ContainerService } from "../values/values.ts";

export interface TerminalArguments {
  cmd: readonly string[];
  experimentalPrivilegedNesting?: boolean | null;
  insecureRootCapabilities?: boolean | null;
}

/** Prompt for shells that have none of their own; it shows the working directory. */
const prompt = "PS1=fastloop $(pwd) $ ";

/**
 * Runs a command on the user's terminal in a new container with this container's configuration. Nothing done there is
 * kept.
 */
export async function openTerminal(call: Call, container: Container, args: TerminalArguments): Promise<void> {
  const { terminals, services } = call.session;
  terminals.require();
  const preset = container.terminal;
  if (args.experimentalPrivilegedNesting ?? preset?.nesting) throw notServed("terminal(experimentalPrivilegedNesting)");
  const insecure = requireRootCapabilities(call, args.insecureRootCapabilities ?? preset?.insecure ?? false);
  const command = commandOf(args, container);
  const exec = await execOfService(call, container, command, { noInit: false, insecure });
  const release = services.hold([exec]);
  try {
    // Open the container before asking for the terminal, which shows progress until then.
    const opened = await openContainer(call, { exec, sockets: [] });
    try {
      const { cwd, user } = exec;
      const request = { ...processOf(command, container), cwd, user, insecure, secretEnv: secretEnvOf(exec) };
      await terminals.use(command.join(" "), call.signal, (line) =>
        converse(call, line, (onOutput) => opened.start({ ...request, onOutput })),
      );
    } finally {
      await opened.release();
    }
  } finally {
    release();
  }
}

/** Runs a command on the user's terminal in the container of a service. */
export async function openServiceTerminal(
  call: Call,
  service: ContainerService,
  args: TerminalArguments,
): Promise<void> {
  const { terminals, services } = call.session;
  terminals.require();
  const command = commandOf(args, service.container);
  const release = services.hold([{ services: [{ alias: "terminal", service }] }]);
  try {
    const { enter } = await services.start(service);
    if (enter === undefined) throw new ApiError("terminal not supported on non-container services");
    const request = processOf(command, service.container, ["--beside"]);
    await terminals.use(command.join(" "), call.signal, (line) =>
      converse(call, line, (onOutput) => enter({ ...request, onOutput })),
    );
  } finally {
    release();
  }
}

function commandOf({ cmd }: TerminalArguments, { terminal }: Container): readonly string[] {
  if (cmd.length > 0) return cmd;
  return terminal === undefined || terminal.args.length === 0 ? ["sh"] : terminal.args;
}

function processOf(command: readonly string[], container: Container, flags: readonly string[] = []): ProcessRequest {
  const env = execEnvironment(container);
  return {
    args: [shim, "terminal", ...flags, "--", ...command],
    env: lookupEnv(env, "PS1") === undefined ? [...env, prompt] : env,
    tty: true,
  };
}

/** Connects a process to the user's terminal until the process exits. A nonzero exit code is not an error. */
async function converse(
  call: Call,
  line: Duplex,
  start: (onOutput: ProcessRequest["onOutput"]) => ContainerProcess,
): Promise<void> {
  const process = start((_stream, data) => {
    if (line.writable && !line.write(encodeFrame({ kind: "data", data }))) process.hold(true);
  });
  const reader = new FrameReader();
  line.on("drain", () => process.hold(false));
  line.on("error", () => undefined);
  // The daemon's connections stay half open after the client's end otherwise.
  line.on("end", () => line.destroy());
  const gone = once(line, "close").then(
    () => "gone" as const,
    () => "gone" as const,
  );
  line.on("data", (piece: Buffer) => {
    for (const frame of reader.push(piece)) {
      if (frame.kind === "data") process.write(frame.data);
      else if (frame.kind === "size") process.resize(frame.rows, frame.columns);
    }
  });
  const end = await Promise.race([process.ended, gone, aborted(call.signal)]);
  if (end === undefined || end === "gone") {
    process.signal("SIGKILL");
    throw new ApiError(end === undefined ? "canceled" : "the terminal was closed");
  }
  if (end.failure !== undefined) throw new ApiError(`the terminal could not be opened: ${end.failure}`);
  line.write(encodeFrame({ kind: "exit", exitCode: end.exitCode }));
}
