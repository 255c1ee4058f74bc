import { createHash } from "node:crypto";
import { NONE } from "./wire.ts";

/** The parts of a cache mount that a result depends on. */
interface Volume {
  destination: string;
  id: string;
  /** BuildKit's number for the sharing mode. */
  sharing: number;
}

/**
 * Returns a mount that puts the volumes of an exec into its cache key. BuildKit leaves their ids and sharing modes out
 * of the key, so the same command on another volume would not run. A secret's id is in the key, and an optional secret
 * that does not exist is not mounted, so the container does not see it.
 */
export function volumeKey(volumes: readonly Volume[]): object[] {
  if (volumes.length === 0) return [];
  const identity = JSON.stringify(volumes.map(({ destination, id, sharing }) => [destination, id, sharing]));
  const id = `volumes-${createHash("sha256").update(identity).digest("hex")}`;
  return [
    {
      dest: "/.fastloop/volumes",
      mountType: 1,
      input: NONE,
      output: NONE,
      secret: { id, mode: 0o400, optional: true },
    },
  ];
}
