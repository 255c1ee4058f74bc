import path from "node:path";
import { openApiSession, type ApiSession, type ApiSessionOptions } from "../../src/core-api/index.ts";

/** A session of the core API on that BuildKit, with the shim that set-up built; nothing of this machine is in it. */
export function openSessionOn(
  buildkit: ApiSessionOptions["buildkit"],
  options: Pick<ApiSessionOptions, "workdir"> & Partial<ApiSessionOptions>,
): Promise<ApiSession> {
  return openApiSession({
    buildkit,
    shimDirectory: async (architecture) => path.join(process.env["FASTLOOP_TEST_SHIM"]!, architecture),
    project: "0",
    rootCapabilities: true,
    hostTrust: async () => ({ environment: {} }),
    onEvent: () => undefined,
    env: {},
    ...options,
  });
}
