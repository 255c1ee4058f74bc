import { ApiError } from "../values/errors.ts";
import type { Call } from "../session.ts";

/** Throws where root capabilities are wanted and the user has not allowed them: they are root on the user's machine. */
export function requireRootCapabilities(call: Call, wanted: boolean): boolean {
  if (!wanted || call.session.options.rootCapabilities === true) return wanted;
  throw new ApiError(
    "insecureRootCapabilities is off: such a container is root on this machine. Allow it for this project with `fastloop trust`, " +
      "or for all with `rootCapabilities: true` in your ~/.config/fastloop/config.yaml (FASTLOOP_ROOT_CAPABILITIES=1)",
  );
}
