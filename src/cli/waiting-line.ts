import { outputText } from "../text/index.ts";
import type { CliContext } from "./context.ts";
import { isAsking } from "./trust/confirm.ts";

/** A shorter wait prints nothing. */
const silentMs = 1000;
/** Interval of lines in a log. */
const againMs = 10_000;

/**
 * Reports on stderr what a command waits for, if it takes more than a second: on a terminal one line with a clock,
 * which is erased at the end; elsewhere a line every ten seconds.
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
