import { buildId } from "../paths/index.ts";

/** Returns the end of every engine's key: what runs function bodies, and the build of fastloop. */
export function keyEnd(via: string = "host"): string {
  return `${via === "host" ? "" : `, bodies by ${via}`}, fastloop ${buildId()}`;
}
