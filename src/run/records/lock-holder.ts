import type { Content } from "../../state/index.ts";

/** Contents of a lock: the process that holds it. Anybody may have written the file. */
export interface Holder {
  pid: number;
  /** Start time of the process in kernel ticks; a later process with the same pid has another. */
  startTicks: string;
  command: string;
  since: string;
}

/** Returns undefined for content that fastloop did not write; such a lock blocks nobody. */
export function holderIn(content: Content): Holder | undefined {
  if (typeof content === "string") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(content.toString("utf8"));
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { pid, startTicks, command, since } = value as Partial<Record<keyof Holder, unknown>>;
  if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (typeof startTicks !== "string" || !/^\d{0,20}$/.test(startTicks)) return undefined;
  if (typeof command !== "string" || !/^fastloop [a-z-]{1,20}$/.test(command)) return undefined;
  if (typeof since !== "string" || !/^[\dT:.Z-]{0,30}$/.test(since)) return undefined;
  return { pid, startTicks, command, since };
}
