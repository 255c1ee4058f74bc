import { createHash } from "node:crypto";
import { NONE } from "./wire.ts";

/** A cache mount as far as a result depends on it. */
interface Volume {
  destination: string;
  id: string;
  /** BuildKit's number of the sharing mode. */
  sharing: number;
}

/**
 * What puts the volumes of an exec into its cache key. BuildKit leaves their ids and sharing modes out of it, so that the
 * same command on another volume would not run. A secret's id is in the key, and an optional secret that nobody has is
 * not mounted: the container sees nothing of it.
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
