import { UserError } from "../../errors/index.ts";

/**
 * Throws a `UserError` when a buildkitd of fastloop's own cannot run here, whatever is set up. Check this before
 * building anything for it.
 */
export function requireRoot(): void {
  if (process.platform !== "linux") {
    throw new UserError("engine-unavailable", `buildkitd runs on Linux only, this is ${process.platform}`, {
      hint: "install a container runtime (docker, podman, finch), or name a BuildKit daemon with BUILDKIT_HOST",
    });
  }
  if (process.getuid?.() !== 0) {
    throw new UserError("engine-unavailable", "the embedded engine's buildkitd needs root", {
      hint: "run as root (sudo), install docker or podman, or name a (rootless) BuildKit daemon with BUILDKIT_HOST",
    });
  }
}
