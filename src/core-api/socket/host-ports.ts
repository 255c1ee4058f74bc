import { ApiError } from "../values/errors.ts";
import type { ExposedPort } from "../values/values.ts";

/** A service that holds a port of a network that all containers share. */
interface Holder {
  hostname: string;
  /** Stops the service if nobody uses it any more. Resolves to whether it is gone. */
  endIfIdle(): Promise<boolean>;
}

/** Holders by `BuildKit address, port/protocol`. All sessions of this process share the map. */
const holders = new Map<string, Holder>();

/**
 * Claims ports of a network that all containers share. Returns a function that releases them. A holder that only
 * lingers for its next use is stopped first; throws an `ApiError` when a holder is still in use.
 */
export async function claimHostPorts(
  buildkitAddress: string,
  ports: readonly ExposedPort[],
  claimer: Holder,
): Promise<() => void> {
  const claims = ports.map(({ port, protocol }) => ({ port, key: `${buildkitAddress} ${port}/${protocol}` }));
  for (const { port, key } of claims) {
    for (let holder = holders.get(key); holder !== undefined; holder = holders.get(key)) {
      if (await holder.endIfIdle()) continue;
      throw new ApiError(
        `service ${claimer.hostname}: port ${port} is held by service ${holder.hostname}; this BuildKit gives containers no network ` +
          "of their own, so that services share the host's ports (docs/engines.md)",
      );
    }
  }
  for (const { key } of claims) holders.set(key, claimer);
  return () => {
    for (const { key } of claims) if (holders.get(key) === claimer) holders.delete(key);
  };
}
