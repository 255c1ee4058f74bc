/** Finds the commands in what BuildKit is given. */
import type { Definition } from "../../llb/types.ts";
import type { Exec } from "../values/values.ts";
import { internalStepPrefix } from "./compile.ts";

/** Returns the recipes of the execs in a definition. */
export function execsOf({ metadata }: Definition, execs: ReadonlyMap<string, Exec>): Exec[] {
  return Object.keys(metadata).flatMap((digest) => execs.get(digest) ?? []);
}

/** Returns the execs in a definition with the names that reporters show. */
export function namedExecs(
  metadata: Definition["metadata"],
  execs: ReadonlyMap<string, Exec>,
): { digest: string; name: string }[] {
  return Object.entries(metadata).flatMap(([digest, { description }]) => {
    const name = description?.["llb.customname"] ?? "";
    return execs.has(digest) && !name.startsWith(internalStepPrefix) ? [{ digest, name }] : [];
  });
}
