import { sizeBytes, type WatchTarget } from "../config/index.ts";

/** What runs take together at most, or what one takes: 0 where nothing is declared. */
export interface Resources {
  containers: number;
  memoryBytes: number;
  cpus: number;
}

/** As written in fastloop.yaml. */
export function resourcesOf(declared: NonNullable<WatchTarget["uses"]>): Resources {
  const { containers = 0, memory, cpus = 0 } = declared;
  return { containers, memoryBytes: memory === undefined ? 0 : sizeBytes(memory), cpus };
}
