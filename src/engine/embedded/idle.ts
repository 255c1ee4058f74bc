/** The engine's idle time: how long the daemon waits for a session before it stops itself. */
import { UserError } from "../../errors/index.ts";

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const defaultIdleMs = 30 * 60_000;

/** `10m` -> 600000. `place` names where the text came from. */
export function parseIdleMs(text: string, place: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  if (match === null) throw new UserError("usage", `${text} is not a duration`, { place, hint: "e.g. 30s, 10m, 2h" });
  return Number(match[1]) * units[match[2] as keyof typeof units];
}

/** `FASTLOOP_ENGINE_IDLE`, else 30 minutes. */
export function idleMsOf(env: Readonly<Record<string, string | undefined>>): number {
  const text = env["FASTLOOP_ENGINE_IDLE"];
  return text === undefined || text === "" ? defaultIdleMs : parseIdleMs(text, "FASTLOOP_ENGINE_IDLE");
}
