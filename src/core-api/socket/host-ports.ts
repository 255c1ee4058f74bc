import { ApiError } from "../values/errors.ts";
import type { ExposedPort } from "../values/values.ts";

/** Who has a port of a network that all containers share. */
interface Holder {
  hostname: string;
  /** Ends it if nobody uses it any more; says whether it is gone. */
  endIfIdle(): Promise<boolean>;
}

/** `BuildKit address, port/protocol` -> its holder. Shared by the sessions of this process. */
const holders = new Map<string, Holder>();

/**
 * Takes ports of a network that all containers share; returns what gives them back. A service that only lingers for its
 * next use gives way.
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
