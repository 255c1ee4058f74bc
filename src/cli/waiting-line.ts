import { outputText } from "../text/index.ts";
import type { CliContext } from "./context.ts";
import { isAsking } from "./trust/confirm.ts";

/** What takes less needs no word. */
const silentMs = 1000;
/** A log gets a line this often. */
const againMs = 10_000;

/**
 * Says on stderr what is waited for, from the second second on: a terminal has one line with a clock, which goes when it is
 * over; elsewhere there is a line now and then.
 */
export async function sayingWait<T>(context: CliContext, what: string, work: Promise<T>): Promise<T> {
  const { stderr, env } = context;
  const isLive = stderr.isTTY && env["TERM"] !== "dumb";
  const startedMs = performance.now();
  let isShown = false;
  const show = (): void => {
    if (isAsking(context)) return;
    const text = `waiting ${what} (${Math.round((performance.now() - startedMs) / 1000)} s)`;
    if (!isLive) return context.notice(text);
    isShown = true;
    stderr.write(`\r${outputText(text)}\u001b[K`);
  };
  const timer = setInterval(show, isLive ? silentMs : againMs);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    if (isShown) stderr.write("\r\u001b[K");
  }
}
