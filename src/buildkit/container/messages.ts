import { codec } from "../proto/codec.ts";
import type { Method } from "../connection/messages.ts";

/** A mount of a gateway container. `resultId` names a result of the same build. */
export interface WireMount {
  dest: string;
  mountType: number;
  selector?: string;
  readonly?: boolean;
  resultId?: string;
  tmpfs?: object;
  cache?: object;
  secret?: object;
  ssh?: object;
}

export interface NewContainerRequest {
  containerId: string;
  mounts: WireMount[];
  platform?: { os: string; architecture: string; variant?: string };
  hostname?: string;
}

/** A message of `ExecProcess` in either direction. Exactly one of the optional fields is set. */
export interface ExecMessage {
  processId: string;
  init?: InitMessage | null;
  file?: { fd: number; eof?: boolean; data?: Uint8Array } | null;
  resize?: { rows: number; cols: number } | null;
  started?: object | null;
  exit?: { code: number; error: { code: number; message: string } | null } | null;
  done?: object | null;
  signal?: { name: string } | null;
}

interface InitMessage {
  containerId: string;
  meta: {
    args: readonly string[];
    env?: readonly string[];
    cwd?: string;
    user?: string;
    removeMountStubsRecursive?: boolean;
  };
  /** File descriptors to connect: 0, 1, 2. */
  fds: number[];
  tty?: boolean;
  security?: number;
  secretEnv?: readonly { id: string; name: string; optional?: boolean }[];
}

const service = "/moby.buildkit.v1.frontend.LLBBridge";

function method<Request extends object, Response extends object>(
  name: string,
  request: string,
  response: string,
): Method<Request, Response> {
  return {
    path: `${service}/${name}`,
    serialize: codec<Request>(`gateway.${request}`).encode,
    deserialize: codec<Response>(`gateway.${response}`).decode,
  };
}

/** The part of the gateway API that runs processes outside of a solve. */
export const containers = {
  create: method<NewContainerRequest, object>("NewContainer", "NewContainerRequest", "NewContainerResponse"),
  release: method<{ containerId: string }, object>(
    "ReleaseContainer",
    "ReleaseContainerRequest",
    "ReleaseContainerResponse",
  ),
  exec: method<ExecMessage, ExecMessage>("ExecProcess", "ExecMessage", "ExecMessage"),
};
