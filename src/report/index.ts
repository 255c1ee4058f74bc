/** Reports on the terminal, as JSON and in CI formats. It only renders events. */
import type { ExportOptions, SpanExport } from "./otlp/export.ts";
import type { RunView, RunViewOptions } from "./terminal/run-view.ts";
import type { UpView, UpViewOptions } from "./terminal/up-view.ts";
import type { WatchView, WatchViewOptions } from "./terminal/watch-view.ts";

export { githubReporter, junit } from "./github.ts";
export { jsonReporter } from "./json.ts";
export { desktopNotifier } from "./notify.ts";
export { plainReporter } from "./plain.ts";
export type { RunView } from "./terminal/run-view.ts";
export type { WatchView } from "./terminal/watch-view.ts";
export { StepLines } from "./step-lines.ts";
export type { UpView } from "./terminal/up-view.ts";
export { blockersText, memoryText, statusTable, upReporter } from "./up-plain.ts";
export { causes, duration, firstOf, painter, plural, shortDigest, shortName, testsText, type Paint } from "./text.ts";

/** Opens the view of a watch on a terminal. Its code is loaded only then, so other commands do not pay for it. */
export async function openTerminal(options: WatchViewOptions): Promise<WatchView> {
  const { openWatchView } = await import("./terminal/watch-view.ts");
  return openWatchView(options);
}

/** Opens the view of a single run on a terminal. */
export async function openRunTerminal(options: RunViewOptions): Promise<RunView> {
  const { openRunView } = await import("./terminal/run-view.ts");
  return openRunView(options);
}

/** Opens the view of services that are up. */
export async function openUpTerminal(options: UpViewOptions): Promise<UpView> {
  const { openUpView } = await import("./terminal/up-view.ts");
  return openUpView(options);
}

export type { SpanExport } from "./otlp/export.ts";

/** Opens the export of spans if the environment names a collector; otherwise loads nothing. */
export async function openSpanExport(options: ExportOptions): Promise<SpanExport | undefined> {
  const isNamed = Object.entries(options.env).some(
    ([name, value]) => name.startsWith("OTEL_EXPORTER_OTLP_") && value !== "",
  );
  return isNamed ? (await import("./otlp/export.ts")).spanExport(options) : undefined;
}
