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

/** Shells that start without a prompt of their own say where they are. */
const prompt = "PS1=fastloop $(pwd) $ ";

/** Lets the user work in a container of their own that is made like this one; nothing of what they do is kept. */
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
    // Before the user is asked for the terminal: until then progress is shown there.
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

/** The same in the container in which a service runs. */
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

/** Connects a process with the user's terminal until it ends. Whatever its exit code is, it is no error. */
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
  // The daemon's connections stay half open otherwise.
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
