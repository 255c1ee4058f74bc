import { readFileSync } from "node:fs";
import { distFile } from "../paths/index.ts";

/** Returns the end of every engine's key: what runs function bodies, and the build of fastloop. */
export function keyEnd(via: string = "host"): string {
  return `${via === "host" ? "" : `, bodies by ${via}`}, fastloop ${buildId()}`;
}

let known: string | undefined;

function buildId(): string {
  try {
    return (known ??= readFileSync(distFile("build-id"), "utf8").trim());
  } catch {
    return "";
  }
}
