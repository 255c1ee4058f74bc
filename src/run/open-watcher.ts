import { durationMs } from "../config/index.ts";
import { Watcher, type WatcherOptions } from "../watch/index.ts";
import type { LoopOptions } from "./loop-options.ts";
import type { Planning } from "./planning.ts";

/** How long files must rest, in milliseconds: as the command line says, else the configuration. */
export function quietMsOf(options: LoopOptions, { project }: Planning): number {
  const { debounce } = project?.config.config.watch ?? {};
  return options.quietMs ?? (debounce === undefined ? 50 : durationMs(debounce));
}

/** The watcher of a project's files. */
export function openWatcher(
  options: LoopOptions,
  planning: Planning,
  listener: Pick<WatcherOptions, "root" | "state" | "onUnsettled" | "onSettled" | "onNotice">,
): Watcher {
  const { watch } = planning.project?.config.config ?? {};
  return new Watcher({
    ...listener,
    concerns: (file) => planning.reader.concerns(file),
    fingerprint: () => planning.reader.scan().statDigest(),
    rules: { quietMs: quietMsOf(options, planning) },
    source: options.source ?? (watch?.poll === true ? "polling" : "auto"),
    pollIntervalMs: watch?.pollInterval === undefined ? undefined : durationMs(watch.pollInterval),
  });
}
