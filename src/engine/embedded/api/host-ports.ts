import { ApiError } from "./errors.ts";
import type { ExposedPort } from "./values.ts";

/** `BuildKit address, port/protocol` -> hostname of the service that has it. Shared by the sessions of this process. */
const holders = new Map<string, string>();

/** Takes ports of a network that all containers share; returns what gives them back. */
export function claimHostPorts(buildkitAddress: string, ports: readonly ExposedPort[], hostname: string): () => void {
  const keys = ports.map(({ port, protocol }) => `${buildkitAddress} ${port}/${protocol}`);
  for (const [index, key] of keys.entries()) {
    const holder = holders.get(key);
    if (holder === undefined) continue;
    throw new ApiError(
      `service ${hostname}: port ${ports[index]!.port} is held by service ${holder}; this BuildKit gives containers no network of ` +
        "their own, so that services share the host's ports (docs/services.md)",
    );
  }
  for (const key of keys) holders.set(key, hostname);
  return () => keys.forEach((key) => holders.delete(key));
}
