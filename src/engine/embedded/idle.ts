/** Idle time of the engine: how long the daemon waits for a session before it stops itself. */
import { durationAt } from "../../config/index.ts";

const defaultIdleMs = 30 * 60_000;

/** Returns `FASTLOOP_ENGINE_IDLE` in milliseconds; default 30 minutes. */
export function idleMsOf(env: Readonly<Record<string, string | undefined>>): number {
  const text = env["FASTLOOP_ENGINE_IDLE"];
  return text === undefined || text === "" ? defaultIdleMs : durationAt(text, "FASTLOOP_ENGINE_IDLE");
}
