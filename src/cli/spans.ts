import { openSpanExport, type SpanExport } from "../report/index.ts";
import type { CliContext } from "./context.ts";

declare const __FASTLOOP_VERSION__: string;

/** Opens the export of a command's spans, if the environment names a collector. */
export function spansOf(context: CliContext, command: string): Promise<SpanExport | undefined> {
  const { env, notice } = context;
  return openSpanExport({ env, command, version: __FASTLOOP_VERSION__, onNotice: (text) => notice(text) });
}
