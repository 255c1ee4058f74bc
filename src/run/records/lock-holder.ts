import type { Content } from "../../state/index.ts";

/** What a lock says: which process has it. Anybody may have written it. */
export interface Holder {
  pid: number;
  /** Start time of the process in kernel ticks: the same pid later is another process. */
  startTicks: string;
  command: string;
  since: string;
}

/** Undefined for what no fastloop wrote: a lock that says nothing holds nobody up. */
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
